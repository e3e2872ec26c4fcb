"""Takes instructions: runs the chosen method and the executive, one task at a time.

The executive blocks (on models, on sub-goals), so it lives in a worker thread; this node's executor
only passes messages and never waits. A stop ends the task under way, whatever it is at, so that
nothing but a new task moves a robot that was re-armed; while the robot is stopped none is taken.
"""

from __future__ import annotations

import os
import random
import sys
import time
from concurrent.futures import Future as ThreadFuture
from pathlib import Path
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.task import Future

from fmrl_msgs import msg as fm
from fmrl_msgs.action import AskHuman, ExecuteSubGoal, ExecuteTask
from fmrl_nodes import conversions, qos
from fmrl_nodes.errand import Errand
from fmrl_nodes.lifecycle import Diagnosis, FmrlNode, run
from fmrl_nodes.senses import Senses
from fmrl_nodes.worker import Worker
from fmrl_robot.errors import ErrorCode, FmrlError, Terminal
from fmrl_robot.fm import Budget, guarded, load_language_model
from fmrl_robot.planning import Question
from fmrl_robot.protocols import Planner
from fmrl_robot.registry import METHODS
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.runtime.budgets import Budgets
from fmrl_robot.runtime.executive import Ending, Executive, Phase, Ports
from fmrl_robot.runtime.feedback import channels_for
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.safety import State, stop_words
from fmrl_robot.skills.known import skill_facts
from fmrl_robot.types import Outcome, Plan, Scene, SubGoal

HOME_METHODS = {"arm": "psl", "quadruped": "saytap"}
"""The method for a kind of robot where none is named."""

SCENE_PATIENCE_S, SCENE_PATIENCE_WALL_S = 3.0, 20.0
"""How long a scene younger than the question is awaited: by the node's clock, which a slow
simulation slows too, and by the wall, where that clock stands still."""
ANSWER_PATIENCE_S = 2.0
"""How long the controller may take to accept, or to end after a cancellation or a stop, by the
wall."""
_POLL_S = 0.02


class PlannerNode(FmrlNode):
    """Action server ``execute_task``, client of ``execute_subgoal`` and ``ask_human``."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("planner_node", **node_arguments)
        self._spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        method: str = self.declare("method", "", "planning method; empty: the one for the robot")
        self._method = method or HOME_METHODS[self._spec.kind]
        self._model: str = self.declare("language_model", "embedded", "back end, as fm names it")
        self._cache: str = self.declare(
            "fm_cache", "", "folder of answers that models gave already; empty: none is kept"
        )
        self._budget: str = self.declare(
            "fm_budget", "", "what models may cost: calls=,tokens=,seconds=,usd=; empty: anything"
        )
        self._seed: int = self.declare("seed", 0, "seed of sampling", low=0, high=2**62)
        self._temperature: float = self.declare(
            "temperature", 0.0, "of a first answer", low=0.0, high=2.0
        )
        self._trigger: str = self.declare(
            "trigger", "", "when the planner is asked again; empty: as its method has it"
        )
        self._feedback: str = self.declare(
            "feedback", "", "what it hears of steps, or none; empty: as its method has it"
        )
        self._task_budget: str = self.declare(
            "task_budget", "", "proposals=,repairs=,steps=,questions=,seconds=; empty: enough"
        )
        self._choice: str = self.declare(
            "choice", "likeliest", "of a weighted set of plans", choices=("likeliest", "drawn")
        )
        self._camera: str = self.declare("camera", "", "what the planner sees; empty: nothing")
        self._question_s: float = self.declare(
            "question_timeout_s", 60.0, "how long a person may take to answer", low=1.0, high=3600.0
        )
        self._planners: dict[str, Planner] = {}
        self._guarded: Any = None
        self._sent_s = 0.0
        """When the sub-goal under way was sent."""
        self._gate_stopped_s: float | None = None
        self._stop = ""
        self._goal: Any = None
        self._task = ""
        self._deadline_s: float | None = None
        self._progress = (0, 0, "")
        self._phase = "idle"

    # --- lifecycle --------------------------------------------------------------------------------

    def configure(self) -> None:
        """Load the method and its model, open the doors."""
        self._settings(self._planner(self._method))
        self._worker = Worker(self, "executive")
        self._plan_pub = self.create_publisher(fm.Plan, "plan", qos.LATCHED)
        self._subgoal_pub = self.create_publisher(fm.SubGoal, "subgoal", qos.SUBGOAL)
        self._usage_pub = self.create_publisher(fm.FMUsage, "fm_usage", qos.EVENT)
        self._senses = Senses(self, self._camera)
        self.create_subscription(fm.GateState, "gate_state", self._on_gate, qos.EVENT)
        self._controller = Errand(self, ExecuteSubGoal, "execute_subgoal")
        self._person = Errand(self, AskHuman, "ask_human")
        self._server = ActionServer(
            self,
            ExecuteTask,
            "execute_task",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def close(self) -> None:
        """End the worker, and what it may be waiting for."""
        if hasattr(self, "_worker"):
            self._deadline_s = 0.0
            self._worker.close()
        if hasattr(self._guarded, "close"):
            self._guarded.close()

    def diagnose(self) -> Diagnosis:
        """Report method, model and what is being done."""
        return Diagnosis(
            message=self._phase,
            values={"method": self._method, "model": self._model, "task": self._task},
        )

    def _planner(self, method: str) -> Planner:
        if method not in self._planners:
            self._planners[method] = METHODS.load(method)(
                model=self._language_model(), temperature=self._temperature, seed=self._seed
            )
        return self._planners[method]

    def _settings(self, planner: Planner) -> dict[str, Any]:
        """How the executive is to treat a planner, as the parameters and its card have it.

        Raises:
            ConfigError: a parameter names what there is not.
        """
        return {
            "trigger": trigger_for(planner, self._trigger),
            "feedback": channels_for(planner, self._feedback),
            "budgets": Budgets.parse(self._task_budget),
            "draw": random.Random(self._seed) if self._choice == "drawn" else None,  # noqa: S311
        }

    def _language_model(self) -> Any:
        """The model of all methods, behind one cache and one budget for the life of this node."""
        if self._guarded is None:
            self._guarded = guarded(
                load_language_model(self._model),
                Path(self._cache) if self._cache else None,
                Budget.parse(self._budget) if self._budget else None,
            )
        return self._guarded

    # --- the task, in the executor's thread -------------------------------------------------------

    def _on_gate(self, message: fm.GateState) -> None:
        if conversions.gate_from_msg(message) is not State.STOPPED:
            self._gate_stopped_s = None
            return
        self._stop = stop_words(message.code, message.reason, message.lease_holder)
        if self._gate_stopped_s is None:
            self._gate_stopped_s = time.monotonic()

    def _on_goal(self, _: ExecuteTask.Goal) -> GoalResponse:
        return GoalResponse.ACCEPT if self.active else GoalResponse.REJECT

    async def _execute(self, goal: Any) -> ExecuteTask.Result:
        if self._goal is not None:
            goal.abort()
            return ExecuteTask.Result(
                error_code=int(ErrorCode.TASK_BUSY),
                error_msg=f"one task at a time: {self._task!r} is under way; cancel it first",
            )
        if self._gate_stopped_s is not None:
            goal.abort()
            return ExecuteTask.Result(error_code=int(ErrorCode.GATE_STOPPED), error_msg=self._stop)
        self._goal, self._task, self._stop = goal, goal.request.instruction[:80], ""
        timeout = goal.request.timeout_s
        self._deadline_s = time.monotonic() + timeout if timeout > 0 else None
        done: Future[Ending] = Future(executor=self.executor)
        self._worker.submit(
            self._carry_out, goal.request, bytes(goal.goal_id.uuid).hex(), done=_hand_over(done)
        )
        try:
            ending = await done
        finally:
            self._goal, self._task, self._phase = None, "", "idle"
        return self._result(goal, ending)

    def _result(self, goal: Any, ending: Ending) -> ExecuteTask.Result:
        outcome = ending.outcome
        self.get_logger().info(
            f"task={goal.request.instruction[:80]!r} success={outcome.success} "
            f"code={outcome.error_code} replans={ending.replans} {outcome.message}"
        )
        if outcome.success:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        result = ExecuteTask.Result(
            success=outcome.success,
            error_code=outcome.error_code,
            error_msg=outcome.message,
            replans=ending.replans,
        )
        if ending.plan is not None:
            result.plan = conversions.plan_to_msg(ending.plan, self._now_s())
        return result

    # --- the ports of the executive, in the worker's thread ---------------------------------------

    def _carry_out(self, request: ExecuteTask.Goal, task_id: str) -> Ending:
        try:
            planner = self._planner(request.method or self._method)
            settings = self._settings(planner)
        except FmrlError as error:
            outcome = Outcome(success=False, error_code=int(error.code), message=str(error))
            return Ending(outcome=outcome, plan=None, replans=0)
        ports = Ports(
            scene=self._fresh_scene,
            execute=self._execute_subgoal,
            announce=lambda plan: self._announce(planner, plan),
            note=self._note,
            interrupted=self._interrupted_or_stopped,
            picture=self._senses.picture,
            ask=self._ask,
            verdict=lambda subgoal: self._senses.verdict(subgoal, self._sent_s),
            clock=self._now_s,
            skills=skill_facts(self._spec),
        )
        ending = Executive(planner, self._spec, ports, **settings).run(request.instruction, task_id)
        self._tell_usage(planner)
        return ending

    def _interrupted(self) -> ErrorCode | None:
        goal = self._goal
        if goal is None or goal.is_cancel_requested:
            return ErrorCode.TASK_CANCELLED
        if not self.context.ok() or (
            self._deadline_s is not None and time.monotonic() > self._deadline_s
        ):
            return ErrorCode.TASK_TIMEOUT
        return None

    def _interrupted_or_stopped(self) -> ErrorCode | None:
        """The same, between sub-goals; one that is under way is ended by its controller.

        Raises:
            Terminal: GATE_STOPPED, a stop came since the task began, lifted meanwhile or not.
        """
        if self._stop:
            raise Terminal(self._stop, ErrorCode.GATE_STOPPED)
        return self._interrupted()

    def _fresh_scene(self) -> Scene | None:
        asked, asked_wall = self._now_s(), time.monotonic()
        while (
            self._now_s() - asked < SCENE_PATIENCE_S
            and time.monotonic() - asked_wall < SCENE_PATIENCE_WALL_S
            and self._interrupted_or_stopped() is None
        ):
            if (scene := self._senses.scene(asked_wall, asked)) is not None:
                return scene
            time.sleep(_POLL_S)
        return None

    def _ask(self, question: Question) -> str | None:
        began = time.monotonic()
        goal = AskHuman.Goal(
            question=question.text, options=list(question.choices), timeout_s=self._question_s
        )
        answer, why = self._person.run(
            goal,
            interrupted=self._must_end,
            patience_s=ANSWER_PATIENCE_S,
            lost=lambda _: time.monotonic() - began > self._question_s + ANSWER_PATIENCE_S,
        )
        if why:
            self.get_logger().warning(f"question={question.text[:80]!r} was not asked: {why}")
        return answer.answer if answer is not None and answer.answered else None

    def _announce(self, planner: Planner, plan: Plan) -> None:
        self._tell_usage(planner)
        self._plan_pub.publish(conversions.plan_to_msg(plan, self._now_s()))

    def _tell_usage(self, planner: Planner) -> None:
        now = self._now_s()
        for usage in planner.usage():
            self._usage_pub.publish(
                conversions.usage_to_msg(usage, stamp_s=now, node=self.get_name())
            )

    def _note(self, phase: Phase, message: str) -> None:
        self._phase = f"{phase}: {message}"
        if phase == "executing":
            return  # the sub-goal's own feedback says it, with its number
        self._progress = (0, 0, "")
        self._feed(phase, message, 0.0)

    def _feed(self, phase: str, message: str, progress: float) -> None:
        goal = self._goal
        if goal is None or not self.context.ok():
            return
        step, steps, subgoal_id = self._progress
        goal.publish_feedback(
            ExecuteTask.Feedback(
                phase=phase,
                message=message,
                subgoal_id=subgoal_id,
                step=step,
                steps=steps,
                progress=progress,
            )
        )

    def _execute_subgoal(self, subgoal: SubGoal, step: int, steps: int) -> Outcome:
        self._progress = (step, steps, subgoal.id)
        self._feed("executing", subgoal.text or subgoal.skill, 0.0)
        self._sent_s = self._now_s()
        message = conversions.subgoal_to_msg(subgoal, self._sent_s)
        self._subgoal_pub.publish(message)
        result, why = self._controller.run(
            ExecuteSubGoal.Goal(subgoal=message),
            on_feedback=lambda m: self._feed("executing", subgoal.text, m.feedback.progress),
            interrupted=lambda: self._interrupted() is not None,
            patience_s=ANSWER_PATIENCE_S,
            lost=self._stopped_and_silent,
        )
        if result is None:
            return _failure(ErrorCode.CONTROLLER_UNAVAILABLE, f"no answer of the controller: {why}")
        return Outcome(
            success=result.outcome == ExecuteSubGoal.Result.SUCCEEDED,
            error_code=result.error_code,
            message=result.error_msg,
        )

    def _stopped_and_silent(self, began: float) -> bool:
        """Whether the robot was stopped, and the controller did not end its sub-goal for it.

        A living controller does. The middleware takes twenty seconds to notice a dead one, and
        never notices one that hangs.
        """
        stopped = self._gate_stopped_s
        return stopped is not None and time.monotonic() - max(stopped, began) > ANSWER_PATIENCE_S

    def _must_end(self) -> bool:
        """Whether the task has to end, for whatever reason."""
        return bool(self._stop) or self._interrupted() is not None

    def _now_s(self) -> float:
        return conversions.time_from_msg(self.get_clock().now().to_msg())


def _failure(code: ErrorCode, message: str) -> Outcome:
    return Outcome(success=False, error_code=int(code), message=message)


def _hand_over(target: Future[Ending]) -> Any:
    """Pass the worker's result on, or end the task with what went wrong."""

    def done(finished: ThreadFuture[Ending]) -> None:
        error = None if finished.cancelled() else finished.exception()
        if finished.cancelled() or error is not None:
            why = f"the executive ended: {error!r}"
            outcome = _failure(ErrorCode.CONFIG_INVALID, why)
            target.set_result(Ending(outcome=outcome, plan=None, replans=0))
        else:
            target.set_result(finished.result())

    return done


def main() -> int:
    """Be the process ``planner_node``."""
    # The machine is shared with a control loop; a planner that takes every core delays it.
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    return run(PlannerNode)


if __name__ == "__main__":
    sys.exit(main())
