"""Pictures for people: drawn at twice the size and averaged, so that no edge is a staircase.

A CPU rasteriser does that for half the price of its own multisampling.
"""

from __future__ import annotations

import cv2
import mujoco
import numpy as np

from fmrl_robot.types import Image
from fmrl_sim.render import SceneRenderer

_TIMES = 2
_CELL_M = 0.002
"""Detail of meshes finer than this is not drawn: a pixel is coarser."""


class SmoothRenderer:
    """Renders one model for video and page; belongs to the thread that made it."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        self._size = width, height
        self._renderer = SceneRenderer(
            model, width=_TIMES * width, height=_TIMES * height, cell_m=_CELL_M
        )

    def rgb(self, data: mujoco.MjData, camera: str) -> Image:
        """Return the colours that ``camera`` sees, shape (height, width, 3)."""
        drawn = self._renderer.rgb(data, camera)
        return np.asarray(cv2.resize(drawn, self._size, interpolation=cv2.INTER_AREA), np.uint8)

    def __enter__(self) -> SmoothRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()
