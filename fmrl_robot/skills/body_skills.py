"""Skills of a whole body, a quadruped's: no fact of a scene ends them.

How they are carried out is said in fmrl_robot/control/quadruped.py. A step names the skill and
gives numbers by name as text, as every step does; what it may be aimed at are things on the floor,
and ``start``: where the step began whose id its parameter ``since`` names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fmrl_robot.errors import apart
from fmrl_robot.types import SubGoal

START, SINCE = "start", "since"
"""The place to which a robot may come back, and the parameter that says where that is."""
FLOOR_THINGS = ("marker",)
"""Categories of what a robot can go to, around, and turn to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """A number that a step gives to its skill."""

    lower: float
    upper: float
    least: float
    """So near to 0 it means nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BodySkill:
    """A skill that a step of kind SKILL names."""

    words: str
    """What it does, in words for a language model."""
    said: str
    """The same as a plan is read back."""
    moves: bool = False
    """Whether a step without an amount gives a velocity, and a duration for which to keep it."""
    aims: tuple[str, ...] = ()
    """Categories of thing it is aimed at, ``start`` among them; empty: none."""
    amounts: Mapping[str, Amount] | None = None
    """Numbers that it takes instead of a target, or of a velocity."""

    def amount(self, subgoal: SubGoal, name: str) -> float:
        """Return a number of a step; 0 where it gives none.

        Raises:
            ValueError: it is no number, or out of bounds; the message says which.
        """
        text = dict(subgoal.params).get(name)
        bounds = (self.amounts or {})[name]
        if text is None:
            return 0.0
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"expected a number for {name}, got {text!r}") from None
        # Written so that NaN is refused too.
        if not bounds.lower <= value <= bounds.upper:
            _, least, most = apart(value, bounds.lower, bounds.upper)
            raise ValueError(f"expected {name} from {least} to {most}, got {text}")
        return value if abs(value) >= bounds.least else 0.0

    def measured(self, subgoal: SubGoal) -> bool:
        """Whether a step says how much, by any number that means something.

        Raises:
            ValueError: see ``amount``.
        """
        return any([self.amount(subgoal, name) for name in self.amounts or {}])


_WAY = Amount(lower=-20.0, upper=20.0, least=0.05)
FORWARD, LEFT, ANGLE = "forward_m", "left_m", "angle_deg"

BODY_SKILLS: Mapping[str, BodySkill] = {
    "walk": BodySkill(
        words="walk at a velocity, gait chosen by itself, or straight for a distance",
        said="walk",
        moves=True,
        amounts={FORWARD: _WAY, LEFT: _WAY},
    ),
    "go_to": BodySkill(
        words="go to a thing, around what is in the way, and stop before it; or back to the start",
        said="go to",
        aims=(*FLOOR_THINGS, START),
    ),
    "go_around": BodySkill(
        words="go once around a thing, and end where that began", said="go around",
        aims=FLOOR_THINGS,
    ),
    "turn": BodySkill(
        words="turn on the spot by an angle, or until it faces a thing",
        said="turn",
        aims=FLOOR_THINGS,
        amounts={ANGLE: Amount(lower=-720.0, upper=720.0, least=1.0)},
    ),
    "sit": BodySkill(words="sit down on the haunches", said="sit down"),
    "stand_up": BodySkill(words="stand up from wherever it is", said="stand up"),
}  # fmt: skip
"""A quadruped's, by name."""


def angle_rad(subgoal: SubGoal) -> float:
    """By how much a step turns, counter-clockwise; 0: it says no angle. Raises ValueError."""
    return math.radians(BODY_SKILLS["turn"].amount(subgoal, ANGLE))


def way_m(subgoal: SubGoal) -> tuple[float, float]:
    """How far a step walks forward and to the left; zeros: it says no way. Raises ValueError."""
    walk = BODY_SKILLS["walk"]
    return walk.amount(subgoal, FORWARD), walk.amount(subgoal, LEFT)
