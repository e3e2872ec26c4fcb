"""Train the embedded CLIP with a sigmoid loss over the whole truth matrix.

Plain contrastive batches stay flat here: sentences differ in one word and a dozen of them are true
of every picture. So each batch asks every sampled sentence of every sampled picture and knows the
answers (SigLIP's loss with true labels), each sentence's yes and no weighing the same; an auxiliary
head predicts all facts from the picture alone. What is kept is a running mean of the weights.
"""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fmrl_robot.train.precision import fast_math
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet, Rows
from fmrl_robot.train.recipes.clip_embedded.model import build_model, build_tokenizer
from fmrl_robot.train.recipes.clip_embedded.sentences import Sentences
from fmrl_robot.train.rows import in_a_row
from fmrl_robot.train.team import Helpers, Team

_log = logging.getLogger(__name__)

MEAN_OVER = 400
"""Steps over which the kept weights are averaged, in the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSettings:
    """How the embedded CLIP is trained."""

    size: Literal["small", "medium", "large"] = "medium"
    table_frames: int = 40000
    """Pictures of *tabletop*."""
    ground_frames: int = 15000
    """Pictures of *ground*."""
    wrist_frames: int = 10000
    """Pictures of *tabletop* from the hand."""
    image_size: int = 128
    """Pixels a side."""
    minutes: float = 60.0
    """Wall time of the training, rendering apart."""
    pictures: int = 0
    """Learn from so many pictures, those seen again counted again, instead of ``minutes``; 0: do
    not count."""
    text_minutes: float = 15.0
    """Wall time of the text tower alone, after that; 0: none."""
    batch: int = 32
    """Pictures, and as many sentences, a step and process."""
    learning_rate: float = 2e-3
    final_rate: float = 0.02
    """The learning rate falls on a line to this share of itself."""
    processes: int = 4
    """That learn together, a core each."""
    shuffled: bool = False
    """Pair sentences with pictures at random: the floor that the card reports."""
    held_out_pairs: bool = False
    """Never ask of red in the bowl, green in the bin and blue on yellow: the diagnostic model."""
    start_from: Path | None = None
    """Folder of an earlier result to go on from."""
    seed: int = 0


def train(frames: Path, settings: ClipSettings) -> tuple[Any, Any]:
    """Return the trained model and its tokenizer.

    Args:
        frames: folder that FrameSet.save wrote.
        settings: how.
    """
    helpers = Helpers(settings.processes, _learn, frames, settings)
    try:
        return _learn(frames, settings, helpers.team())
    finally:
        helpers.close()


def _learn(folder: Path, settings: ClipSettings, team: Team) -> tuple[Any, Any]:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    frames = FrameSet.load(folder)
    shuffle = np.random.default_rng(settings.seed).permutation(len(frames.truth))
    truth = frames.truth[shuffle] if settings.shuffled else frames.truth
    rng = np.random.default_rng((settings.seed, team.rank))
    tokenizer = build_tokenizer()
    model = build_model(len(tokenizer), settings.image_size, settings.size)
    if settings.start_from is not None:
        _load(model, settings.start_from)
    head = torch.nn.Linear(model.visual.output_dim, truth.shape[1])
    mean = copy.deepcopy(model)
    weights, gradient = in_a_row([*model.parameters(), *head.parameters()])
    optimizer = torch.optim.AdamW([weights], settings.learning_rate, weight_decay=0.02)
    sentences = Sentences(tokenizer, held_out=settings.held_out_pairs)
    shares = torch.from_numpy(sentences.shares).float()
    rows = Rows(truth)
    begin, step, spent = time.monotonic(), 0, torch.zeros(1)
    while True:
        # The first process's clock is everybody's.
        elapsed = (time.monotonic() - begin) / 60
        spent[0] = _spent(settings, elapsed, step)
        team.share_(spent)
        if spent >= 1.0:
            return mean.eval(), tokenizer
        rate = settings.learning_rate * max(settings.final_rate, 1 - float(spent))
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 100)
        picked = np.sort(rng.choice(rows.draw(rng), settings.batch, replace=False))
        asked = sentences.draw(truth[picked], settings.batch, rng)
        pixels = torch.from_numpy(frames.images[picked]).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        pixels = _moved(_softened(pixels, rng), rng)
        # Convolutions of this order take half the time.
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        # For sixteen tokens torch's other attention on CPU takes several times as long.
        with fast_math(), sdpa_kernel(SDPBackend.MATH):
            image = model.encode_image(pixels)
            text = model.encode_text(asked.tokens)
        image, text = image.float(), text.float()
        cosine = torch.nn.functional.normalize(image) @ torch.nn.functional.normalize(text).T
        logits = model.logit_scale.exp() * cosine + model.logit_bias
        known = torch.from_numpy(sentences.allowed(truth[picked])).float()
        loss = balanced(logits, torch.from_numpy(asked.labels))
        loss = loss + balanced(head(image), known, shares)
        gradient.zero_()
        loss.backward()
        team.mean_(gradient)
        torch.nn.utils.clip_grad_norm_([weights], 1.0)
        optimizer.step()
        if team.rank == 0:
            _drawn_along(mean, model, 1.0 / min(MEAN_OVER, 1.0 + step / 10))
        step += 1
        if step % 100 == 0 and team.rank == 0:
            _log.info("step=%d minutes=%.1f loss=%.4f", step, elapsed, loss.item())


def _spent(settings: ClipSettings, minutes: float, steps: int) -> float:
    """Share of the training that is over."""
    if settings.pictures:
        return steps * settings.batch * settings.processes / settings.pictures
    return minutes / settings.minutes if settings.minutes else 1.0


def _load(model: Any, folder: Path) -> None:
    from safetensors.torch import load_file

    state = load_file(folder / "open_clip_model.safetensors")
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=False)


def _drawn_along(mean: Any, model: Any, share: float) -> None:
    """Move the kept weights a share of the way to the newest."""
    import torch

    with torch.no_grad():
        for kept, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, share)
            else:
                kept.copy_(new)


def balanced(logits: Any, labels: Any, shares: Any = 1.0) -> Any:
    """Cross-entropy in which each column's trues and falses weigh the same; -1 is left out.

    Args:
        logits: (pictures, columns).
        labels: 1, 0 or -1, of the same shape.
        shares: weight of each column, (columns,).
    """
    import torch

    known = labels >= 0
    true, false = (labels == 1) & known, (labels == 0) & known
    weight = true / true.sum(0).clamp(min=1) + false / false.sum(0).clamp(min=1)
    weight = weight * shares
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
    """Blur the batch by a random little: cameras are less sharp than the renderer."""
    import torch

    share = float(rng.uniform(0.0, 0.6))
    kernel = torch.tensor([0.25, 0.5, 0.25])
    kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)
    soft = torch.nn.functional.conv2d(pixels, kernel, padding=1, groups=3)
    return torch.lerp(pixels, soft, share)
