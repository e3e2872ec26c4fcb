"""Embedding camera frames, beside open_clip's ``encode_image`` alone."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np
import torch

from bench.common import Table
from bench.fm.models import BATCHES, Models
from bench.fm.pair import Call, per_second, spread
from bench.fm.record import Record
from fmrl_robot.registry import VISION_MODELS


def images(models: Models, record: Record) -> Table:
    """Frames of the tower's own size, and frames that have to be resized."""
    table = Table(
        "Images",
        ("images at once", "ours, images/s", "raw, images/s", "ours of raw",
         "raw, channels last", "ours of it", "ours from 224 px"),
        "Raw is open_clip's encode_image on a float batch that lies ready, in torch's order "
        "and in channels last; ours begins with frames of bytes.",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for compiled in (False, True) if models.on_gpu else (False,):
        vision = VISION_MODELS.load("embedded")(device=models.device, compiled=compiled)
        for count in BATCHES:
            _measure(table, record, vision, rng, count, compiled)
    return table


def _measure(
    table: Table, record: Record, vision: Any, rng: np.random.Generator, count: int, compiled: bool
) -> None:
    frames = [rng.integers(0, 256, (128, 128, 3), dtype=np.uint8) for _ in range(count)]
    large = [rng.integers(0, 256, (224, 224, 3), dtype=np.uint8) for _ in range(count)]
    ready = torch.randn(count, 3, 128, 128, device=vision._device, dtype=vision._dtype)
    encode = vision._encode_image if compiled else vision._model.encode_image

    def raw(batch: torch.Tensor) -> Call:
        def run() -> None:
            with torch.inference_mode():
                encode(batch, normalize=True).float().cpu().numpy()

        return run

    def ours() -> None:
        vision.embed_images(frames)

    label = f"{count}{', compiled' if compiled else ''}"
    repeats = record.repeats * max(1, 16 // count)
    plain = record.pair(f"images {label}", ours, raw(ready), repeats)
    last = raw(ready.contiguous(memory_format=torch.channels_last))
    pair = record.pair(f"images {label}, channels last", ours, last, repeats)
    resized = record.pair(f"images {label}, from 224 px", lambda: vision.embed_images(large), ours)
    record.under_bar("images", 1 / median(plain.ratios))
    if count == 1:
        record.under_bar("online_hz", 1 / median(plain.ours))
    table.add(
        label, per_second(count, plain.ours), per_second(count, plain.raw),
        spread([1 / r for r in plain.ratios]), per_second(count, pair.raw),
        spread([1 / r for r in pair.ratios]), per_second(count, resized.ours),
    )  # fmt: skip
