"""Propose, check, execute, observe, replan: the loop that carries one instruction to its end.

It is plain blocking code over a handful of ports, so that it runs the same behind a ROS node, in a
test, and in a dry run that moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from fmrl_robot.errors import ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.plancheck import check, check_intent, understood
from fmrl_robot.protocols import Planner
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import Outcome, Plan, PlanStatus, Problem, Scene, SubGoal

Phase = Literal["proposing", "checking", "executing", "observing", "replanning"]

MAX_REPAIRS = 2
"""Times that a refused plan may be mended."""
MAX_REPLANS = 2
"""Times that a failed plan may be replaced."""

HOPELESS = frozenset(
    {
        ErrorCode.GATE_STOPPED,
        ErrorCode.ROBOT_FELL,
        ErrorCode.CONTROLLER_UNAVAILABLE,
        ErrorCode.OBSERVATION_STALE,
        ErrorCode.POLICY_MISSING,
        ErrorCode.POLICY_REFUSED,
        ErrorCode.TASK_CANCELLED,
        ErrorCode.TASK_TIMEOUT,
    }
)
"""After these another plan would meet the same end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """What the executive needs of the world around it."""

    scene: Callable[[], Scene | None]
    """A scene younger than the call, or None where none came in time."""
    execute: Callable[[SubGoal, int, int], Outcome]
    """Carry out a sub-goal, the nth of so many; returns when it ended."""
    announce: Callable[[Plan], None]
    """Publish a plan."""
    note: Callable[[Phase, str], None]
    """Tell whoever watches what is being done."""
    interrupted: Callable[[], ErrorCode | None]
    """TASK_CANCELLED or TASK_TIMEOUT once the task has to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How a task ended."""

    outcome: Outcome
    plan: Plan | None
    replans: int


class Executive:
    """One task at a time."""

    def __init__(self, planner: Planner, robot: RobotSpec, ports: Ports) -> None:
        self._planner, self._robot, self._ports = planner, robot, ports
        self._plan: Plan | None = None
        self._replans = 0
        self._began: Scene | None = None
        """What was seen when the task began."""
        self._done: list[SubGoal] = []

    def run(self, instruction: str, task_id: str) -> Ending:
        """Carry out an instruction; never raises FmrlError, the outcome says what went wrong."""
        self._forget()
        try:
            self._planner.reset(instruction, self._robot.name)
            outcome = self._pursue(instruction, task_id)
        except FmrlError as error:
            outcome = Outcome(success=False, error_code=int(error.code), message=str(error))
        return Ending(outcome=outcome, plan=self._plan, replans=self._replans)

    def propose(self, instruction: str, task_id: str = "") -> Ending:
        """Plan and check, and move nothing."""
        self._forget()
        try:
            self._planner.reset(instruction, self._robot.name)
            self._checked(instruction, task_id, self._look(), "")
            outcome = Outcome(success=True)
        except FmrlError as error:
            outcome = Outcome(success=False, error_code=int(error.code), message=str(error))
        return Ending(outcome=outcome, plan=self._plan, replans=0)

    def _forget(self) -> None:
        self._plan, self._replans, self._began, self._done = None, 0, None, []

    def _pursue(self, instruction: str, task_id: str) -> Outcome:
        feedback = ""
        while True:
            plan = self._checked(instruction, task_id, self._look(), feedback)
            outcome = self._carry_out(plan)
            if outcome.success or outcome.error_code in HOPELESS:
                return outcome
            if self._replans == MAX_REPLANS:
                return outcome
            self._replans += 1
            feedback = outcome.message
            self._ports.note("replanning", feedback)

    def _carry_out(self, plan: Plan) -> Outcome:
        count = len(plan.subgoals)
        for step, subgoal in enumerate(plan.subgoals):
            self._stop_if_interrupted()
            self._ports.note("executing", subgoal.text or subgoal.skill)
            outcome = self._ports.execute(subgoal, step, count)
            self._planner.observe(subgoal, outcome)
            if not outcome.success:
                where = f"step {step + 1} of {count} ({_named(subgoal)})"
                return replace(outcome, message=f"{where}: {outcome.message}")
            self._done.append(subgoal)
        return self._judge(plan)

    def _judge(self, plan: Plan) -> Outcome:
        """Believe in success only when what was wanted is seen."""
        if not plan.goal:
            return Outcome(success=True)
        self._ports.note("observing", "looking whether the goal is reached")
        facts = self._look().predicates
        missing = [str(g) for g in plan.goal if (g in facts) != g.value]
        if not missing:
            return Outcome(success=True)
        return Outcome(
            success=False,
            error_code=int(ErrorCode.GOAL_NOT_REACHED),
            message=f"all steps ended, but {', '.join(missing)} is not seen to hold",
        )

    def _checked(self, instruction: str, task_id: str, scene: Scene, feedback: str) -> Plan:
        """A plan that passed the check.

        Raises:
            Terminal: refused by the model, or still not executable after MAX_REPAIRS repairs.
        """
        why = Problem(code=int(ErrorCode.PLAN_SCHEMA), message="no plan")
        self._began = self._began or scene
        for attempt in range(MAX_REPAIRS + 1):
            self._stop_if_interrupted()
            self._ports.note("proposing", f"attempt {attempt + 1}" if attempt else instruction)
            try:
                plan = self._numbered(self._planner.propose(scene, feedback), task_id)
            except Retryable as error:
                why = Problem(code=int(error.code), message=str(error))
                plan = Plan(instruction=instruction, method="", task_id=task_id, problems=(why,))
            except Terminal as error:
                why = Problem(code=int(error.code), message=str(error))
                self._announce(Plan(instruction=instruction, method="", task_id=task_id), (why,))
                raise
            self._ports.note("checking", f"{len(plan.subgoals)} steps")
            problems = plan.problems or self._problems(plan, scene)
            if not plan.problems:
                plan = replace(plan, understood=understood(plan, scene, self._robot))
            self._announce(plan, problems)
            if not problems:
                self._ports.note("checking", f"understood: {plan.understood}")
                return self._plan or plan
            why = problems[0]
            feedback = "; ".join(p.message for p in problems)
        raise Terminal(
            f"no executable plan after {MAX_REPAIRS} repairs; the last was refused with "
            f"{why.code}: {why.message}",
            ErrorCode.REPAIRS_EXHAUSTED,
        )

    def _problems(self, plan: Plan, scene: Scene) -> tuple[Problem, ...]:
        """Why a plan cannot be carried out or, where it can, is not what was asked for."""
        return check(plan, scene, self._robot) or check_intent(
            plan, self._began or scene, self._robot, self._done
        )

    def _numbered(self, plan: Plan, task_id: str) -> Plan:
        """Ids that stay unique within the task, so that nobody takes a step for an earlier one."""
        if not self._replans:
            return replace(plan, task_id=task_id)
        steps = tuple(replace(s, id=f"{s.id}.{self._replans}") for s in plan.subgoals)
        return replace(plan, task_id=task_id, subgoals=steps)

    def _announce(self, plan: Plan, problems: tuple[Problem, ...]) -> None:
        status = PlanStatus.REFUSED if problems else PlanStatus.VALID
        self._plan = replace(plan, status=status, problems=problems)
        self._ports.announce(self._plan)

    def _look(self) -> Scene:
        scene = self._ports.scene()
        if scene is None:
            self._stop_if_interrupted()
            raise Terminal(
                "expected a scene to plan with, got none; is scene_node up and does it see?",
                ErrorCode.SCENE_UNAVAILABLE,
            )
        return scene

    def _stop_if_interrupted(self) -> None:
        code = self._ports.interrupted()
        if code is not None:
            words = {ErrorCode.TASK_CANCELLED: "cancelled", ErrorCode.TASK_TIMEOUT: "timed out"}
            raise Terminal(f"the task was {words.get(code, 'interrupted')}", code)


def _named(subgoal: SubGoal) -> str:
    if subgoal.skill:
        return f"{subgoal.skill} {subgoal.target}".strip()
    return subgoal.text or subgoal.kind.name.lower().replace("_", " ")
