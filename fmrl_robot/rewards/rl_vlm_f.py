"""RL-VLM-F: a reward learned from a vision-language model's preferences over pairs of pictures.

Reference: Wang, Sun, Zhang, Xian, Biyik, Held, Erickson, "RL-VLM-F: Reinforcement Learning from
Vision Language Foundation Model Feedback", ICML 2024.
Inputs: camera frames of what the policy did, a goal sentence. Output: a reward of single frames.

Now and then pairs of frames are drawn from the last steps and the model says which of the two fits
the goal better, or that it cannot tell; pairs of which it cannot are left out. An ensemble learns a
reward under which the preferred frame has the higher one, and all that the replay keeps is rewarded
anew. The policy never sees a picture.

What differs from the paper: the labeller embeds pictures and compares logits (no words are read),
and abstains within the doubt that its calibration leaves; the ensemble reads the same embeddings
instead of pixels; before the first labels nothing is known, and nothing is learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fmrl_robot.card import MethodCard
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import require
from fmrl_robot.rewards.comparison import Nearer, compare_embedded
from fmrl_robot.rewards.preferences import EnsembleConfig, PreferenceEnsemble
from fmrl_robot.rewards.rl_vlm_f_ablation import ABLATION
from fmrl_robot.rewards.similarity import load, look, taught

if TYPE_CHECKING:
    from fmrl_robot.protocols import Sees
    from fmrl_robot.protocols.reward import Sight
    from fmrl_robot.types import BoolArray, FloatBatch

METHOD = MethodCard(
    name="rl_vlm_f",
    reference=(
        "Wang et al., RL-VLM-F: Reinforcement Learning from Vision Language Foundation Model "
        "Feedback, ICML 2024"
    ),
    role="reward",
    robots=("arm", "quadruped"),
    protocols=("StepReward",),
    needs=("Sees",),
    differs=(
        "The labeller compares logits of embedded pictures; no words are asked or read.",
        "The ensemble reads the labeller's embeddings instead of pixels.",
        "There is no phase of exploration by state entropy: soft actor-critic explores by itself.",
        "It rewards in training only; a running robot is watched by vlm_rm.",
    ),
    ablation="preferences against direct scores, wrong labels, no abstention, no relabelling",
)
LEVELS = 10
"""Of a direct score: a model that is asked for one says tenths."""
UNSURE_SPAN = 6.0
"""Half widths of doubt that a direct score spans from none of the goal to all of it."""


class RLVLMF:
    """What the registry names; rewards steps through ``in_training``."""

    card = METHOD
    ablation = ABLATION

    def __init__(self, **_: Any) -> None:
        raise ConfigError(
            "expected a reward that watches a running robot, got 'rl_vlm_f', which is learned with "
            "a policy (fmrl train, outside.terms); use reward:=vlm_rm",
            ErrorCode.CAPABILITY_MISSING,
        )

    @staticmethod
    def in_training(goal: str, **settings: Any) -> PreferenceReward:
        """Build the reward of a training run; see PreferenceReward."""
        return PreferenceReward(goal, **settings)


class PreferenceReward:
    """A StepReward that learns."""

    of: Literal["step"] = "step"

    def __init__(
        self,
        goal: str,
        *,
        model: Sees | None = None,
        vision_model: str = "embedded",
        labeller: Literal["vision", "truth"] = "vision",
        learns: Literal["preferences", "scores"] = "preferences",
        abstains: bool = True,
        wrong: float = 0.0,
        pairs: int = 50,
        passes: int = 50,
        seed: int = 0,
    ) -> None:
        """Load the model.

        Args:
            goal: what shall be seen.
            model: embeds texts and images; None loads ``vision_model``.
            vision_model: ``embedded`` or ``open_clip:<name>``.
            labeller: who compares: the model, or ground truth, for ablations.
            learns: from comparisons, or from as many scores of single frames by the same labeller.
            abstains: whether the model may; otherwise it says what it thinks likelier.
            wrong: share of answers that are turned round.
            pairs: of frames that are asked about each time.
            passes: over all answers, at most, each time.
            seed: of all chance.

        Raises:
            ConfigError: the model cannot be loaded, or was never taught the goal.
        """
        self._model: Any = model or load(vision_model)
        require(self._model, "Sees", by="rl_vlm_f")
        taught(self._model, goal)
        self._goal, self._asks_truth = goal, labeller == "truth"
        self._learns, self._abstains, self._wrong, self._pairs = learns, abstains, wrong, pairs
        self._passes, self._seed = passes, seed
        self.sees: tuple[Sight, ...] = ("frame", "truth") if self._asks_truth else ("frame",)
        self._rng = np.random.default_rng(seed)
        self._ensemble: PreferenceEnsemble | None = None
        self._asked: list[tuple[np.ndarray, np.ndarray]] = []
        """Frames that were asked about, (pairs, 2, dim) or (frames, dim), with the answers."""

    @property
    def version(self) -> str:
        """Of model, goal, labeller and what was learned."""
        learned = self._ensemble.version if self._ensemble else "0"
        return f"rl_vlm_f 1 goal={self._goal!r} {self.model_id} learned={learned}"

    @property
    def model_id(self) -> str:
        """Which model is asked; ground truth where that labels."""
        return "ground truth" if self._asks_truth else str(self._model.model_id)

    def embed(self, shown: Mapping[Sight, Any]) -> FloatBatch:
        """What the model makes of frames; truth stands behind it where that labels."""
        seen = look(self._model, shown["frame"])
        return np.concatenate([seen, shown["truth"]], 1) if self._asks_truth else seen

    def score_steps(
        self, seen: FloatBatch, before: FloatBatch | None
    ) -> tuple[FloatBatch, BoolArray]:
        """The ensemble's mean; nothing is known before it has learned."""
        del before
        if self._ensemble is None:
            return np.zeros(len(seen), np.float32), np.zeros(len(seen), np.bool_)
        return self._ensemble.score(self._vision(seen)), np.ones(len(seen), np.bool_)

    def learn(self, seen: FloatBatch, done: BoolArray) -> dict[str, float]:
        """Ask about pairs of what was seen, (steps, n, dim), and learn from all answers so far."""
        del done
        frames = seen.reshape(-1, seen.shape[-1])
        if self._ensemble is None:
            dim = self._vision(frames).shape[1]
            config = EnsembleConfig(passes=self._passes)
            self._ensemble = PreferenceEnsemble(dim, config, self._seed)
        drawn = frames[self._rng.integers(len(frames), size=(self._pairs, 2))]
        if self._learns == "scores":
            # Two frames were looked at for a comparison: as many are scored.
            single = drawn.reshape(-1, drawn.shape[-1])
            self._asked.append((self._vision(single), self.rate(single)))
            vectors, scores = (np.concatenate(part) for part in zip(*self._asked, strict=True))
            return self._ensemble.fit_scores(vectors, scores)
        label = self.compare(drawn[:, 0], drawn[:, 1])
        self._asked.append((self._vision(drawn), label))
        pairs, labels = (np.concatenate(part) for part in zip(*self._asked, strict=True))
        told = self._ensemble.fit(pairs[:, :1], pairs[:, 1:], labels)
        return {**told, "abstained": float((label == Nearer.NEITHER).mean())}

    def compare(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Ask which of two frames is nearer to the goal, (k, dim) each; Nearer, (k,)."""
        if self._asks_truth:
            margin = second[:, -1] - first[:, -1]
            label = np.where(margin == 0.0, Nearer.NEITHER, margin > 0.0)
        else:
            answers = compare_embedded(self._model, first, second, self._goal)
            label = np.array([int(a.nearer) for a in answers])
            if not self._abstains:
                label = np.array([int(a.margin > 0.0) for a in answers])
        turned = (self._rng.random(len(label)) < self._wrong) & (label != Nearer.NEITHER)
        return np.where(turned, 1 - label, label)

    def rate(self, frames: np.ndarray) -> np.ndarray:
        """Ask how far single frames (k, dim) show the goal: -1 to 1, in LEVELS steps, (k,)."""
        if self._asks_truth:
            shown = np.clip(frames[:, -1], -1.0, 1.0)
        else:
            scale, bias = self._model.scale_and_bias
            calibration: dict[str, tuple[float, float]] = getattr(self._model, "calibration", {})
            middle, doubt = calibration.get(self._goal, (0.0, 1.0))
            logit = scale * frames @ self._model.embed_texts([self._goal])[0] + bias
            shown = np.clip(2.0 * (logit - middle) / (UNSURE_SPAN * doubt), -1.0, 1.0)
        rated = np.round((shown + 1.0) / 2.0 * LEVELS) / LEVELS * 2.0 - 1.0
        return np.where(self._rng.random(len(rated)) < self._wrong, -rated, rated)

    def _vision(self, seen: np.ndarray) -> np.ndarray:
        return seen[..., :-1] if self._asks_truth else seen

    def state_dict(self) -> dict[str, Any]:
        """What was asked and learned, and chance."""
        import torch

        ensemble = self._ensemble
        asked = [[torch.from_numpy(np.ascontiguousarray(part)) for part in told]
                 for told in self._asked]  # fmt: skip
        return {
            "asked": asked,
            "ensemble": None if ensemble is None else ensemble.state_dict(),
            "rng": self._rng.bit_generator.state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self._asked = [(seen.numpy(), told.numpy()) for seen, told in state["asked"]]
        self._rng.bit_generator.state = state["rng"]
        if state["ensemble"] is not None:
            dim = self._asked[0][0].shape[-1]
            config = EnsembleConfig(passes=self._passes)
            self._ensemble = PreferenceEnsemble(dim, config, self._seed)
            self._ensemble.load_state_dict(state["ensemble"])
