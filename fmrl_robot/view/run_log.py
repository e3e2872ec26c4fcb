"""What happened in a run, as the report and the page tell it.

Times are seconds of the graph's clock. The log is fed from topics and knows nothing of ROS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import Plan, RewardOut, SubGoal, Success, Usage

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(kw_only=True, slots=True)
class Step:
    """One execution of a sub-goal."""

    subgoal: SubGoal
    start_s: float
    end_s: float | None = None
    state: State = "running"


@dataclass(kw_only=True, slots=True)
class Task:
    """One instruction and what became of it."""

    instruction: str
    method: str
    start_s: float
    end_s: float | None = None
    state: State = "running"
    plans: list[Plan] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    facts: tuple[str, ...] = ()
    """Ground truth at the end, where a simulator tells it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A line of the timeline."""

    time_s: float
    kind: Literal["plan", "phase", "subgoal", "gate", "error", "human"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RewardPoint:
    """One score."""

    time_s: float
    value: float
    success: Success
    subgoal_id: str


@dataclass(kw_only=True)
class RunLog:
    """Everything the report needs."""

    robot: str
    title: str = ""
    """Name of the run folder."""
    tasks: list[Task] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rewards: list[RewardPoint] = field(default_factory=list)
    usages: list[tuple[str, Usage]] = field(default_factory=list)
    """With the node that asked."""
    final_frame: npt.NDArray[np.uint8] | None = None
    """RGB, shape (h, w, 3)."""
    frames: list[tuple[float, npt.NDArray[np.uint8]]] = field(default_factory=list)
    """A picture at the start of each step, and the time it was taken."""
    gate: dict[str, int] = field(default_factory=dict)
    """Counters of the gate: received, accepted, refused, stops."""
    losses: str = ""
    """What could not be written down, where anything was lost."""
    commands_delay_s: list[float] = field(default_factory=list)
    """From observation to command, as the gate measured it."""

    @property
    def task(self) -> Task | None:
        """The newest task."""
        return self.tasks[-1] if self.tasks else None

    @property
    def step(self) -> Step | None:
        """The newest step of the newest task."""
        return self.task.steps[-1] if self.task and self.task.steps else None

    def note(self, time_s: float, kind: str, text: str) -> None:
        """Add a line, unless it repeats the last one."""
        event = Event(time_s=time_s, kind=kind, text=text)  # type: ignore[arg-type]
        last = self.events[-1] if self.events else None
        if last is None or (last.kind, last.text) != (event.kind, event.text):
            self.events.append(event)

    def add_plan(self, time_s: float, plan: Plan) -> None:
        """A plan was published; another task id, or an ended task, begins a task."""
        task = self.task
        if (
            task is None
            or task.state != "running"
            or (task.plans and task.plans[-1].task_id != plan.task_id)
        ):
            task = Task(instruction=plan.instruction, method=plan.method, start_s=time_s)
            self.tasks.append(task)
        task.plans.append(plan)
        problems = "; ".join(f"{p.code} {p.message}" for p in plan.problems)
        self.note(
            time_s,
            "error" if problems else "plan",
            f"plan {plan.status.name.lower()}: {len(plan.subgoals)} sub-goals"
            + (f" ({problems})" if problems else ""),
        )

    def add_subgoal(self, time_s: float, subgoal: SubGoal) -> None:
        """A sub-goal began."""
        task = self.task
        if task is None or not subgoal.id:
            return
        self.end_step(time_s, "done")
        task.steps.append(Step(subgoal=subgoal, start_s=time_s))
        self.note(time_s, "subgoal", describe(subgoal))
        if self.final_frame is not None:
            self.frames.append((time_s, self.final_frame))

    def end_step(self, time_s: float, state: State) -> None:
        """The running step, if any, ended so."""
        step = self.step
        if step is not None and step.end_s is None:
            step.end_s, step.state = time_s, state

    def end_task(self, time_s: float, state: State) -> None:
        """The running task, if any, ended so."""
        task = self.task
        if task is None or task.state != "running":
            return
        self.end_step(time_s, state)
        task.end_s, task.state = time_s, state
        self.note(time_s, "plan" if state == "done" else "error", f"task {state}")

    def add_reward(self, time_s: float, subgoal_id: str, reward: RewardOut) -> None:
        """A frame was scored."""
        if reward.valid:
            self.rewards.append(
                RewardPoint(
                    time_s=time_s,
                    value=reward.value,
                    success=reward.success,
                    subgoal_id=subgoal_id,
                )
            )


def describe(subgoal: SubGoal) -> str:
    """A sub-goal in one short line."""
    if subgoal.pattern is not None:
        velocity = subgoal.velocity
        speed = f" at {velocity.vx:+.2f} m/s" if velocity else ""
        return f"{subgoal.text or 'contact pattern'}{speed} for {subgoal.duration_s:.0f} s"
    if subgoal.skill:
        until = f" until {subgoal.termination}" if subgoal.termination else ""
        return f"{subgoal.skill}({subgoal.target}){until}"
    return subgoal.text or subgoal.kind.name.lower()
