"""The second part of the training: the text tower alone, on pictures embedded once.

Sentences of two facts are learned slowly and need many batches; without the image tower a batch of
eight times the pictures costs a fifth of the time.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.train.precision import fast_math
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet, Rows
from fmrl_robot.train.recipes.clip_embedded.sentences import Sentences
from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, balanced

_log = logging.getLogger(__name__)

PICTURES, SENTENCES = 256, 96
"""Of a batch."""
EMBEDDED = 16_000
"""Pictures that are embedded to learn from."""
TWO = 0.4
"""How often two facts are stated: what is left to learn."""


def learn_sentences(model: Any, tokenizer: Any, folder: Path, settings: ClipSettings) -> None:
    """Train the text tower of ``model`` in place for ``settings.text_minutes``."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    rng = np.random.default_rng((settings.seed, 1))
    frames = FrameSet.load(folder)
    chosen = np.sort(rng.permutation(len(frames.truth))[:EMBEDDED])
    shuffle = rng.permutation(len(chosen)) if settings.shuffled else np.arange(len(chosen))
    truth, seen = frames.truth[chosen][shuffle], _embedded(model, frames.images, chosen)
    sentences = Sentences(tokenizer, held_out=settings.held_out_pairs, two=TWO)
    learned = [p for name, p in model.named_parameters() if not name.startswith("visual.")]
    optimizer = torch.optim.AdamW(learned, settings.learning_rate, weight_decay=0.02)
    rows = Rows(truth)
    begin, spent, step = time.monotonic(), 0.0, 0
    while spent < 1.0:
        rate = min(1.0, (step + 1) / 50) * max(settings.final_rate, 1 - spent)
        optimizer.param_groups[0]["lr"] = settings.learning_rate * rate
        mine = rows.draw(rng)
        picked = rng.choice(mine, min(PICTURES, len(mine)), replace=False)
        asked = sentences.draw(truth[picked], SENTENCES, rng)
        with fast_math(), sdpa_kernel(SDPBackend.MATH):
            text = model.encode_text(asked.tokens)
        cosine = seen[picked] @ torch.nn.functional.normalize(text.float()).T
        logits = model.logit_scale.exp() * cosine + model.logit_bias
        loss = balanced(logits, torch.from_numpy(asked.labels))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        spent = (time.monotonic() - begin) / (60 * settings.text_minutes)
        if step % 200 == 0:
            _log.info("sentences step=%d spent=%.2f loss=%.4f", step, spent, loss.item())


def _embedded(model: Any, images: Any, chosen: np.ndarray) -> Any:
    """Unit vectors of the chosen pictures, shape (chosen, dim)."""
    import torch

    found: list[Any] = []
    with torch.inference_mode(), fast_math():
        for part in np.array_split(chosen, max(1, len(chosen) // 64)):
            pixels = torch.from_numpy(images[part]).permute(0, 3, 1, 2).float() / 127.5 - 1.0
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            found.append(model.encode_image(pixels, normalize=True).float())
    return torch.cat(found).clone()
