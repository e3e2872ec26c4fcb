"""How a scene may look: textures by family, lights, colours, a camera that stands a little off.

A model is trained on some families of textures and measured on others, so that what it knows is
the scene and not its surfaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import FloatArray
from fmrl_sim.render import SceneRenderer

Texture = npt.NDArray[np.uint8]
SIZE = 128
"""Edge of a drawn texture in pixels."""
CELL_M = 0.006
"""Meshes are drawn with vertices joined within this: a pixel or less in these pictures."""
CAMERA_RAD, CAMERA_FOV = 0.02, 0.04
"""Standard deviations of a camera's direction and (as a share) angle of view."""
CAMERA_M, HAND_CAMERA_M = 0.03, 0.004
"""Of its place, for one that stands in the room and for one on the hand."""


def _plain(rng: np.random.Generator) -> FloatArray:
    del rng
    return np.zeros((SIZE, SIZE))


def _checks(rng: np.random.Generator) -> FloatArray:
    cells = int(rng.integers(2, 17))
    at = np.arange(SIZE) * cells // SIZE
    return np.asarray(((at[:, None] + at) % 2) * 2 - 1, np.float64)


def _noise(rng: np.random.Generator) -> FloatArray:
    """Clouds: random values on a coarse grid, blown up without steps."""
    cells = int(rng.integers(3, 24))
    grid = rng.normal(size=(cells + 1, cells + 1))
    at = np.linspace(0, cells, SIZE, endpoint=False)
    low, share = at.astype(int), at % 1.0
    rows = grid[low] * (1 - share)[:, None] + grid[low + 1] * share[:, None]
    return np.clip(rows[:, low] * (1 - share) + rows[:, low + 1] * share, -1.5, 1.5)


def _gradient(rng: np.random.Generator) -> FloatArray:
    angle = rng.uniform(0, 2 * np.pi)
    at = np.linspace(-1, 1, SIZE)
    return np.cos(angle) * at[:, None] + np.sin(angle) * at


def _stripes(rng: np.random.Generator) -> FloatArray:
    """Boards: bands of unequal width with a grain along them."""
    edges = np.sort(rng.integers(0, SIZE, int(rng.integers(3, 12))))
    shade = rng.normal(scale=0.7, size=len(edges) + 1)
    band = shade[np.searchsorted(edges, np.arange(SIZE))]
    grain = 0.3 * rng.normal(size=SIZE)
    picture = np.broadcast_to(band + grain, (SIZE, SIZE))
    return picture.T if rng.random() < 0.5 else picture


def _spots(rng: np.random.Generator) -> FloatArray:
    picture = np.full((SIZE, SIZE), -0.5)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    for _ in range(int(rng.integers(5, 40))):
        (y, x), r = rng.uniform(0, SIZE, 2), rng.uniform(2, 12)
        picture[(yy - y) ** 2 + (xx - x) ** 2 < r * r] = 1.0
    return picture


FAMILIES: dict[str, Callable[[np.random.Generator], FloatArray]] = {
    "plain": _plain,
    "checks": _checks,
    "noise": _noise,
    "gradient": _gradient,
    "stripes": _stripes,
    "spots": _spots,
}
SEEN, UNSEEN = ("plain", "checks", "noise", "gradient"), ("stripes", "spots")
"""Families for training, and those kept for measuring."""


def draw_texture(rng: np.random.Generator, families: Sequence[str], base: float) -> Texture:
    """Draw a surface around the grey ``base`` (0 to 1); RGB, shape (SIZE, SIZE, 3)."""
    pattern = FAMILIES[families[int(rng.integers(len(families)))]](rng)
    contrast = rng.uniform(0.03, 0.14)
    color = base + 0.06 * rng.normal(size=3)
    tint = 1.0 + 0.15 * rng.normal(size=3)
    picture = color + contrast * pattern[:, :, None] * tint
    return (np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8)


class RandomLooks:
    """Dresses one renderer's scene anew for every picture."""

    def __init__(
        self,
        renderer: SceneRenderer,
        camera: str,
        surfaces: dict[str, float],
        unseen: bool,
        camera_m: float = CAMERA_M,
    ) -> None:
        """Set up.

        Args:
            renderer: whose scene is dressed.
            camera: the camera that is moved.
            surfaces: textures that are drawn anew, with the grey they vary around.
            unseen: whether textures come from the families kept for measuring.
            camera_m: how far the camera is moved, standard deviation in m.
        """
        self._camera_m = camera_m
        self._renderer, self._camera, self._surfaces = renderer, camera, surfaces
        self._families = UNSEEN if unseen else SEEN

    def draw(self, rng: np.random.Generator) -> None:
        """Change lights, colours, textures and camera for the pictures that follow."""
        self._renderer.vary(rng, self._camera_m)
        for name, base in self._surfaces.items():
            self._renderer.cover(name, draw_texture(rng, self._families, base))
        turn = CAMERA_RAD * rng.normal(size=3)
        self._renderer.turn(self._camera, turn, float(1.0 + CAMERA_FOV * rng.normal()))
