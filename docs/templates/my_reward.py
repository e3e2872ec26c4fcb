"""A reward from outside, to start from: how still the robot's state is, told in one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from fmrl_robot.protocols.reward import Sight
    from fmrl_robot.types import BoolArray, FloatBatch


class Stillness:
    """A StepReward of pairs: nought where nothing has moved, below it where something has."""

    sees: tuple[Sight, ...] = ("state",)
    of: Literal["pair"] = "pair"

    def __init__(self, scale: float = 1.0) -> None:
        """Build it; ``scale`` divides what has changed."""
        self._scale = scale

    @property
    def version(self) -> str:
        """Of formula and settings."""
        return f"stillness 1 scale={self._scale:g}"

    def embed(self, shown: Mapping[Sight, Any]) -> FloatBatch:
        """The state as it is."""
        return shown["state"].astype(np.float32)

    def score_steps(
        self, seen: FloatBatch, before: FloatBatch | None
    ) -> tuple[FloatBatch, BoolArray]:
        """How far the state has moved since before; always known."""
        moved = np.linalg.norm(seen - (seen if before is None else before), axis=1)
        return -moved / self._scale, np.ones(len(seen), np.bool_)


class MyReward:
    """What the registry names, ``my_reward = "my_package.my_reward:MyReward"``."""

    in_training = Stillness
