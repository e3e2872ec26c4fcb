"""What the executive needs of the world around it: a robot's graph, a simulation, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fmrl_robot.errors import ErrorCode
from fmrl_robot.planning import Question, SkillFacts
from fmrl_robot.types import Image, Outcome, Plan, Scene, SubGoal, Success

Phase = Literal["proposing", "checking", "asking", "executing", "observing", "replanning"]


def _nothing_seen() -> Image | None:
    return None


def _nobody(_: Question) -> str | None:
    return None


def _no_verdict(_: SubGoal) -> Success:
    return Success.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """The ways out of the executive; each may block, none raises but FmrlError."""

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
    picture: Callable[[], Image | None] = _nothing_seen
    """What a camera sees, RGB; None where there is none."""
    ask: Callable[[Question], str | None] = _nobody
    """A person's answer; None where nobody answers."""
    verdict: Callable[[SubGoal], Success] = _no_verdict
    """What the reward model last said of a sub-goal that has just ended."""
    clock: Callable[[], float] = time.monotonic
    """Time in s by which steps and the task are measured; never goes back."""
    skills: Mapping[str, SkillFacts] = field(default_factory=dict[str, SkillFacts])
    """The robot's library by name."""
