"""The training set: pictures of the scenes and the truth of every taught fact in each.

Half of the pictures are drawn at a camera's size and scaled down as the model's preprocessing does
it, half at the model's own size: the one is what a running robot shows, the other what training
and evaluation render.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fmrl_robot.registry import FRAMES
from fmrl_robot.train.recipes.clip_embedded.vocabulary import (
    GROUND,
    TABLETOP,
    WRIST,
    facts,
    ground_facts,
    tabletop_facts,
    wrist_facts,
)

UNKNOWN = -1
"""In the truth matrix: the fact is of another scene or out of view; the picture is silent."""
CAMERA_PIXELS = 224
"""Edge of the pictures that a running robot's camera gives."""
BATCHES = (0.6, 0.25, 0.15)
"""Shares of batches that show *tabletop*, *ground* and *tabletop* from the hand."""
_CHUNK = 500
_KNOWN = {TABLETOP: tabletop_facts, GROUND: ground_facts, WRIST: wrist_facts}
"""What the pictures of a set tell of."""


@dataclass(frozen=True, slots=True)
class FrameSet:
    """Pictures in memory."""

    images: npt.NDArray[np.uint8]
    """Shape (frames, size, size, 3)."""
    truth: npt.NDArray[np.int8]
    """1 true, 0 false, UNKNOWN; shape (frames, facts), columns as in ``facts()``."""

    def save(self, folder: Path) -> None:
        """Write both arrays, for processes that learn from them together."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "images.npy", self.images)
        np.save(folder / "truth.npy", self.truth)

    @classmethod
    def load(cls, folder: Path) -> FrameSet:
        """Open what ``save`` wrote; the pictures stay on disk until they are looked at."""
        images = np.load(folder / "images.npy", mmap_mode="r")
        return cls(images, np.load(folder / "truth.npy"))


class Rows:
    """Which pictures a batch may be drawn from: all of one set, as often as BATCHES says."""

    def __init__(self, truth: npt.NDArray[np.int8]) -> None:
        table, ground = truth[:, 0] >= 0, truth[:, -1] >= 0
        self._sets = [np.flatnonzero(which) for which in (table, ground, ~(table | ground))]
        often = np.array(BATCHES) * [len(rows) > 0 for rows in self._sets]
        self._often = often / often.sum()

    def draw(self, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """All rows of a set drawn at random."""
        return self._sets[int(rng.choice(len(self._sets), p=self._often))]


def draw(name: str, count: int, seed: int, size: int, unseen: bool = False) -> FrameSet:
    """Render ``count`` frames of a set, found by its entry point; ``unseen``: its test looks."""
    from PIL import Image

    columns = {fact: i for i, fact in enumerate(facts())}
    images = np.empty((count, size, size, 3), np.uint8)
    truth = np.full((count, len(columns)), UNKNOWN, np.int8)
    told = frozenset(_KNOWN[name]())
    truth[:, [columns[fact] for fact in told]] = 0
    renderer, scaled = FRAMES.load(name), count // 2
    large = renderer(scaled, seed, CAMERA_PIXELS, unseen=unseen)
    own = renderer(count - scaled, seed + 1_000_003, size, unseen=unseen)
    for i, frame in enumerate(chain(large, own)):
        # A picture of that size already stays as it is.
        small = Image.fromarray(frame.image).resize((size, size), Image.Resampling.BICUBIC)
        images[i] = np.asarray(small)
        truth[i, [columns[fact] for fact in told & frame.facts]] = 1
    return FrameSet(images, truth)


def drawn(
    counts: Mapping[str, int], seed: int, size: int, *, unseen: bool = False, processes: int = 1
) -> FrameSet:
    """So many frames of each set, in that order; the same whatever the number of processes."""
    jobs = [
        (name, min(_CHUNK, count - start), seed * 1_000 + start // _CHUNK, size, unseen)
        for name, count in counts.items()
        for start in range(0, count, _CHUNK)
    ]
    # Mesa's rasteriser would start a thread for each core, in each process.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    if processes == 1:
        return _joined([draw(*job) for job in jobs])
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return _joined(list(pool.map(draw, *zip(*jobs, strict=True))))


def _joined(parts: Sequence[FrameSet]) -> FrameSet:
    return FrameSet(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.truth for part in parts]),
    )
