"""Similarity of what a frame shows to a sentence, for one frame as for all that a replay keeps.

The goal-baseline regularised reward of VLM-RM (equation 4), over any number of cameras: a single
one can be deceived by what stands in its line of sight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import VISION_MODELS

if TYPE_CHECKING:
    from fmrl_robot.protocols.reward import Sight
    from fmrl_robot.types import BoolArray, FloatBatch

CHUNK = 256
"""Frames that are looked at in one batch."""


def load(name: str) -> Any:
    """Load a vision model by ``<back end>`` or ``<back end>:<what>``."""
    back_end, _, rest = name.partition(":")
    return _loaded(VISION_MODELS.load(back_end), rest)


@cache
def _loaded(loader: Callable[..., Any], what: str) -> Any:
    """A process needs one copy of a model: it keeps nothing but what texts it has embedded."""
    return loader(what) if what else loader()


def reward(seen: np.ndarray, goal: np.ndarray, baseline: np.ndarray, alpha: float) -> np.ndarray:
    """The paper's reward of what was seen, (..., dim); goal and baseline are unit vectors (dim,).

    Returns:
        shape (...), at most 1.
    """
    direction = goal - baseline
    length = float(direction @ direction)
    along = (seen - baseline) @ direction / length if length > 1e-12 else np.zeros(seen.shape[:-1])
    projected = baseline + along[..., None] * direction
    mixed = alpha * projected + (1 - alpha) * seen
    return 1.0 - 0.5 * np.sum((mixed - goal) ** 2, axis=-1)


def look(model: Any, frames: np.ndarray) -> FloatBatch:
    """Unit vectors of frames, uint8 (n, views, height, width, 3), side by side (n, views * dim)."""
    flat = frames.reshape(-1, *frames.shape[2:])
    parts = [model.embed_images(list(flat[at : at + CHUNK])) for at in range(0, len(flat), CHUNK)]
    return np.concatenate(parts).reshape(len(frames), -1)


def taught(model: Any, goal: str) -> None:
    """Refuse a goal that a model of limited vocabulary knows nothing of.

    Raises:
        ConfigError: it does not.
    """
    if not getattr(model, "knows", lambda _: True)(goal):
        raise ConfigError(
            f"expected a goal that {model.model_id} was taught, got {goal!r}; see its "
            "vocabulary.json, or name another vision_model",
            ErrorCode.CAPABILITY_MISSING,
        )


class Similarity:
    """A StepReward: VLM-RM's score of what a step led to."""

    sees: tuple[Sight, ...] = ("frame",)
    of: Literal["step"] = "step"

    def __init__(
        self,
        model: Any,
        goal: str,
        baseline: str,
        *,
        alpha: float = 0.0,
        views: Literal["mean", "least"] = "mean",
    ) -> None:
        """Embed the texts.

        Args:
            model: embeds texts and images.
            goal: what shall be seen.
            baseline: a sentence true of every frame.
            alpha: strength of the projection, 0 to 1.
            views: what several cameras come to.

        Raises:
            ConfigError: the model was never taught the goal.
        """
        taught(model, goal)
        self._model, self._alpha, self._views = model, alpha, views
        self._texts = model.embed_texts([goal, baseline])
        self._said = f"goal={goal!r} baseline={baseline!r}"

    @property
    def version(self) -> str:
        """Of formula, settings and model."""
        return f"vlm_rm 2 alpha={self._alpha:g} views={self._views} {self._said} {self.model_id}"

    @property
    def model_id(self) -> str:
        """Which model scores."""
        return str(self._model.model_id)

    def embed(self, shown: Mapping[Sight, Any]) -> FloatBatch:
        """See ``look``."""
        return look(self._model, shown["frame"])

    def score_steps(
        self, seen: FloatBatch, before: FloatBatch | None
    ) -> tuple[FloatBatch, BoolArray]:
        """Every frame has a score."""
        del before
        goal, baseline = self._texts
        each = reward(seen.reshape(len(seen), -1, len(goal)), goal, baseline, self._alpha)
        value = each.mean(-1) if self._views == "mean" else each.min(-1)
        return value, np.ones(len(seen), np.bool_)
