"""What a skill has to say about itself before a plan may contain it.

A skill is symbolic, and all of it is data: what it may be aimed at, what must hold before, what
begins and what ceases to hold. How a robot carries it out is said elsewhere
(fmrl_robot/control/arm_skill.py), so that plans can be made and checked where no robot is.

Facts are written as text, ``on(Target, Any)``. A word with a capital is a variable: ``Target`` is
what the skill is aimed at, ``Held`` what the hand holds, ``Robot`` who acts, ``Here`` where that
one is, ``Any`` anything at all, and every other stands for one thing throughout a condition. Two
facts are only ever asked and never stored: ``is_a(Target, drawer)`` looks at a thing's category,
``rests(Held, Target)`` means ``in`` for a container and ``on`` for everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fmrl_robot.errors import ErrorCode, FmrlError, apart
from fmrl_robot.types import SubGoal


class Unmet(FmrlError):
    """A skill cannot be carried out in this symbolic state."""

    default_code = ErrorCode.PRECONDITION_UNMET


@dataclass(frozen=True, slots=True)
class Need:
    """A precondition."""

    fact: str
    """What has to hold, ``not`` before it for what must not."""
    says: str
    """What the skill needs and how to get it; ``{Held}`` and other variables are filled in."""
    given: tuple[str, ...] = ()
    """It is asked only where all of these hold."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A fact that begins or ceases to hold where all of ``given`` do."""

    fact: str
    given: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A number that a step may give to its skill."""

    name: str
    """With its unit, such as ``distance_m``."""
    lower: float
    upper: float
    default: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """A typed skill: an operator of the symbolic world."""

    targets: tuple[str, ...]
    """Categories of thing it may be aimed at."""
    needs: tuple[Need, ...] = ()
    """In the order in which they are told."""
    adds: tuple[str | Effect, ...] = ()
    deletes: tuple[str | Effect, ...] = ()
    """Facts that cease to hold, before those of ``adds`` begin to."""
    ends: str
    """The fact that ends it."""
    lapses: tuple[str | Effect, ...] = ()
    """What begins to hold instead where it fails, after ``deletes``; empty: nothing changes."""
    words: str
    """What it does, in words for a language model."""
    parameters: tuple[Parameter, ...] = ()
    brings: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Facts of its own that it brings about: name to caption, ``{0}`` being the first argument.

    No camera of this project sees them, so they end a step, but are no goal of a task."""
    thwarted: tuple[str, ...] = ()
    """Facts that nobody sees and at which it is tried in vain, such as ``locked(Target)``."""

    def values(self, subgoal: SubGoal) -> dict[str, float]:
        """Return the parameters of a step by name, the defaults filled in.

        Raises:
            ValueError: one is unknown, is no number or lies out of bounds; the message says which.
        """
        known = {p.name: p for p in self.parameters}
        found = {p.name: p.default for p in self.parameters}
        for name, text in subgoal.params:
            if name not in known:
                names = ", ".join(known) or "none"
                raise ValueError(f"expected parameters among {names}, got {name!r}")
            lower, upper = known[name].lower, known[name].upper
            try:
                found[name] = float(text)
            except ValueError:
                raise ValueError(f"expected a number for {name}, got {text!r}") from None
            # Written so that NaN is refused too.
            if not lower <= found[name] <= upper:
                _, least, most = apart(found[name], lower, upper)
                raise ValueError(f"expected {name} from {least} to {most}, got {text}")
        return found
