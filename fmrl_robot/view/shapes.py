"""Simple solids for the objects of a scene, by category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import SceneObject

Mesh = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]
Rgb = tuple[int, int, int]

COLORS: dict[str, Rgb] = {
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
_HANDLE, _BASE = (64, 64, 70), (58, 58, 64)

_WALL_M = 0.008
_CABINET_M = (0.215, 0.240, 0.080)
_CABINET_AT_M = (0.021, 0.0, -0.001)
"""From the centre of a shut drawer's box to the cabinet's, in the drawer's frame."""
_PANEL_M = 0.012
_HANDLE_M, _HANDLE_AT_M = (0.010, 0.104, 0.016), (-0.1565, 0.0, 0.021)
_CAP_M = 0.029
"""Radius of a button's cap."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of an object in one colour."""

    mesh: Mesh
    color: Rgb
    slide: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Where it goes in the object's frame, m, for each metre of the object's travel."""
    smooth: bool = False


def parts_of(thing: SceneObject) -> tuple[Part, ...]:
    """The pieces of an object of this size, about its own origin."""
    x, y, z = (max(float(v), 0.004) for v in thing.size)
    color = COLORS.get(thing.color, _OTHER)
    match thing.category:
        case "bowl":
            return (Part(mesh=_lathe(x / 2, z, hollow=True), color=color, smooth=True),)
        case "bin":
            return (Part(mesh=_tray(x, y, z), color=color),)
        case "marker":
            return (Part(mesh=_lathe(x / 2, z, hollow=False), color=color),)
        case "drawer":
            return _drawer(x, y, z, color)
        case "button":
            return _button(x / 2, z, color)
        case _:
            return (Part(mesh=box(x, y, z), color=color),)


def _drawer(x: float, y: float, z: float, color: Rgb) -> tuple[Part, ...]:
    """The drawer, and the cabinet that stays behind when it opens towards -x."""
    room = _shift(_tray(x - _PANEL_M, y - 0.036, 0.052), (_PANEL_M / 2, 0.0, -0.007))
    panel = box(_PANEL_M, y, z, ((_PANEL_M - x) / 2, 0.0, 0.0))
    reach = (_PANEL_M - x) / 2 - _HANDLE_AT_M[0]
    arms = [
        box(reach, 0.010, 0.010, (_HANDLE_AT_M[0] + reach / 2, side * 0.047, _HANDLE_AT_M[2]))
        for side in (-1, 1)
    ]
    depth, width, height = _CABINET_M
    cabinet = [
        box(depth, width, _WALL_M, (0.0, 0.0, (height - _WALL_M) / 2)),
        box(depth, _WALL_M, height, (0.0, (width - _WALL_M) / 2, 0.0)),
        box(depth, _WALL_M, height, (0.0, (_WALL_M - width) / 2, 0.0)),
        box(_WALL_M, width, height, ((depth - _WALL_M) / 2, 0.0, 0.0)),
    ]
    return (
        Part(mesh=_join([room, panel]), color=color),
        Part(mesh=_join([box(*_HANDLE_M, _HANDLE_AT_M), *arms]), color=_HANDLE),
        Part(
            mesh=_shift(_join(cabinet), _CABINET_AT_M),
            color=COLORS["gray"],
            slide=(1.0, 0.0, 0.0),
        ),
    )


def _button(radius: float, height: float, color: Rgb) -> tuple[Part, ...]:
    """The base, and the cap that goes down."""
    base = 0.55 * height
    return (
        Part(
            mesh=_shift(_lathe(radius, base, hollow=False), (0.0, 0.0, (base - height) / 2)),
            color=_BASE,
        ),
        Part(
            mesh=_shift(
                _lathe(min(_CAP_M, radius), 0.020, hollow=False), (0.0, 0.0, height / 2 - 0.010)
            ),
            color=color,
            slide=(0.0, 0.0, -1.0),
        ),
    )


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


def _shift(mesh: Mesh, by: tuple[float, float, float]) -> Mesh:
    vertices, faces = mesh
    return (vertices + np.array(by)).astype(np.float32), faces


def _join(meshes: list[Mesh]) -> Mesh:
    offsets = np.cumsum([0, *(len(v) for v, _ in meshes)])
    faces = [f + o for (_, f), o in zip(meshes, offsets, strict=False)]
    return np.concatenate([v for v, _ in meshes]), np.concatenate(faces).astype(np.int32)
