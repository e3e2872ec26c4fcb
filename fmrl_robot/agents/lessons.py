"""Trials of a task, and who writes lessons of those that failed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fmrl_robot.types import SkillView


@dataclass(slots=True)
class Attempt:
    """A trial in one world."""

    world: int
    instruction: str
    first: SkillView
    """What was seen at its beginning."""
    plan: list[str] = field(default_factory=list[str])
    """Phrases that are still to be chosen."""
    done: list[str] = field(default_factory=list[str])
    """Phrases that were chosen."""
    failed: str = ""
    """The phrase that failed, if one did."""
    over: bool = False
    won: bool = False


Reflector = Callable[[Attempt, Sequence[str]], str]
"""From a trial that failed and the lessons so far to the next: what to do first, in words."""
REMEDIES = ("press the button", "open the drawer", "close the drawer",
            "put the yellow cube in the bin")  # fmt: skip
"""What may be lacking on the project's table."""


def by_exclusion(attempt: Attempt, lessons: Sequence[str]) -> str:
    """Reflect as somebody who knows what may be lacking, and not what is: try what was not yet."""
    order = random.Random(f"{attempt.world} {attempt.instruction}")  # noqa: S311
    remedies = order.sample(REMEDIES, len(REMEDIES))
    return next((r for r in remedies if r not in lessons), remedies[0])
