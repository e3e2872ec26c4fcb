"""Where things on the table start: poses drawn by seed, apart from each other and in reach.

Bowl, bin and button share three zones in an order drawn by seed; the cabinet stands far left with
the room for its drawer kept free; cubes are scattered in the middle by rejection.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.base import SceneOptions, SceneState

_ZONES = (
    ((0.50, 0.57), (-0.36, -0.28)),
    ((0.27, 0.31), (0.24, 0.34)),
    ((0.27, 0.31), (-0.36, -0.28)),
)
"""Ranges (x, y) in m for the centres of bowl, bin and button, in an order drawn by seed."""
_CABINET = ((0.59, 0.62), (0.24, 0.30))
"""Range of the middle of the cabinet's front."""
_CABINET_YAW_RAD = 0.10
_CUBES = ((0.34, 0.62), (-0.24, 0.16))
_CUBE_GAP_M = 0.095
"""Least distance between two cubes' centres: room for a finger on any side."""
_CONTAINER_GAP_M = 0.155
_DRAWER_CORRIDOR_M = 0.185
"""Half width of the strip before the cabinet in which no cube starts."""
_CAP_GAP_M = 0.125
_SINK_M = 6e-5
"""How deep a resting cube sinks into what bears it: it starts where it will stay, in contact."""
ON_TABLE_M = f.CUBE_HALF_M - _SINK_M
"""Height of the centre of a cube that rests on the table."""
_FAR_X_M = 0.90
_STACKED_IN_PLACE_JITTER_M = 0.012


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    planar: dict[str, FloatArray]
    """Planar pose (x, y, yaw) of each mocap body."""

    def point(self, body: str, x: float, y: float) -> FloatArray:
        """Turn a point of ``body``'s frame into the world's, shape (2,)."""
        px, py, yaw = self.planar[body]
        c, s = np.cos(yaw), np.sin(yaw)
        return np.array([px + c * x - s * y, py + s * x + c * y])


def _draw_layout(rng: np.random.Generator) -> _Layout:
    planar = {}
    for name, zone in zip(("bowl", "bin", "button"), rng.permutation(3), strict=True):
        xs, ys = _ZONES[zone]
        planar[name] = np.array([rng.uniform(*xs), rng.uniform(*ys), rng.uniform(-0.25, 0.25)])
    xs, ys = _CABINET
    yaw = rng.uniform(-_CABINET_YAW_RAD, _CABINET_YAW_RAD)
    planar["cabinet"] = np.array([rng.uniform(*xs), rng.uniform(*ys), yaw])
    return _Layout(planar=planar)


def _free(point: FloatArray, layout: _Layout, taken: list[FloatArray]) -> bool:
    gaps = {"bowl": _CONTAINER_GAP_M, "bin": _CONTAINER_GAP_M, "button": _CAP_GAP_M}
    apart = all(np.linalg.norm(point - layout.planar[n][:2]) > gap for n, gap in gaps.items())
    x, y, yaw = layout.planar["cabinet"]
    across = -np.sin(yaw) * (point[0] - x) + np.cos(yaw) * (point[1] - y)
    return (
        apart
        and abs(across) > _DRAWER_CORRIDOR_M
        and all(np.linalg.norm(point - other) > _CUBE_GAP_M for other in taken)
    )


def _scatter(rng: np.random.Generator, layout: _Layout, cubes: list[str]) -> dict[str, FloatArray]:
    """Draw planar positions for ``cubes``; start again where the last one finds no room."""
    while True:
        taken: list[FloatArray] = []
        for _ in range(200):
            point = np.array([rng.uniform(*_CUBES[0]), rng.uniform(*_CUBES[1])])
            if _free(point, layout, taken):
                taken.append(point)
            if len(taken) == len(cubes):
                return dict(zip(cubes, taken, strict=True))


def _check(options: SceneOptions) -> None:
    places = {"bowl", "bin", "drawer", *f.CUBE_COLORS}
    for cube, place in options.at:
        if cube not in f.CUBE_COLORS or place not in places or cube == place:
            raise ConfigError(
                f"expected (cube, place) with a cube of {sorted(f.CUBE_COLORS)} and a place of "
                f"{sorted(places)}, got {(cube, place)!r}"
            )
    for cube in options.far:
        if cube not in f.CUBE_COLORS:
            raise ConfigError(f"expected a cube of {sorted(f.CUBE_COLORS)}, got {cube!r}")


def _place_in(
    rng: np.random.Generator, layout: _Layout, place: str, opening: float, count: int
) -> FloatArray:
    """Position of a cube's centre in a container that already holds ``count``, shape (3,)."""
    jitter = rng.uniform(-_STACKED_IN_PLACE_JITTER_M, _STACKED_IN_PLACE_JITTER_M, 2)
    side = np.array([0.0, 0.0]) if count == 0 else np.array([0.0, 0.052 * (-1) ** count])
    x, y = jitter + side
    if place == "drawer":
        xy = layout.point("cabinet", f.DRAWER_ROOM_X_M - opening + x, y)
        return np.array([*xy, f.DRAWER_FLOOR_M + f.CUBE_HALF_M])
    return np.array([*layout.point(place, x, y), f.BOWL_FLOOR_M + f.CUBE_HALF_M])


def _cube_positions(
    rng: np.random.Generator, layout: _Layout, options: SceneOptions, opening: float
) -> dict[str, FloatArray]:
    _check(options)
    at = dict(options.at)
    loose = [c for c in f.CUBE_COLORS if c not in at and c not in options.far]
    positions = {c: np.array([*xy, ON_TABLE_M]) for c, xy in _scatter(rng, layout, loose).items()}
    for i, cube in enumerate(options.far):
        positions[cube] = np.array(
            [_FAR_X_M, -0.10 - 0.12 * i + rng.uniform(-0.02, 0.02), ON_TABLE_M]
        )
    counts: dict[str, int] = {}
    pending = [(c, p) for c, p in options.at]
    while pending:
        ready = [(c, p) for c, p in pending if p in positions or p not in f.CUBE_COLORS]
        if not ready:
            raise ConfigError(f"expected cubes that end on something else, got {pending!r}")
        for cube, place in ready:
            if place in positions:
                positions[cube] = positions[place] + np.array(
                    [0.0, 0.0, 2 * f.CUBE_HALF_M - _SINK_M]
                )
            else:
                positions[cube] = _place_in(rng, layout, place, opening, counts.get(place, 0))
                counts[place] = counts.get(place, 0) + 1
            pending.remove((cube, place))
    return positions


def sample(
    rng: np.random.Generator, options: SceneOptions, *, robot: RobotSpec, model: mujoco.MjModel
) -> SceneState:
    """Draw an initial state of the table; raises ConfigError where ``options`` ask nonsense."""
    layout = _draw_layout(rng)
    opening = f.DRAWER_TRAVEL_M if options.drawer_open else 0.0
    positions = _cube_positions(rng, layout, options, opening)
    qpos = model.qpos0.copy()
    for name, value in zip(robot.model_joints, robot.default, strict=True):
        qpos[model.joint(name).qposadr[0]] = value
    qpos[model.joint("finger_joint2").qposadr[0]] = robot.default[-1]
    qpos[model.joint("drawer_slide").qposadr[0]] = opening
    qpos[model.joint("button_slide").qposadr[0]] = f.BUTTON_TRAVEL_M if options.pressed else 0.0
    stacked = {c for c, p in options.at if p in f.CUBE_COLORS}
    yaws = {c: rng.uniform(-np.pi / 4, np.pi / 4) for c in f.CUBE_COLORS}
    for cube, position in positions.items():
        yaw = yaws[cube] * (0.2 if cube in stacked else 1.0)
        address = model.joint(cube).qposadr[0]
        qpos[address : address + 3] = position
        qpos[address + 3 : address + 7] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
    mocap_pos, mocap_quat = np.zeros((model.nmocap, 3)), np.zeros((model.nmocap, 4))
    for name, (x, y, yaw) in layout.planar.items():
        i = model.body(name).mocapid[0]
        mocap_pos[i] = x, y, 0.0
        mocap_quat[i] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
    return SceneState(qpos=qpos, mocap_pos=mocap_pos, mocap_quat=mocap_quat)
