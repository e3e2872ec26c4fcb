"""Simple solids for the objects of a scene, by category."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import SceneObject

Mesh = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (224, 49, 49),
    "green": (47, 158, 68),
    "blue": (34, 102, 230),
    "yellow": (250, 196, 20),
    "white": (240, 240, 240),
    "gray": (150, 155, 165),
    "grey": (150, 155, 165),
    "black": (40, 40, 45),
    "brown": (150, 105, 66),
    "orange": (240, 130, 30),
    "purple": (116, 72, 160),
    "teal": (24, 148, 156),
    "magenta": (214, 40, 132),
}
_OTHER = (176, 156, 130)


def color_of(thing: SceneObject) -> tuple[int, int, int]:
    """RGB of an object, 0 to 255."""
    return COLORS.get(thing.color, _OTHER)


def mesh_of(thing: SceneObject) -> Mesh:
    """A solid of the object's size about its own origin."""
    x, y, z = (max(float(v), 0.004) for v in thing.size)
    if thing.category in ("bowl", "bin"):
        return _lathe(x / 2, z, hollow=True) if thing.category == "bowl" else _tray(x, y, z)
    if thing.category == "drawer":
        return _tray(x, y, z)
    if thing.category in ("button", "marker"):
        return _lathe(x / 2, z, hollow=False)
    return box(x, y, z)


def box(x: float, y: float, z: float, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A box of these edges, m."""
    corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    vertices = corners * np.array([x, y, z]) / 2 + np.array(at)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return vertices.astype(np.float32), np.array(faces, dtype=np.int32)


def _tray(x: float, y: float, z: float, wall: float = 0.006) -> Mesh:
    return _join(
        [
            box(x, y, wall, (0, 0, (wall - z) / 2)),
            box(x, wall, z, (0, (y - wall) / 2, 0)),
            box(x, wall, z, (0, (wall - y) / 2, 0)),
            box(wall, y, z, ((x - wall) / 2, 0, 0)),
            box(wall, y, z, ((wall - x) / 2, 0, 0)),
        ]
    )


def _lathe(radius: float, height: float, *, hollow: bool, around: int = 40) -> Mesh:
    """Turn a profile around z: a bowl, or a disc."""
    if hollow:
        angles = np.linspace(0.0, np.pi / 2, 10)
        outer = [(radius * np.sin(a), -height / 2 + height * (1 - np.cos(a))) for a in angles]
        inner = [(0.92 * r, h + 0.08 * height * (h < 0.4 * height)) for r, h in reversed(outer)]
        profile = [*outer, *inner]
    else:
        profile = [(0, -height / 2), (radius, -height / 2), (radius, height / 2), (0, height / 2)]
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    vertices = np.array([[r * np.cos(t), r * np.sin(t), h] for r, h in profile for t in turn])
    faces: list[tuple[int, int, int]] = []
    for ring in range(len(profile) - 1):
        for i in range(around):
            a, b = ring * around + i, ring * around + (i + 1) % around
            faces += [(a, b, b + around), (a, b + around, a + around)]
    return vertices.astype(np.float32), np.array(faces, dtype=np.int32)


def _join(meshes: list[Mesh]) -> Mesh:
    offsets = np.cumsum([0, *(len(v) for v, _ in meshes)])
    faces = [f + o for (_, f), o in zip(meshes, offsets, strict=False)]
    return np.concatenate([v for v, _ in meshes]), np.concatenate(faces).astype(np.int32)
