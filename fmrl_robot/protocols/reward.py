"""What watches a robot and says how well it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from fmrl_robot.types import (
        BoolArray,
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


Sight = Literal["frame", "state", "caption", "summary", "truth"]
"""What a task can show of n worlds: ``frame``, RGB uint8 (n, views, height, width, 3); ``state``,
float32 (n, size); ``caption`` and ``summary``, a text a world (of now, of its episode so far);
``truth``, float32 (n, 1), how near the goal is, for oracles of ablations alone."""


class StepReward(Protocol):
    """Rewards steps in training: looks once, and scores what it saw again when it has changed.

    A class of the registry of rewards that can do so has ``in_training``, which builds one from
    the settings of a recipe. One that changes by what it sees also offers ``learn(seen, done)``
    (vectors (steps, n, dim), ends bool (steps, n); returns curves by name), ``state_dict`` and
    ``load_state_dict``.
    """

    sees: tuple[Sight, ...]
    of: Literal["step", "pair", "episode"]
    """A step is scored by what it led to; a pair by that and what was before; an episode once, at
    its end."""

    @property
    def version(self) -> str:
        """Of formula, settings, model and what was learned: another version gives other scores."""
        ...

    def embed(self, shown: Mapping[Sight, Any]) -> FloatBatch:
        """What is to be remembered of n worlds, shape (n, dim)."""
        ...

    def score_steps(
        self, seen: FloatBatch, before: FloatBatch | None
    ) -> tuple[FloatBatch, BoolArray]:
        """Values (n,) of what was seen (n, dim), and of which anything is known at all.

        ``before`` is None but for pairs.
        """
        ...
