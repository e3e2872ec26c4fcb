"""The planner node's model: behind a cache and a budget, and whatever its server does."""

import contextlib
import threading
import time

import fault_server as fs
import pytest
from step_planner import Scripted, Table, grasp, place, plan

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from fmrl_msgs import msg as fm
from fmrl_msgs.action import AskHuman, ExecuteSubGoal, ExecuteTask
from fmrl_nodes import planner_node
from fmrl_nodes.planner_node import PlannerNode
from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.planning import Done, Question
from fmrl_robot.registry import METHODS
from fmrl_robot.types import SubGoal, SubGoalKind

pytestmark = pytest.mark.graph

GRASP = SubGoal(id="1", kind=SubGoalKind.SKILL, skill="grasp", target="red_cube")


@pytest.fixture
def make_node():
    context = Context()
    rclpy.init(context=context)
    nodes = []

    def make(**parameters):
        node = PlannerNode(
            context=context,
            namespace="planner_test",
            parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()],
        )
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.close()
        node.destroy_node()
    rclpy.try_shutdown(context=context)


def configured(node):
    return node.trigger_configure() == TransitionCallbackReturn.SUCCESS


def carry_out(node, instruction):
    """As the worker does it, with a scene at hand and nobody to carry out a step."""
    scene = make_scene()
    node._fresh_scene = lambda: scene
    node._goal = type("Goal", (), {"is_cancel_requested": False, "publish_feedback": print})()
    return node._carry_out(ExecuteTask.Goal(instruction=instruction), "task")


def test_one_model_behind_cache_and_budget_serves_every_method(make_node, tmp_path):
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        node = make_node(
            language_model=f"openai:m@{server.url}?total_s=5",
            fm_cache=str(tmp_path),
            fm_budget="calls=1",
        )
        assert configured(node)
        plans = [carry_out(node, "red in the bowl").plan for _ in range(2)]
        spent = carry_out(node, "something else").outcome
        assert len(server.bodies) == 1
    assert [len(plan.subgoals) for plan in plans] == [2, 2]
    assert spent.error_code == ErrorCode.BUDGET_SPENT and "calls" in spent.message
    assert (tmp_path / "answers.sqlite").exists()


@pytest.mark.parametrize(
    "parameter",
    [
        {"fm_budget": "calls=few"},
        {"language_model": "openai:m@https://far.example/v1"},
        {"trigger": "sometimes"},
        {"feedback": "smell"},
        {"task_budget": "steps=none"},
    ],
)
def test_a_wrong_parameter_fails_while_configuring_with_its_reason(make_node, parameter, tmp_path):
    (tmp_path / "answers.json").write_text('{"": "x"}')
    node = make_node(**{"language_model": f"scripted:{tmp_path / 'answers.json'}"} | parameter)
    assert not configured(node)
    assert "expected" in str(node.failure)


def test_a_dead_server_ends_the_task_with_its_code_and_the_next_at_once(make_node):
    with fs.serving(fs.drop) as server:
        node = make_node(language_model=f"openai:m@{server.url}?total_s=5")
        assert configured(node)
        first = carry_out(node, "red in the bowl").outcome
        began = time.monotonic()
        second = carry_out(node, "red in the bowl").outcome
        assert time.monotonic() - began < 0.5 and len(server.bodies) == 3
    assert first.error_code == second.error_code == ErrorCode.MODEL_UNAVAILABLE
    assert "again in" in second.message


def test_a_second_task_is_refused_while_one_is_carried_out(make_node):
    class Goal:
        aborted = False

        def abort(self):
            self.aborted = True

    node, second = make_node(), Goal()
    node._goal, node._task = object(), "red in the bowl"
    with pytest.raises(StopIteration) as returned:
        node._execute(second).send(None)  # it ends without waiting for anything
    answer = returned.value.value
    assert second.aborted and answer.error_code == ErrorCode.TASK_BUSY
    assert "'red in the bowl' is under way; cancel it first" in answer.error_msg


STOPPED = fm.GateState(state=fm.GateState.STOPPED, code=411, reason="asked to stop by the service")


def test_a_task_for_a_stopped_robot_is_refused_at_once(make_node):
    class Goal:
        aborted = False

        def abort(self):
            self.aborted = True

    node, goal = make_node(), Goal()
    node._on_gate(STOPPED)
    with pytest.raises(StopIteration) as returned:
        node._execute(goal).send(None)  # it ends without waiting for anything
    answer = returned.value.value
    assert goal.aborted and answer.error_code == ErrorCode.GATE_STOPPED
    assert "asked to stop by the service" in answer.error_msg and "fmrl rearm" in answer.error_msg


def test_a_stop_while_a_plan_is_made_ends_the_task_though_it_is_lifted_meanwhile(make_node):
    """A robot that was re-armed moves for a new task alone."""
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        node = make_node(language_model=f"openai:m@{server.url}?total_s=5")
        assert configured(node)
        announced = node._announce

        def stopped_then(planner, plan):
            announced(planner, plan)
            node._on_gate(STOPPED)
            node._on_gate(fm.GateState(state=fm.GateState.ARMED))

        node._announce = stopped_then
        outcome = carry_out(node, "red in the bowl").outcome
    assert outcome.error_code == ErrorCode.GATE_STOPPED
    assert "asked to stop by the service" in outcome.message


def test_answers_that_break_off_are_asked_for_three_times_in_all(make_node):
    with fs.serving(fs.half) as server:
        node = make_node(language_model=f"openai:m@{server.url}?total_s=5&failures=9")
        assert configured(node)
        outcome = carry_out(node, "red in the bowl").outcome
        assert len(server.bodies) == 3
    assert outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED and "broke off" in outcome.message


def test_a_node_that_ends_does_not_wait_for_a_hung_server(make_node):
    endings = []
    with fs.serving(fs.hang()) as server:
        node = make_node(language_model=f"openai:m@{server.url}")
        assert configured(node)
        task = threading.Thread(target=lambda: endings.append(carry_out(node, "red in the bowl")))
        task.start()
        time.sleep(0.5)
        node.close()
        task.join(5)
    assert endings[0].outcome.error_code == ErrorCode.MODEL_UNAVAILABLE


# --- the controller that it asks ------------------------------------------------------------------


class Controller:
    """A controller whose sub-goals last until they are cancelled, or succeed at once."""

    def __init__(self, context):
        self.node = rclpy.create_node("controller", namespace="planner_test", context=context)
        self.accepts_after_s, self.lasts, self.cancelled = 0.0, False, threading.Event()
        self._server = ActionServer(
            self.node,
            ExecuteSubGoal,
            "execute_subgoal",
            execute_callback=self._execute,
            goal_callback=self._accept,
            cancel_callback=self._cancel,
        )

    def _accept(self, _):
        time.sleep(self.accepts_after_s)
        return GoalResponse.ACCEPT

    def _cancel(self, _):
        self.cancelled.set()
        return CancelResponse.ACCEPT

    async def _execute(self, goal):
        ended = rclpy.task.Future(executor=self.node.executor)
        if not self.lasts:
            goal.succeed()
            return ExecuteSubGoal.Result(outcome=ExecuteSubGoal.Result.SUCCEEDED)
        return await ended


@contextlib.contextmanager
def spinning(node, controller):
    """A planner and its controller, each in a thread of its own."""
    executors = []
    for each in (node, controller.node):
        executor = SingleThreadedExecutor(context=node.context)
        executor.add_node(each)
        executors.append(executor)
        threading.Thread(target=executor.spin, daemon=True).start()
    node._goal = type("Goal", (), {"is_cancel_requested": False, "publish_feedback": print})()
    assert node._controller.client.wait_for_server(10.0)
    yield
    for executor in executors:
        executor.shutdown()
    controller.node.destroy_node()


@pytest.fixture
def spun(make_node):
    node = make_node()
    assert configured(node)
    controller = Controller(node.context)
    with spinning(node, controller):
        yield node, controller


class Slow(dict):
    """Rclpy's notes of who wants feedback: they are made while a request is under way."""

    def __setitem__(self, key, value):
        time.sleep(0.3)
        super().__setitem__(key, value)


def test_an_answer_that_comes_while_the_request_is_noted_is_heard(spun):
    node, _ = spun
    node._controller.client._feedback_callbacks = Slow()
    outcome = node._execute_subgoal(GRASP, 0, 1)
    assert outcome.success, outcome.message


def test_a_sub_goal_accepted_too_late_is_cancelled(spun, monkeypatch):
    node, controller = spun
    monkeypatch.setattr(planner_node, "ANSWER_PATIENCE_S", 0.3)
    controller.accepts_after_s, controller.lasts = 0.8, True
    outcome = node._execute_subgoal(GRASP, 0, 1)
    assert outcome.error_code == ErrorCode.CONTROLLER_UNAVAILABLE
    assert controller.cancelled.wait(5.0)


# --- a planner that gives a step at a time, and asks ----------------------------------------------


class Human:
    """Serves ``ask_human`` in the controller's node: answers the first choice, or is silent."""

    def __init__(self, controller, answers=True):
        self.asked, self.answers, self.cancelled = [], answers, threading.Event()
        self._server = ActionServer(
            controller.node,
            AskHuman,
            "ask_human",
            execute_callback=self._execute,
            cancel_callback=self._cancel,
        )
        self._ended = rclpy.task.Future(executor=controller.node.executor)

    def _cancel(self, _):
        self.cancelled.set()
        return CancelResponse.ACCEPT

    async def _execute(self, goal):
        self.asked.append((goal.request.question, list(goal.request.options)))
        if not self.answers:
            await self._ended
        goal.succeed()
        return AskHuman.Result(answered=True, answer=goal.request.options[0])


@pytest.fixture
def step_wise(make_node, tmp_path):
    """A node that asks which cube, and a table on which its controller carries steps out."""
    (tmp_path / "answers.json").write_text('{"": "x"}')
    planner = Scripted(
        [
            Question(text="Which cube?", choices=("red", "blue")),
            lambda context: plan(grasp(f"{context.news[-1].text}_cube")),
            plan(place("red_cube", "bowl")),
            Done(message="it is in"),
        ]
    )
    with METHODS.lent("scripted", lambda **_: planner):
        node = make_node(
            method="scripted",
            language_model=f"scripted:{tmp_path / 'answers.json'}",
            trigger="on_finish",
            feedback="success,person",
            question_timeout_s=1.0,
        )
        assert configured(node)
        controller, table = Controller(node.context), Table()
        carry = node._execute_subgoal

        def execute(subgoal, number, count):
            outcome = carry(subgoal, number, count)
            table.execute(subgoal, number, count)
            return outcome

        node._execute_subgoal, node._fresh_scene = execute, table.scene
        with spinning(node, controller):
            yield node, controller, planner, table


def test_a_person_is_asked_through_the_graph_and_the_answer_leads_the_next_step(step_wise):
    node, controller, planner, table = step_wise
    human = Human(controller)
    assert node._person.client.wait_for_server(10.0)
    ending = node._carry_out(ExecuteTask.Goal(instruction="put the red cube in the bowl"), "task")
    assert ending.outcome.success and ending.outcome.message == "it is in"
    assert human.asked == [("Which cube?", ["red", "blue"])]
    assert table.executed == ["grasp red_cube", "place bowl"]
    told = [(f.channel, f.text) for f in planner.heard[-1].feedback]
    assert told == [
        ("person", "red"),
        ("success", "held(red_cube) is seen to hold"),
        ("success", "in(red_cube, bowl) is seen to hold"),
    ]


@pytest.mark.parametrize("present", [True, False])
def test_a_person_who_is_silent_or_away_keeps_no_task_waiting(step_wise, present):
    node, controller, planner, _ = step_wise
    human = Human(controller, answers=False) if present else None
    assert not present or node._person.client.wait_for_server(10.0)
    planner.answers[1] = plan(grasp("red_cube"))
    ending = node._carry_out(ExecuteTask.Goal(instruction="put the red cube in the bowl"), "task")
    assert ending.outcome.success
    assert planner.heard[1].news[0].text == "nobody answered"
    assert human is None or (human.cancelled.wait(10.0) and human.asked)


def test_a_stop_ends_a_question(step_wise):
    node, controller, _, table = step_wise
    human = Human(controller, answers=False)
    assert node._person.client.wait_for_server(10.0)
    node._question_s = 60.0
    threading.Timer(1.0, node._on_gate, [STOPPED]).start()
    outcome = node._carry_out(ExecuteTask.Goal(instruction="red in the bowl"), "task").outcome
    assert outcome.error_code == ErrorCode.GATE_STOPPED and table.executed == []
    assert human.cancelled.wait(10.0)
