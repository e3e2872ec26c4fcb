"""A task of a world of skills, and the splits by which tasks are kept apart."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from zlib import crc32

from fmrl_robot.skills.world import World
from fmrl_robot.types import Predicate

Split = Literal["seen", "objects", "phrases", "combinations", "longer"]
"""Tasks of training; with other things, in other words, of held-out pairs, of several parts."""
SPLITS: tuple[Split, ...] = get_args(Split)
HELD_OUT = 4
"""One pair of things in this many is kept out of training."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What is asked for, in which state."""

    instruction: str
    start: World
    goals: tuple[tuple[Predicate, ...], ...]
    """Any one of these suffices; each is a list of facts that all hold."""
    family: str
    split: Split

    def reached(self, world: World) -> bool:
        """Whether the task is done."""
        return any(all(map(world.holds, goal)) for goal in self.goals)


TaskSource = Callable[[random.Random, Split], Task]


def wording(split: Split) -> str:
    """How the choices of a split are said."""
    return "other" if split == "phrases" else "seen"


def is_held_out(*names: str) -> bool:
    """Whether a combination of things belongs to no task of training."""
    return crc32(" ".join(names).encode()) % HELD_OUT == 0


def allowed(first: str, second: str, split: Split) -> bool:
    """Whether two things are different and a split may have them together."""
    if first == second:
        return False
    return split == "objects" or is_held_out(first, second) == (split == "combinations")


def pair(
    rng: random.Random, first: Sequence[str], second: Sequence[str], split: Split
) -> tuple[str, str]:
    """Draw two different things whose combination the split may have.

    Raises:
        ValueError: there is none.
    """
    fitting = [(a, b) for a in first for b in second if allowed(a, b, split)]
    if not fitting:
        raise ValueError(f"expected a pair for {split} among {first!r} and {second!r}, got none")
    return rng.choice(fitting)
