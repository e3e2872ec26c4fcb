"""What watches a robot and says how well it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fmrl_robot.types import (
        FloatBatch,
        Image,
        RewardOut,
        Scene,
        SubGoal,
    )


class RewardModel(Protocol):
    """Scores camera frames against a sub-goal."""

    def reset(self, subgoal: SubGoal) -> None:
        """Begin scoring against another sub-goal."""
        ...

    def score(self, images: Sequence[Image], scene: Scene | None = None) -> list[RewardOut]:
        """One score an image; RGB uint8, shape (height, width, 3)."""
        ...


class EmbeddingReward(RewardModel, Protocol):
    """A RewardModel that looks once at a frame, and then scores what it saw against any goal.

    Camera, recording and replay buffer go through the same two steps; ``score`` is one after the
    other.
    """

    def embed(self, images: Sequence[Image]) -> FloatBatch:
        """RGB uint8 (height, width, 3) each; shape (images, dim)."""
        ...

    def score_embedded(self, vectors: FloatBatch) -> list[RewardOut]:
        """Frames in order of time, shape (frames, dim)."""
        ...
