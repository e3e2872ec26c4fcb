"""The task under way: what was seen, done, said and used up since it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fmrl_robot.errors import ErrorCode, Terminal
from fmrl_robot.planning import Context, Feedback, Step
from fmrl_robot.runtime.budgets import Budgets, Ledger
from fmrl_robot.runtime.ports import Ports
from fmrl_robot.types import Outcome, Plan, PlanStatus, Problem, Scene, SubGoal

_INTERRUPTIONS = {ErrorCode.TASK_CANCELLED: "cancelled", ErrorCode.TASK_TIMEOUT: "timed out"}


class Task:
    """Everything that is known of one task; the executive and the proposing share it."""

    def __init__(self, instruction: str, task_id: str, ports: Ports, budgets: Budgets) -> None:
        self.instruction = " ".join(instruction.split())
        self.task_id = task_id
        self.ledger = Ledger(budgets, ports.clock())
        self.plan: Plan | None = None
        """The newest that was announced."""
        self.plans = 0
        """How many were taken up."""
        self.replans = 0
        """How often one was replaced because something had failed."""
        self.began: Scene | None = None
        """What was seen when the task began."""
        self.history: list[Step] = []
        self.ended: Outcome | None = None
        self._ports = ports
        self._feedback: list[Feedback] = []
        self._told = 0
        self._seen: Scene | None = None
        self._looked = False

    @property
    def done(self) -> list[SubGoal]:
        """The sub-goals that were carried out and did not fail."""
        return [s.subgoal for s in self.history if s.outcome.success]

    # --- seeing -----------------------------------------------------------------------------------

    def glance(self) -> Scene | None:
        """What is seen, None where nothing comes; looks once until something changes."""
        if not self._looked:
            self._seen, self._looked = self._ports.scene(), True
            self.began = self.began or self._seen
        return self._seen

    def look(self) -> Scene:
        """What is seen.

        Raises:
            Terminal: SCENE_UNAVAILABLE, or the task has to end.
        """
        scene = self.glance()
        if scene is None:
            self._looked = False
            self.stop_if_interrupted()
            raise Terminal(
                "expected a scene to plan with, got none; is scene_node up and does it see?",
                ErrorCode.SCENE_UNAVAILABLE,
            )
        return scene

    def look_again(self) -> None:
        """Forget what was seen: something was done, or time has passed."""
        self._looked = False

    # --- telling ----------------------------------------------------------------------------------

    def hear(self, feedback: Feedback) -> None:
        """Keep something that the planner is to be told."""
        self._feedback.append(feedback)

    def context(self, remaining: Sequence[SubGoal] = ()) -> Context:
        """What planner and trigger may know now."""
        return Context(
            look=self.look,
            picture=self._ports.picture,
            history=tuple(self.history),
            ended=self.ended,
            remaining=tuple(remaining),
            feedback=tuple(self._feedback),
            told=self._told,
            plans=self.plans,
            skills=self._ports.skills,
        )

    def told(self) -> None:
        """The planner was asked: what was heard so far is no news any more."""
        self._told = len(self._feedback)

    def announce(self, plan: Plan, problems: tuple[Problem, ...] = ()) -> Plan:
        """Publish a plan as valid, or as refused; return it as it was published."""
        status = PlanStatus.REFUSED if problems else PlanStatus.VALID
        self.plan = replace(plan, task_id=self.task_id, status=status, problems=problems)
        self._ports.announce(self.plan)
        return self.plan

    # --- ending -----------------------------------------------------------------------------------

    def stop_if_interrupted(self) -> None:
        """Go on only where nobody and no limit of time ends the task.

        Raises:
            Terminal: TASK_CANCELLED or TASK_TIMEOUT, or what the port raises.
        """
        code = self._ports.interrupted()
        if code is not None:
            raise Terminal(f"the task was {_INTERRUPTIONS.get(code, 'interrupted')}", code)
        self.ledger.check_time(self._ports.clock())
