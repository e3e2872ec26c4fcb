"""What a skill has to say about itself before a plan may contain it.

A skill is symbolic: what it may be aimed at, what must hold before and what holds after. How a
robot carries it out is said elsewhere (fmrl_robot/control/arm_skill.py), so that plans can be made
and checked where no robot is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fmrl_robot.errors import ErrorCode, FmrlError, apart
from fmrl_robot.types import Predicate, SubGoal

if TYPE_CHECKING:
    from fmrl_robot.skills.operators import World


class Unmet(FmrlError):
    """A skill cannot be carried out in this symbolic state."""

    default_code = ErrorCode.PRECONDITION_UNMET


def need(condition: bool, message: str) -> None:
    """Raise Unmet with ``message`` unless the precondition holds."""
    if not condition:
        raise Unmet(message)


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
    """A typed skill."""

    targets: tuple[str, ...]
    """Categories of thing it may be aimed at."""
    apply: Callable[[World, str], None]
    """Change the world as the skill does, or raise Unmet and leave it as it was."""
    ends: Callable[[World, str], Predicate]
    """The fact that ends it, asked of the world before it."""
    words: str
    """What it does, in words for a language model."""
    parameters: tuple[Parameter, ...] = ()
    brings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Facts of its own that it brings about: name to caption, ``{0}`` being the first argument.

    No camera of this project sees them, so they end a step, but are no goal of a task."""

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
