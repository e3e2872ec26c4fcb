"""What chooses among the phrases of worlds of skills, and gets better by what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep


@runtime_checkable
class Agent(Protocol):
    """Acts in many worlds of skills at once, each with an instruction of its own.

    Who plays drives: ``begin`` once, then ``act``, a step of the worlds and ``observe`` in turn,
    and ``update`` whenever it is to learn. A world that ends begins anew by itself, as SkillEnv
    has it.
    """

    def begin(self, now: SkillStep) -> None:
        """Face worlds at their beginning: others, or those of the last time tried again.

        What was learned stays; what was done and not learned from yet is forgotten.
        """
        ...

    def act(self, now: SkillStep, *, greedy: bool = False) -> Sequence[int]:
        """Choose the number of an admissible phrase in each world.

        Args:
            now: what is seen.
            greedy: do what is thought best, and learn nothing from it.
        """
        ...

    def observe(self, now: SkillStep) -> None:
        """Hear what came of the last choices."""
        ...

    def update(self) -> dict[str, float]:
        """Learn from what was done since the last call; return curves."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that it has learned, and its chance; worlds keep their own."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called; of the same model and settings."""
        ...
