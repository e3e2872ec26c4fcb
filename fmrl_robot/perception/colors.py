"""Finds things by their hue: every object that matters has a colour of its own.

Hue hardly changes with light and shade, so a window of hues with a floor for saturation does what
it should; OpenCV counts hue from 0 to 180.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fmrl_robot.types import BoolArray

HUES: dict[str, tuple[int, int]] = {
    "red": (174, 6),
    "orange": (9, 17),
    "yellow": (20, 31),
    "green": (50, 76),
    "teal": (84, 97),
    "blue": (106, 124),
    "purple": (126, 146),
    "magenta": (154, 172),
}
"""From, to (inclusive); a window whose end lies before its start goes through 180."""

_SATURATION, _VALUE = 90, 25
_LEAST_PIXELS = 6


def to_hsv(rgb: npt.NDArray[np.uint8]) -> Any:
    """Hue, saturation, value of an RGB picture (height, width, 3)."""
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2HSV)


def mask_of(hsv: Any, color: str) -> BoolArray:
    """Where a colour of HUES is seen, shape (height, width)."""
    low, high = HUES[color]
    hue = hsv[..., 0]
    within = (hue >= low) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    return within & (hsv[..., 1] >= _SATURATION) & (hsv[..., 2] >= _VALUE)


def blobs(mask: BoolArray) -> list[BoolArray]:
    """Connected parts of a mask, the largest first, specks left out."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    return [labels == i for i in order if stats[i, cv2.CC_STAT_AREA] >= _LEAST_PIXELS]
