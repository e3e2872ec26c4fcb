"""Rough ground as one height field: square patches of six kinds, from easy to hard.

Patches stand in a column for each kind (along x) and a row for each difficulty (along y), and every
patch is level at its edge, so that the ground is continuous and repeats itself: what leaves the map
on one side can enter on the other. The hardest patches, for robots 0.3 m high:

========  =====================================================================
flat      level
rough     random heights within +-4 cm, a new one every 10 cm
slope     a pyramid or pit with sides of 20 degrees
waves     two crossed sines of 1.6 m, +-5 cm each, with slopes up to 16 degrees
blocks    boxes of 0.3 to 1.2 m, up to 5 cm above or below the ground: steps of 10 cm
stairs    a pyramid or pit of steps 8 cm high and 30 cm deep
========  =====================================================================

The kinds are those of legged_gym and Isaac Lab (there for robots twice as high), what varies is
proportional to the difficulty. A vertical face rises over one cell of the height field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import mujoco
import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from fmrl_robot.errors import ConfigError

KINDS = ("flat", "rough", "slope", "waves", "blocks", "stairs")
PATCH_M, CELL_M = 8.0, 0.05
EDGE_M = 0.4
"""Width of the rim in which a patch becomes level."""
MARGIN_M = 2.0
"""How far the ground goes on beyond the map, so that whoever is on the map sees no end."""
ROUGH_M, ROUGH_GRID_M = 0.04, 0.1
SLOPE_DEG, PLATFORM_M = 20.0, 1.0
"""Of slopes; the platform in the middle of slopes and stairs is twice as wide."""
WAVE_M, WAVE_LENGTH_M = 0.05, 1.6
BLOCK_M, BLOCK_SIDES_M, BLOCKS = 0.05, (0.3, 1.2), 60
STEP_M, TREAD_M = 0.08, 0.3
EASIEST = 0.1
"""Share of the hardest that difficulty 0 has."""
BELOW_M = 0.5
"""Thickness of the ground below its lowest point."""

Heights = npt.NDArray[np.floating[Any]]
Array = TypeVar("Array")


def _coordinates() -> tuple[Heights, Heights]:
    """Of a patch's points from its middle, m, (n, n) each: along x, along y."""
    n = round(PATCH_M / CELL_M)
    along = (np.arange(n) * CELL_M - PATCH_M / 2).astype(np.float32)
    return np.meshgrid(along, along, indexing="xy")


def _rim(x: Heights, y: Heights) -> Heights:
    """0 at a patch's edge, 1 inside."""
    inside = PATCH_M / 2 - CELL_M - np.maximum(np.abs(x), np.abs(y))
    return np.clip(inside / EDGE_M, 0.0, 1.0)


def _rough(rng: np.random.Generator, x: Heights, y: Heights) -> Heights:
    n, every = len(x), round(ROUGH_GRID_M / CELL_M)
    coarse = rng.uniform(-ROUGH_M, ROUGH_M, (n // every + 1,) * 2)
    at = np.arange(n) / every
    i, part = at.astype(int), at - at.astype(int)
    rows = coarse[i] * (1 - part)[:, None] + coarse[i + 1] * part[:, None]
    return (rows[:, i] * (1 - part) + rows[:, i + 1] * part) * _rim(x, y)


def _pyramid(x: Heights, y: Heights) -> Heights:
    """Distance from the rim up to the platform, m."""
    out = np.maximum(np.abs(x), np.abs(y))
    return np.clip(PATCH_M / 2 - EDGE_M - out, 0.0, PATCH_M / 2 - EDGE_M - PLATFORM_M)


def _slope(rng: np.random.Generator, x: Heights, y: Heights) -> Heights:
    return rng.choice([-1.0, 1.0]) * np.tan(np.deg2rad(SLOPE_DEG)) * _pyramid(x, y)


def _waves(rng: np.random.Generator, x: Heights, y: Heights) -> Heights:
    a, b = (2 * np.pi * (v / WAVE_LENGTH_M + rng.uniform()) for v in (x, y))
    return WAVE_M * (np.sin(a) + np.sin(b)) * _rim(x, y)


def _blocks(rng: np.random.Generator, x: Heights, y: Heights) -> Heights:
    heights = np.zeros_like(x)
    for _ in range(BLOCKS):
        half = rng.uniform(*BLOCK_SIDES_M, 2) / 2
        most = PATCH_M / 2 - EDGE_M - half
        at = rng.uniform(-most, most)
        inside = (np.abs(x - at[0]) <= half[0]) & (np.abs(y - at[1]) <= half[1])
        heights[inside] = rng.uniform(-BLOCK_M, BLOCK_M)
    return heights


def _stairs(rng: np.random.Generator, x: Heights, y: Heights) -> Heights:
    # Half a cell more, so that a riser lies between two points wherever they are rounded to.
    steps = np.floor((_pyramid(x, y) + CELL_M / 2) / TREAD_M)
    return rng.choice([-1.0, 1.0]) * STEP_M * steps


_HARDEST = {
    "flat": lambda _, x, y: np.zeros_like(x),
    "rough": _rough,
    "slope": _slope,
    "waves": _waves,
    "blocks": _blocks,
    "stairs": _stairs,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Terrain:
    """A map of patches, and the ground beyond its edges."""

    kinds: tuple[str, ...]
    """Of each column of patches, along x."""
    difficulties: tuple[float, ...]
    """Of each row of patches, along y; 1 is the hardest."""
    heights: Heights
    """Of the points, m, the first axis along y; the map's middle is the origin."""

    @property
    def period_m(self) -> tuple[float, float]:
        """Extent of the map along x and y, after which the ground repeats itself."""
        return len(self.kinds) * PATCH_M, len(self.difficulties) * PATCH_M

    @property
    def size_m(self) -> tuple[float, float]:
        """Extent of the points along x and y."""
        rows, columns = self.heights.shape
        return (columns - 1) * CELL_M, (rows - 1) * CELL_M

    def middle(self, level: Any, kind: Any) -> tuple[Any, Any]:
        """Middle of the patch in a row and a column, m; numbers or arrays of them."""
        x, y = self.period_m
        return (kind + 0.5) * PATCH_M - x / 2, (level + 0.5) * PATCH_M - y / 2

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Make the floor of a model this ground."""
        low, high = float(self.heights.min()), float(self.heights.max())
        span = max(high - low, 1e-3)
        x, y = self.size_m
        spec.add_hfield(
            name="floor",
            size=[x / 2, y / 2, span, BELOW_M],
            nrow=self.heights.shape[0],
            ncol=self.heights.shape[1],
            userdata=((self.heights - low) / span).ravel(),
        )
        floor = spec.geom("floor")
        floor.type, floor.hfieldname = mujoco.mjtGeom.mjGEOM_HFIELD, "floor"
        floor.pos = [0.0, 0.0, low]


def make_terrain(seed: int, kinds: tuple[str, ...], difficulties: tuple[float, ...]) -> Terrain:
    """Draw a map; the same seed gives the same one.

    Raises:
        ConfigError: no such kind.
    """
    for kind in kinds:
        if kind not in _HARDEST:
            raise ConfigError(f"expected kinds of ground among {', '.join(KINDS)}, got {kind!r}")
    rng = np.random.default_rng(seed)
    x, y = _coordinates()
    rows = [
        [(EASIEST + (1 - EASIEST) * d) * _HARDEST[kind](rng, x, y) for kind in kinds]
        for d in difficulties
    ]
    whole = np.block(rows).astype(np.float32)
    beyond = round(MARGIN_M / CELL_M)
    # One point more at the far end: the map's last edge is its first.
    padded = np.pad(whole, ((beyond, beyond + 1),) * 2, mode="wrap")
    return Terrain(kinds=kinds, difficulties=difficulties, heights=padded)


def surface(heights: Array, x: Array, y: Array) -> Array:
    """Height of the ground at points of any shape, m, exactly as MuJoCo's triangles have it.

    Args:
        heights: of a Terrain, as an array of the same library.
        x: of the points, m.
        y: of the points, m.
    """
    xp: Any = array_namespace(heights, x, y)
    table: Any = heights
    rows, columns = table.shape

    def cell(at: Any, count: int) -> tuple[Any, Any]:
        where = xp.clip(at / CELL_M + (count - 1) / 2, 0.0, count - 1.001)
        whole = xp.floor(where)
        return xp.astype(whole, xp.int64), where - whole

    (i, v), (j, u) = cell(y, rows), cell(x, columns)
    near, far = table[i, j], table[i + 1, j + 1]
    right, up = table[i, j + 1], table[i + 1, j]
    # Each cell is two triangles that share the edge from `near` to `far`.
    lower = near + u * (right - near) + v * (far - right)
    upper = near + v * (up - near) + u * (far - up)
    return xp.where(u > v, lower, upper)
