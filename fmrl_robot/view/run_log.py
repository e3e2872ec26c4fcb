"""What happened in a run, as the report and the page tell it.

Times are seconds of the graph's clock. The log is fed from topics and knows nothing of ROS. Topics
overtake each other, so whatever belongs to a task is filed by the task's id and not by what came
last: the end of a refused task may be heard after the next one's plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from fmrl_robot.errors import ErrorCode
from fmrl_robot.types import Plan, PlanStatus, RewardOut, SubGoal, Success, Usage
from fmrl_robot.view.words import describe

State = Literal["waiting", "running", "done", "failed", "cancelled", "refused"]

REFUSALS = frozenset(
    {
        ErrorCode.INSTRUCTION_EMPTY,
        ErrorCode.INSTRUCTION_TOO_LONG,
        ErrorCode.INSTRUCTION_REFUSED,
        ErrorCode.REPAIRS_EXHAUSTED,
        ErrorCode.METHOD_UNKNOWN,
        ErrorCode.TASK_BUSY,
    }
)
"""A task that ends with one of these before its first step was refused; with others it failed."""
MOST_FRAMES = 32
"""Pictures kept, a megabyte each: of more, every other one goes."""
_UNHEARD = "its end was never heard"


@dataclass(kw_only=True, slots=True)
class Step:
    """One execution of a sub-goal."""

    subgoal: SubGoal
    start_s: float
    end_s: float | None = None
    state: State = "running"
    replans: int = 0
    """How often the task had been planned anew before this step."""


@dataclass(kw_only=True, slots=True)
class Task:
    """One instruction and what became of it."""

    instruction: str
    method: str
    start_s: float
    task_id: str = ""
    end_s: float | None = None
    state: State = "running"
    reason: str = ""
    """Why it did not end well."""
    plans: list[Plan] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    replans: list[str] = field(default_factory=list)
    """Why each new plan was asked for."""
    facts: tuple[str, ...] = ()
    """Ground truth at the end, where a simulator tells it."""

    @property
    def refused(self) -> bool:
        """Whether its last plan was refused before anything moved."""
        return not self.steps and bool(self.plans) and self.plans[-1].status == PlanStatus.REFUSED


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of a task's course: a sub-goal, or with none a remark."""

    text: str
    state: State
    subgoal: SubGoal | None = None
    step: Step | None = None
    """Its execution; None of what has not begun."""


def course(task: Task) -> list[Row]:
    """Everything that was carried out, in its order and under every plan, and what lies ahead.

    A new plan knows nothing of the steps of the plan before it; a reader still wants to see them.
    """
    rows: list[Row] = []
    round_ = 0
    for step in task.steps:
        rows += _remarks(task, round_, step.replans)
        round_ = step.replans
        rows.append(
            Row(text=describe(step.subgoal), state=step.state, subgoal=step.subgoal, step=step)
        )
    rows += _remarks(task, round_, len(task.replans))
    plan = task.plans[-1] if task.plans else None
    if plan is None:
        return rows
    begun = {step.subgoal.id for step in task.steps}
    state: State = "refused" if plan.status == PlanStatus.REFUSED else "waiting"
    ahead = [s for s in plan.subgoals if s.id not in begun]
    return rows + [Row(text=describe(s), state=state, subgoal=s) for s in ahead]


def _remarks(task: Task, since: int, until: int) -> list[Row]:
    return [
        Row(text=f"planned anew: {why}" if why else "planned anew", state="waiting")
        for why in task.replans[since:until]
    ]


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
    gate_state: str = ""
    """disarmed, armed, stopped or re-arming; empty before the gate said anything."""
    gate_reason: str = ""
    unscored: bool = False
    """Whether the newest frame could not be scored."""
    phase: str = ""
    """What is being done for the task under way: proposing, checking, executing, observing."""
    notice: str = ""
    """What the person at the page has to be told, until the next task begins."""
    moves: bool = False
    """Whether the robot's joints have been heard."""
    commands_delay_s: list[float] = field(default_factory=list)
    """From observation to command, as the gate measured it."""

    @property
    def task(self) -> Task | None:
        """The task under way; where none is, the newest."""
        running = [t for t in self.tasks if t.state == "running"]
        return (running or self.tasks or [None])[-1]

    @property
    def step(self) -> Step | None:
        """The newest step of that task."""
        return self.task.steps[-1] if self.task and self.task.steps else None

    def find(self, task_id: str) -> Task | None:
        """The task of that id; where it is empty, the one under way."""
        if not task_id:
            return self.task if self.task is not None and self.task.state == "running" else None
        return next((t for t in reversed(self.tasks) if t.task_id == task_id), None)

    def note(self, time_s: float, kind: str, text: str) -> None:
        """Add a line, unless it repeats the last one."""
        event = Event(time_s=time_s, kind=kind, text=text)  # type: ignore[arg-type]
        last = self.events[-1] if self.events else None
        if last is None or (last.kind, last.text) != (event.kind, event.text):
            self.events.append(event)

    def begin_task(self, time_s: float, task_id: str, instruction: str = "") -> Task:
        """A task was heard of; what is known of it already stays."""
        task = self.find(task_id)
        if task is None:
            task = Task(instruction=instruction, method="", start_s=time_s, task_id=task_id)
            self.tasks.append(task)
            self.notice = ""
        task.instruction = task.instruction or instruction
        return task

    def add_plan(self, time_s: float, plan: Plan) -> None:
        """A plan was published: by the one who plans one task at a time."""
        task = self.begin_task(time_s, plan.task_id, plan.instruction)
        task.method = plan.method or task.method
        task.plans.append(plan)
        for other in self.tasks:
            if other is not task and other.state == "running":
                self._end(other, time_s, "refused" if other.refused else "failed")
                other.reason = other.reason or _problems(other) or _UNHEARD
        problems = "; ".join(f"{p.code} {p.message}" for p in plan.problems)
        self.note(
            time_s,
            "error" if problems else "plan",
            f"plan {plan.status.name.lower()}: {len(plan.subgoals)} sub-goals"
            + (f" ({problems})" if problems else ""),
        )

    def add_replan(self, time_s: float, task_id: str, why: str) -> None:
        """A task's plan came to nothing, and another one is asked for."""
        task = self.find(task_id)
        if task is not None:
            task.replans.append(why)
            self.note(time_s, "phase", f"replanning: {why}")

    def add_subgoal(self, time_s: float, subgoal: SubGoal) -> Step | None:
        """A sub-goal of the task under way began."""
        task = self.task
        if task is None or not subgoal.id:
            return None
        self.end_step(time_s, "done")
        step = Step(subgoal=subgoal, start_s=time_s, replans=len(task.replans))
        task.steps.append(step)
        self.note(time_s, "subgoal", describe(subgoal))
        if self.final_frame is not None:
            self.frames.append((time_s, self.final_frame))
            if len(self.frames) > MOST_FRAMES:
                self.frames = self.frames[::2]
        return step

    def end_step(self, time_s: float, state: State, step: Step | None = None) -> None:
        """A step, or the one under way, ended so; news of one that has ended sets it right."""
        heard = step is not None
        step = step or self.step
        if step is None or (step.end_s is not None and not heard):
            return
        step.end_s = time_s if step.end_s is None else step.end_s
        step.state = state

    def end_task(self, time_s: float, state: State, task_id: str = "") -> None:
        """A task, or with an empty id the one under way, ended so."""
        task = self.find(task_id)
        if task is None:
            return
        if state == "failed" and task.refused:
            state = "refused"
        if task.state == "running":
            self._end(task, time_s, state)
            task.reason = task.reason or (_problems(task) if state != "done" else "")
        elif task.state != state:
            task.state, task.reason = state, "" if task.reason == _UNHEARD else task.reason
        else:
            return
        self.note(time_s, "plan" if state == "done" else "error", f"task {state}")

    def explain(self, task_id: str, code: int, reason: str) -> None:
        """Say why a task ended as it did; ``code`` as in docs/errors.md."""
        task = self.find(task_id)
        if task is None or not code:
            return
        task.reason = f"{code}: {reason}"
        if task.state == "failed" and not task.steps and code in REFUSALS:
            task.state = "refused"
        self.note(task.end_s or task.start_s, "error", f"task {task.state}: {task.reason}")

    def _end(self, task: Task, time_s: float, state: State) -> None:
        if task.steps:
            last = task.steps[-1]
            if last.end_s is None:
                last.end_s, last.state = time_s, state
        task.end_s, task.state = time_s, state

    def add_reward(self, time_s: float, subgoal_id: str, reward: RewardOut) -> None:
        """A frame was scored; what was seen before a task's first step or after its end is not."""
        task = self.task
        if task is None or not task.steps:
            return
        if time_s < task.steps[0].start_s or (task.end_s is not None and time_s > task.end_s):
            return
        self.unscored = not reward.valid
        if self.unscored:
            return
        self.rewards.append(
            RewardPoint(
                time_s=time_s, value=reward.value, success=reward.success, subgoal_id=subgoal_id
            )
        )

    def scores(self, task: Task) -> list[RewardPoint]:
        """The rewards of one task."""
        end = math.inf if task.end_s is None else task.end_s
        return [r for r in self.rewards if task.start_s <= r.time_s <= end]


def _problems(task: Task) -> str:
    plan = task.plans[-1] if task.plans else None
    return "; ".join(f"{p.code}: {p.message}" for p in plan.problems) if plan else ""
