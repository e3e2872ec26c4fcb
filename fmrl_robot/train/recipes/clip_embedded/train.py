"""Train the embedded CLIP with a sigmoid loss over the whole truth matrix.

Plain contrastive batches stay flat here: sentences differ in one word and a dozen of them are true
of every picture. So each batch asks every sampled sentence of every sampled picture and knows the
answers (SigLIP's loss with true labels), each sentence's yes and no weighing the same; an auxiliary
head predicts all facts from the picture alone.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.model import build_model, build_tokenizer
from fmrl_robot.train.recipes.clip_embedded.vocabulary import facts, phrasings
from fmrl_robot.types import Predicate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSettings:
    """How the embedded CLIP is trained."""

    table_frames: int = 14000
    """Pictures of *tabletop*."""
    ground_frames: int = 3500
    """Pictures of *ground*."""
    image_size: int = 128
    """Pixels a side."""
    minutes: float = 20.0
    """Wall time of the training, rendering apart."""
    batch: int = 64
    """Pictures, and as many sentences, a step."""
    learning_rate: float = 2e-3
    threads: int = 1
    """Of torch. On a busy machine one is faster than two (measured): two wait for each other."""
    shuffled: bool = False
    """Pair sentences with pictures at random: the floor that the card reports."""
    seed: int = 0


def train(frames: FrameSet, settings: ClipSettings) -> tuple[Any, Any]:
    """Return the trained model and its tokenizer."""
    import torch

    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    truth = frames.truth[rng.permutation(len(frames.truth))] if settings.shuffled else frames.truth
    tokenizer = build_tokenizer()
    model = build_model(len(tokenizer), settings.image_size)
    # A third faster than torch's default order on a CPU (measured).
    model = model.to(memory_format=torch.channels_last)
    head = torch.nn.Linear(model.visual.output_dim, truth.shape[1])
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=0.02)
    sentences = _Sentences(tokenizer)
    rows = [np.flatnonzero(truth[:, 0] >= 0), np.flatnonzero(truth[:, -1] >= 0)]
    begin, step = time.monotonic(), 0
    while (spent := (time.monotonic() - begin) / (60 * settings.minutes)) < 1.0:
        rate = settings.learning_rate * min(1.0, (step + 1) / 100) * max(0.02, 1 - spent)
        for group in optimizer.param_groups:
            group["lr"] = rate
        mine = rows[int(rng.random() < 0.2)]
        picked = rng.choice(mine, settings.batch, replace=False)
        columns, signs, tokens = sentences.draw(truth[picked], settings.batch, rng)
        pixels = torch.from_numpy(frames.images[picked]).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        pixels = _softened(pixels, rng)
        known = torch.from_numpy(truth[picked]).float()
        with torch.autocast("cpu", torch.bfloat16):
            image = model.encode_image(_moved(pixels, rng))
            text = model.encode_text(tokens)
        image, text = image.float(), text.float()
        cosine = torch.nn.functional.normalize(image) @ torch.nn.functional.normalize(text).T
        logits = model.logit_scale.exp() * cosine + model.logit_bias
        labels = known[:, columns]
        labels = torch.where(torch.from_numpy(signs) > 0, labels, 1 - labels)
        loss = _balanced(logits, labels) + 0.5 * _balanced(head(image), known)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        if step % 100 == 0:
            minutes = (time.monotonic() - begin) / 60
            _log.info("step=%d minutes=%.1f loss=%.4f", step, minutes, loss.item())
    return model.eval(), tokenizer


class _Sentences:
    """Every phrasing of every fact, tokenized once."""

    def __init__(self, tokenizer: Any) -> None:
        from fmrl_robot.train.recipes.clip_embedded.model import CONTEXT_LENGTH

        self._of: list[list[tuple[int, int]]] = []
        texts: list[str] = []
        for fact in facts():
            mine: list[tuple[int, int]] = []
            for sign in (1, -1):
                for text in phrasings(Predicate(fact.name, fact.args, value=sign > 0)):
                    mine.append((sign, len(texts)))
                    texts.append(text)
            self._of.append(mine)
        self._tokens = tokenizer(
            texts, padding="max_length", max_length=CONTEXT_LENGTH, return_tensors="pt"
        )["input_ids"]

    def draw(
        self, truth: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """Draw sentences, half of them true of some picture of the batch.

        Returns:
            Column of the fact (count,), whether it is asserted (1) or denied (-1), tokens.
        """
        asked = np.flatnonzero(truth[0] >= 0)
        somewhere = np.flatnonzero((truth == 1).any(axis=0))
        half = count // 2
        columns = np.concatenate([rng.choice(somewhere, half), rng.choice(asked, count - half)])
        signs, ids = np.empty(count, np.int64), np.empty(count, np.int64)
        for i, column in enumerate(columns):
            signs[i], ids[i] = self._of[column][int(rng.integers(len(self._of[column])))]
        return columns, signs, self._tokens[ids]


def _balanced(logits: Any, labels: Any) -> Any:
    """Cross-entropy in which each column's trues and falses weigh the same; -1 is left out."""
    import torch

    known = labels >= 0
    true, false = (labels == 1) & known, (labels == 0) & known
    weight = true / true.sum(0).clamp(min=1) + false / false.sum(0).clamp(min=1)
    raw = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, labels.clamp(0, 1), reduction="none"
    )
    return (raw * weight).sum() / weight.sum().clamp(min=1e-6)


def _moved(pixels: Any, rng: np.random.Generator) -> Any:
    """Shift the batch by up to 3 pixels: cubes are small, their neighbourhood is what counts."""
    import torch

    down, across = (int(v) for v in rng.integers(-3, 4, 2))
    return torch.roll(pixels, (down, across), dims=(2, 3))


def _softened(pixels: Any, rng: np.random.Generator) -> Any:
    """Blur the batch by a random little: a camera's 224 pixels come here scaled down, so softer."""
    import torch

    share = float(rng.uniform(0.0, 0.6))
    kernel = torch.tensor([0.25, 0.5, 0.25])
    kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)
    soft = torch.nn.functional.conv2d(pixels, kernel, padding=1, groups=3)
    return torch.lerp(pixels, soft, share)
