"""What topics say is filed by whose it is, in whatever order they are heard."""

import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from told_runs import plan, step
from unique_identifier_msgs.msg import UUID

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import conversions
from fmrl_nodes.historian import Historian
from fmrl_robot.view.run_log import RunLog
from fmrl_robot.view.standing import standing

A, B, ONE, TWO = (bytes([n] * 16) for n in (1, 2, 3, 4))
RUNS, DONE, ENDED_BADLY = (
    GoalStatus.STATUS_EXECUTING,
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_ABORTED,
)


class Heard:
    """A historian on a clock of its own."""

    def __init__(self):
        self.now_s, self.ended = 0.0, []
        self.historian = Historian(RunLog(robot="panda"), lambda: self.now_s, self.ended.append)
        self.log = self.historian.log

    def plan(self, goal, *steps, **refused):
        self.now_s += 1.0
        told = plan(goal.hex(), *steps, **refused)
        self.historian.plan(conversions.plan_to_msg(told, self.now_s))

    def subgoal(self, number):
        self.now_s += 1.0
        self.historian.subgoal(conversions.subgoal_to_msg(step(number), self.now_s))

    def status(self, handler, **states):
        self.now_s += 1.0
        goals = {"a": A, "b": B, "one": ONE, "two": TWO}
        handler(
            GoalStatusArray(
                status_list=[
                    GoalStatus(
                        goal_info=GoalInfo(goal_id=UUID(uuid=list(goals[name]))), status=state
                    )
                    for name, state in states.items()
                ]
            )
        )

    def tasks(self, **states):
        self.status(self.historian.task_status, **states)

    def steps(self, **states):
        self.status(self.historian.subgoal_status, **states)

    def feedback(self, goal, phase, message):
        told = ExecuteTask.Impl.FeedbackMessage()
        told.goal_id.uuid = list(goal)
        told.feedback.phase, told.feedback.message = phase, message
        self.historian.task_feedback(told)

    @property
    def states(self):
        return [(t.instruction[-2:], t.state) for t in self.log.tasks]


def test_the_end_of_a_refused_task_is_its_own_when_another_ask_follows():
    heard = Heard()
    heard.tasks(a=RUNS)
    heard.plan(A, refused="no skill juggle")
    heard.plan(B, step(1))
    heard.tasks(a=ENDED_BADLY, b=RUNS)
    assert [state for _, state in heard.states] == ["refused", "running"]
    assert heard.ended == [A.hex()]
    heard.tasks(a=ENDED_BADLY, b=DONE)
    assert [state for _, state in heard.states] == ["refused", "done"]
    assert heard.ended == [A.hex(), B.hex()]


def test_an_ask_that_is_turned_away_leaves_the_task_under_way_alone():
    heard = Heard()
    heard.tasks(a=RUNS)
    heard.plan(A, step(1))
    heard.subgoal(1)
    heard.tasks(a=RUNS, b=ENDED_BADLY)
    assert [state for _, state in heard.states] == ["running", "failed"]
    assert heard.log.step.state == "running"


def test_a_step_ends_by_its_own_status_however_late():
    heard = Heard()
    heard.plan(A, step(1), step(2))
    heard.subgoal(1)
    heard.steps(one=RUNS)
    heard.subgoal(2)  # heard before the end of the first
    heard.steps(one=ENDED_BADLY, two=RUNS)
    assert [s.state for s in heard.log.task.steps] == ["failed", "running"]
    heard.steps(one=ENDED_BADLY, two=DONE)
    assert [s.state for s in heard.log.task.steps] == ["failed", "done"]


def test_a_plan_made_anew_keeps_the_steps_and_why():
    heard = Heard()
    heard.tasks(a=RUNS)
    heard.plan(A, step(1))
    heard.subgoal(1)
    heard.steps(one=RUNS)
    heard.steps(one=ENDED_BADLY)
    heard.feedback(A, "replanning", "it slipped")
    heard.plan(A)
    heard.tasks(a=DONE)
    task = heard.log.tasks[0]
    assert (len(heard.log.tasks), task.state, task.replans) == (1, "done", ["it slipped"])
    assert [s.state for s in task.steps] == ["failed"]


def test_a_stop_goes_away_once_the_gate_is_armed_again():
    heard = Heard()
    heard.log.moves = True
    for state, word in (
        (fm.GateState.ARMED, "READY"),
        (fm.GateState.STOPPED, "STOPPED"),
        (fm.GateState.REARMING, "RE-ARMING"),
        (fm.GateState.ARMED, "READY"),
    ):
        stopped = state == fm.GateState.STOPPED
        reason = "asked to stop by the service" if stopped else ""
        heard.historian.gate(fm.GateState(state=state, reason=reason, code=411 * stopped))
        told = standing(heard.log)
        assert told.word == word
        assert ("411: asked to stop by the service" in told.why) == stopped
