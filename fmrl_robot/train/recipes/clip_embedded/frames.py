"""The training set: pictures of both scenes and the truth of every taught fact in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmrl_robot.registry import FRAMES
from fmrl_robot.train.recipes.clip_embedded.vocabulary import (
    GROUND,
    TABLETOP,
    facts,
    tabletop_facts,
)

UNKNOWN = -1
"""In the truth matrix: the fact belongs to the other scene, so the picture says nothing of it."""


@dataclass(frozen=True, slots=True)
class FrameSet:
    """Pictures in memory."""

    images: npt.NDArray[np.uint8]
    """Shape (frames, size, size, 3)."""
    truth: npt.NDArray[np.int8]
    """1 true, 0 false, UNKNOWN; shape (frames, facts), columns as in ``facts()``."""


def draw(scene: str, count: int, seed: int, size: int) -> FrameSet:
    """Render ``count`` frames of a scene, found by its entry point."""
    columns = {fact: i for i, fact in enumerate(facts())}
    table = len(tabletop_facts())
    images = np.empty((count, size, size, 3), np.uint8)
    truth = np.full((count, len(columns)), UNKNOWN, np.int8)
    mine = slice(0, table) if scene == TABLETOP else slice(table, None)
    truth[:, mine] = 0
    for i, frame in enumerate(FRAMES.load(scene)(count, seed, size)):
        images[i] = frame.image
        for fact in frame.facts:
            if fact in columns:
                truth[i, columns[fact]] = 1
    return FrameSet(images, truth)


def both(table: int, ground: int, seed: int, size: int) -> FrameSet:
    """Frames of both scenes, *tabletop* first."""
    first, second = draw(TABLETOP, table, seed, size), draw(GROUND, ground, seed, size)
    return FrameSet(
        np.concatenate([first.images, second.images]), np.concatenate([first.truth, second.truth])
    )
