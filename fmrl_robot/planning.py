"""What the executive and a planner say to each other: a context one way, a proposal the other.

A planner may give whole plans, or a step at a time, or ask a person; the executive carries out,
watches, and tells it. Everything a planner can know of the task under way is in its context, so
that a planner need keep nothing but what it learns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fmrl_robot.types import Image, Outcome, Plan, Predicate, Scene, SubGoal, Success

# --- what a planner proposes ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Something that a person has to answer before it goes on."""

    text: str
    choices: tuple[str, ...] = ()
    """Suggested answers; empty: free text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The planner believes that all of the task is done; the executive looks whether it is."""

    goal: tuple[Predicate, ...] = ()
    """What is to be seen then; empty: what the steps that were carried out brought about."""
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """The planner knows of nothing that would still help; the task ends with its reason."""

    message: str


Proposal = Plan | Question | Done | GiveUp

# --- what a planner is told -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A sub-goal that was carried out."""

    subgoal: SubGoal
    outcome: Outcome
    """As the controller told it."""
    seconds: float = 0.0
    """How long it took, by the clock of whatever carried it out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """Something that was found out about a proposal or a step."""

    channel: str
    """Who says it: ``check`` (a proposal was refused), ``outcome`` (a step, or a plan as a whole,
    failed), or one of those that can be switched: success, reward, scene, objects, progress,
    person."""
    text: str
    mark: Success | None = None
    """The verdict in it, for programs; None where it judges nothing."""
    about: str = ""
    """Id of the sub-goal, or the question that was answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillFacts:
    """What is known of a skill of the robot's library."""

    words: str
    """What it does, for a language model."""
    targets: tuple[str, ...] = ()
    """Categories of thing it may be aimed at."""
    chance: float | None = None
    """Of success where its preconditions hold, 0 to 1; None: nobody measured it."""
    seconds: float | None = None
    """How long it takes; None: nobody measured it."""


def _no_picture() -> Image | None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a planner, or a trigger, may know when it decides."""

    look: Callable[[], Scene]
    """What is seen; looks when it is first called, once for one context.

    Raises Terminal(SCENE_UNAVAILABLE) where nothing comes."""
    picture: Callable[[], Image | None] = _no_picture
    """What a camera sees, RGB; None where there is none."""
    history: tuple[Step, ...] = ()
    """Everything that was carried out in this task, failed steps too, in order."""
    ended: Outcome | None = None
    """How the last step ended or, once it ran out, the plan as a whole; None: nothing ran since the
    task began."""
    remaining: tuple[SubGoal, ...] = ()
    """What is left to do of the plan under way."""
    feedback: tuple[Feedback, ...] = ()
    """All that was found out in this task, in order."""
    told: int = 0
    """So many of ``feedback`` were there when the planner was last asked."""
    plans: int = 0
    """How many plans were taken up in this task."""
    skills: Mapping[str, SkillFacts] = field(default_factory=dict[str, SkillFacts])
    """The robot's library by name."""

    @classmethod
    def of(cls, scene: Scene, *feedback: Feedback) -> Context:
        """That of a task which begins in a scene, with what was found out already."""
        return cls(look=lambda: scene, feedback=feedback)

    @property
    def scene(self) -> Scene:
        """What is seen."""
        return self.look()

    @property
    def news(self) -> tuple[Feedback, ...]:
        """What was found out since the planner was last asked."""
        return self.feedback[self.told :]

    @property
    def complaint(self) -> str:
        """What was last found wrong since the planner was asked; empty: nothing."""
        wrong = [f.text for f in self.news if f.mark is Success.NO]
        return wrong[-1] if wrong else ""

    @property
    def failed(self) -> bool:
        """Whether the last step or plan failed, or a detector has seen since that a step did."""
        return bool(self.complaint) or (self.ended is not None and not self.ended.success)
