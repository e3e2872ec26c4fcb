"""VLM-RM: a vision-language model as a zero-shot reward.

Reference: Rocamonde, Montesinos, Nava, Perez, Lindner, "Vision-Language Models are Zero-Shot Reward
Models for Reinforcement Learning", ICLR 2024.
Inputs: camera frames, the sub-goal's text, a baseline text true of every frame. Output: one score a
frame, with a verdict of three values.

With unit embeddings s (frame), g (goal), b (baseline) the reward is
``1 - 1/2 |alpha * proj(s) + (1 - alpha) * s - g|^2``, ``proj`` onto the line from b to g (paper,
equation 4); alpha = 0 is the plain cosine.

What differs from the paper: there is a verdict, averaged over ``WINDOW`` frames. A model that comes
with a calibration is believed outside the range of logits that left doubt on labelled frames; of
any other the sub-goal's opposites are asked as well and compared. In between it abstains. A goal
that a model of limited vocabulary was never taught gets no score at all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fmrl_robot.fm import require
from fmrl_robot.fm.usage import prompt_sha256
from fmrl_robot.rewards.opposites import opposites
from fmrl_robot.rewards.similarity import Similarity, load, reward
from fmrl_robot.rewards.vlm_rm_ablation import ABLATION, METHOD
from fmrl_robot.types import RewardOut, Scene, SubGoal, Success, Usage

if TYPE_CHECKING:
    from fmrl_robot.protocols import Sees
    from fmrl_robot.types import FloatBatch, Image

WINDOW = 8
"""Frames over which a verdict is averaged: a passing hand must not turn it."""
SURE = 0.85
"""Probability from which the verdict is yes (or below one minus it, no)."""
_SURE_LOG_ODDS = float(np.log(SURE / (1 - SURE)))
BASELINES = {
    "arm": "a robot arm at a table with cubes",
    "quadruped": "a robot dog on the floor",
}
"""A sentence true of every frame, by kind of robot."""


class VLMRM:
    """A RewardModel over a model that Sees."""

    card = METHOD
    ablation = ABLATION

    def __init__(
        self,
        model: Sees | None = None,
        *,
        vision_model: str = "embedded",
        alpha: float = 0.0,
        baseline: str = BASELINES["arm"],
    ) -> None:
        """Build the reward.

        Args:
            model: embeds texts and images; None loads ``vision_model``.
            vision_model: ``embedded`` or ``open_clip:<name>``.
            alpha: strength of the projection on the line from baseline to goal, 0 to 1.
            baseline: a sentence true of every frame.

        Raises:
            ConfigError: the model does not see, or cannot be loaded.
        """
        self._model: Any = model or load(vision_model)
        require(self._model, "Sees", by="vlm_rm")
        self._alpha, self._baseline_text = alpha, baseline
        self._goal: np.ndarray | None = None
        self._against: np.ndarray | None = None
        self._margins: deque[float] = deque(maxlen=WINDOW)
        self._frames = 0
        self._calls, self._spent_s, self._prompt = 0, 0.0, ""
        self._calibration: dict[str, tuple[float, float]] = getattr(self._model, "calibration", {})
        self._doubt: tuple[float, float] | None = None

    @classmethod
    def in_training(
        cls,
        goal: str,
        *,
        model: Sees | None = None,
        vision_model: str = "embedded",
        alpha: float = 0.0,
        baseline: str = BASELINES["arm"],
        views: Literal["mean", "least"] = "mean",
    ) -> Similarity:
        """The same score of every step of a training run, without a verdict.

        Args:
            goal: what shall be seen.
            model: see the class, as for ``vision_model``, ``alpha`` and ``baseline``.
            vision_model: see there.
            alpha: see there.
            baseline: see there.
            views: what several cameras come to.

        Raises:
            ConfigError: the model cannot be loaded, or was never taught the goal.
        """
        seeing: Any = model or load(vision_model)
        require(seeing, "Sees", by="vlm_rm")
        return Similarity(seeing, goal, baseline, alpha=alpha, views=views)

    @property
    def model_id(self) -> str:
        """Which model scores."""
        return str(self._model.model_id)

    @property
    def version(self) -> str:
        """Of formula, settings and model: what has another version gave other figures."""
        return f"2 alpha={self._alpha:g} baseline={self._baseline_text!r} {self.model_id}"

    def reset(self, subgoal: SubGoal) -> None:
        """Begin scoring against another sub-goal."""
        self._margins.clear()
        self._frames = 0
        self._goal = self._against = None
        if not subgoal.text:
            return
        knows = getattr(self._model, "knows", lambda _: True)
        if not knows(subgoal.text):
            return
        against = [text for text in opposites(subgoal) if knows(text)]
        begin = time.perf_counter()
        vectors = self._model.embed_texts([subgoal.text, self._baseline_text, *against])
        self._goal, self._baseline = vectors[0], vectors[1]
        self._against = vectors[2:] if against else None
        self._doubt = self._calibration.get(subgoal.text)
        self._spent_s += time.perf_counter() - begin
        self._prompt = prompt_sha256(subgoal.text)

    def score(self, images: Sequence[Image], scene: Scene | None = None) -> list[RewardOut]:
        """One score an image; without a goal all are invalid."""
        del scene
        if self._goal is None:
            return [RewardOut(value=0.0, valid=False) for _ in images]
        return self.score_embedded(self.embed(images))

    def embed(self, images: Sequence[Image]) -> FloatBatch:
        """Look at images, in one batch; unit vectors, shape (images, dim)."""
        begin = time.perf_counter()
        vectors = self._model.embed_images(images)
        self._spent_s += time.perf_counter() - begin
        self._calls += len(images)
        return vectors

    def score_embedded(self, vectors: FloatBatch) -> list[RewardOut]:
        """Score what was seen, in order of time, shape (frames, dim)."""
        if self._goal is None:
            return [RewardOut(value=0.0, valid=False, embedding=v) for v in vectors]
        return [self._one(vector) for vector in vectors]

    def usage(self) -> tuple[Usage, ...]:
        """What was asked of the model since the last call, as one sum; empty if nothing was."""
        calls, spent = self._calls, self._spent_s
        self._calls, self._spent_s = 0, 0.0
        if not calls:
            return ()
        return (
            Usage(
                role="reward",
                model=self.model_id,
                prompt_sha256=self._prompt,
                calls=calls,
                latency_s=spent,
            ),
        )

    def _one(self, seen: np.ndarray) -> RewardOut:
        assert self._goal is not None  # noqa: S101  (score asked first)
        goal = self._goal
        value = float(reward(seen, goal, self._baseline, self._alpha))
        self._frames += 1
        parts = [("goal", float(seen @ goal)), ("baseline", float(seen @ self._baseline))]
        parts += [("frames", float(self._frames))]
        margin = self._margin(seen, goal)
        if margin is None:
            return RewardOut(value=value, components=tuple(parts), embedding=seen)
        self._margins.append(margin)
        probability = 1.0 / (1.0 + np.exp(-float(np.mean(self._margins))))
        parts += [("probability", probability)]
        return RewardOut(
            value=value,
            components=tuple(parts),
            confidence=abs(2 * probability - 1),
            success=self._verdict(probability),
            embedding=seen,
        )

    def _margin(self, seen: np.ndarray, goal: np.ndarray) -> float | None:
        """Log odds of the goal in one frame; None where the model gives no ground for any."""
        scale, bias = getattr(self._model, "scale_and_bias", (20.0, 0.0))
        if self._calibration:
            if self._doubt is None:
                return None
            middle, half = self._doubt
            return _SURE_LOG_ODDS * (scale * float(seen @ goal) + bias - middle) / half
        if self._against is None:
            return None
        return scale * float(seen @ goal - np.max(self._against @ seen))

    def _verdict(self, probability: float) -> Success:
        if len(self._margins) < WINDOW or 1 - SURE < probability < SURE:
            return Success.UNKNOWN
        return Success.YES if probability >= SURE else Success.NO
