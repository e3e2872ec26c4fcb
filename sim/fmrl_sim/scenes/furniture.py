"""What stands on the table: cubes, bowl, bin, cabinet with drawer, button.

Containers, cabinet and button stand fast (mocap bodies): a robot cannot shove them, and their pose
is state. Concave things are rings or boxes of thin convex pieces; the bowl's smooth look is a
separate mesh without contact. The button latches by friction: pushed down it stays down, so that
"pressed" is readable from its joint position alone.
"""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_robot.types import FloatArray
from fmrl_sim.scenes.arm import CUBE_BIT, ROBOT_BIT

CUBE_HALF_M = 0.02
CUBE_MASS_KG = 0.06
CUBE_COLORS = {
    "red_cube": (0.80, 0.05, 0.05, 1.0),
    "green_cube": (0.08, 0.60, 0.12, 1.0),
    "blue_cube": (0.05, 0.18, 0.80, 1.0),
    "yellow_cube": (0.95, 0.80, 0.05, 1.0),
}

BOWL_RADIUS_M, BOWL_HEIGHT_M = 0.090, 0.050
BOWL_FLOOR_RADIUS_M, BOWL_FLOOR_M = 0.058, 0.006
BOWL_PIECES = 12
BIN_HALF_M, BIN_HEIGHT_M, WALL_M, BIN_FLOOR_M = 0.080, 0.050, 0.006, 0.006
DRAWER_TRAVEL_M = 0.16
DRAWER_INSIDE_M = (0.16, 0.188, 0.050)
"""Extent of the room that the open drawer offers."""
DRAWER_FLOOR_M, DRAWER_LENGTH_M = 0.014, 0.185
DRAWER_ROOM_X_M = 0.078
"""Centre of that room behind the front panel, in the drawer's frame."""
HANDLE_X_M, HANDLE_Z_M = -0.070, 0.062
"""Centre of the handle's bar in the drawer's frame."""
CABINET_SIZE_M = (0.215, 0.24, 0.080)
BUTTON_TRAVEL_M = 0.012
BUTTON_TOP_M = 0.046
BUTTON_RADIUS_M = 0.045

_BOX = mujoco.mjtGeom.mjGEOM_BOX
_CYLINDER = mujoco.mjtGeom.mjGEOM_CYLINDER


def add_materials(spec: mujoco.MjSpec) -> None:
    """Add every material of the furniture."""
    for name, rgba, shine in (
        ("bowl", (0.05, 0.55, 0.58, 1), 0.6),
        ("bin", (0.90, 0.42, 0.08, 1), 0.2),
        ("cabinet", (0.74, 0.74, 0.76, 1), 0.15),
        ("drawer", (0.36, 0.22, 0.52, 1), 0.3),
        ("handle", (0.22, 0.22, 0.24, 1), 0.8),
        ("button_base", (0.20, 0.20, 0.22, 1), 0.3),
        ("button_cap", (0.85, 0.10, 0.50, 1), 0.6),
        ("button_lamp", (0.30, 0.32, 0.30, 1), 0.6),
        *((cube, rgba, 0.35) for cube, rgba in CUBE_COLORS.items()),
    ):
        spec.add_material(name=name, rgba=rgba, specular=shine, shininess=0.5)


def _fixture(body: mujoco.MjsBody, **shape: object) -> mujoco.MjsGeom:
    return body.add_geom(contype=0, conaffinity=ROBOT_BIT | CUBE_BIT, condim=3, **shape)


def _looks(body: mujoco.MjsBody, **shape: object) -> mujoco.MjsGeom:
    return body.add_geom(contype=0, conaffinity=0, mass=0, group=2, **shape)


def add_cube(spec: mujoco.MjSpec, name: str) -> None:
    """Add a free cube of 4 cm edges."""
    body = spec.worldbody.add_body(name=name, pos=[0, 0, CUBE_HALF_M])
    body.add_freejoint(name=name)
    body.add_geom(
        name=name,
        type=_BOX,
        size=[CUBE_HALF_M] * 3,
        mass=CUBE_MASS_KG,
        material=name,
        contype=CUBE_BIT,
        conaffinity=ROBOT_BIT | CUBE_BIT,
        condim=4,
        friction=[0.9, 0.005, 0.0001],
        solref=[0.01, 1.0],
    )


def add_bowl(spec: mujoco.MjSpec) -> None:
    """Add the bowl: a ring of slanted plates around a floor, under a smooth visual mesh."""
    body = spec.worldbody.add_body(name="bowl", mocap=True)
    rise = BOWL_HEIGHT_M - 0.002
    out = BOWL_RADIUS_M - BOWL_FLOOR_RADIUS_M
    tilt = np.arctan2(out, rise)
    radius = (BOWL_RADIUS_M + BOWL_FLOOR_RADIUS_M) / 2
    for i in range(BOWL_PIECES):
        angle = 2 * np.pi * i / BOWL_PIECES
        _fixture(
            body,
            type=_BOX,
            group=3,
            size=[0.003, BOWL_RADIUS_M * np.tan(np.pi / BOWL_PIECES), np.hypot(rise, out) / 2],
            pos=[radius * np.cos(angle), radius * np.sin(angle), rise / 2 + 0.002],
            quat=_turn(angle, tilt),
        )
    _fixture(body, type=_BOX, group=3, size=[0.046, 0.046, BOWL_FLOOR_M / 2], pos=[0, 0, 0.003])
    inner = [(0.0, BOWL_FLOOR_M), (0.050, BOWL_FLOOR_M), (0.062, 0.013), (0.086, BOWL_HEIGHT_M)]
    outer = [(BOWL_RADIUS_M, BOWL_HEIGHT_M), (0.067, 0.010), (0.056, 0.0), (0.0, 0.0)]
    vertices, faces = revolve(np.array(inner + outer), 48)
    spec.add_mesh(name="bowl", uservert=vertices.reshape(-1), userface=faces.reshape(-1))
    _looks(body, name="bowl", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="bowl", material="bowl")


def _turn(yaw: float, pitch: float) -> FloatArray:
    """Orientation wxyz: turn about z, then lean outwards about the new y."""
    about_z = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
    about_y = np.array([np.cos(pitch / 2), 0.0, np.sin(pitch / 2), 0.0])
    quat = np.zeros(4)
    mujoco.mju_mulQuat(quat, about_z, about_y)
    return quat


def revolve(profile: FloatArray, segments: int) -> tuple[FloatArray, np.ndarray]:
    """Turn a profile (radius, height), shape (n, 2), about z.

    Returns:
        Vertices, shape (n * segments, 3), and triangles, shape (2 * (n - 1) * segments, 3). The
        side to the right of the profile's direction faces inwards.
    """
    angles = 2 * np.pi * np.arange(segments) / segments
    n = len(profile)
    vertices = np.stack(
        [
            np.outer(np.cos(angles), profile[:, 0]),
            np.outer(np.sin(angles), profile[:, 0]),
            np.tile(profile[:, 1], (segments, 1)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    faces = []
    for s in range(segments):
        here, there = s * n, (s + 1) % segments * n
        for p in range(n - 1):
            faces.append((here + p, here + p + 1, there + p))
            faces.append((there + p, here + p + 1, there + p + 1))
    return vertices, np.array(faces, dtype=np.int32)


def add_bin(spec: mujoco.MjSpec) -> None:
    """Add the bin: an open box."""
    body = spec.worldbody.add_body(name="bin", mocap=True)
    middle, half = BIN_HALF_M - WALL_M / 2, WALL_M / 2
    for x, y, sx, sy in (
        (middle, 0, half, BIN_HALF_M),
        (-middle, 0, half, BIN_HALF_M),
        (0, middle, BIN_HALF_M - WALL_M, half),
        (0, -middle, BIN_HALF_M - WALL_M, half),
    ):
        _fixture(
            body,
            type=_BOX,
            size=[sx, sy, BIN_HEIGHT_M / 2],
            pos=[x, y, BIN_HEIGHT_M / 2],
            material="bin",
        )
    inside = BIN_HALF_M - WALL_M
    _fixture(
        body,
        name="bin",
        type=_BOX,
        size=[inside, inside, BIN_FLOOR_M / 2],
        pos=[0, 0, BIN_FLOOR_M / 2],
        material="bin",
    )


def add_cabinet(spec: mujoco.MjSpec) -> None:
    """Add the cabinet with its drawer; the drawer opens towards the cabinet's -x.

    The drawer's handle is a bar along y in front of its panel, high enough that a hand coming from
    above can close its fingers around it.
    """
    cabinet = spec.worldbody.add_body(name="cabinet", mocap=True)
    depth, width, height = CABINET_SIZE_M
    wall = 0.008
    side = height - wall
    for pos, size in (
        ((depth / 2, 0, height - wall / 2), (depth / 2, width / 2, wall / 2)),
        ((depth / 2, width / 2 - wall / 2, side / 2), (depth / 2, wall / 2, side / 2)),
        ((depth / 2, -width / 2 + wall / 2, side / 2), (depth / 2, wall / 2, side / 2)),
        ((depth - wall / 2, 0, side / 2), (wall / 2, width / 2 - wall, side / 2)),
    ):
        _fixture(cabinet, type=_BOX, pos=pos, size=size, material="cabinet")
    drawer = cabinet.add_body(name="drawer")
    drawer.add_joint(
        name="drawer_slide",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[-1, 0, 0],
        range=[0, DRAWER_TRAVEL_M],
        limited=True,
        damping=4.0,
        frictionloss=0.6,
        armature=0.05,
    )
    length, y_wall, z_top = DRAWER_LENGTH_M, 0.100, 0.060
    for name, pos, size in (
        ("drawer", (-0.006, 0, 0.041), (0.006, 0.118, 0.036)),
        (None, (length / 2, 0, 0.011), (length / 2, 0.100, 0.003)),
        (None, (length / 2, y_wall - 0.003, 0.035), (length / 2, 0.003, 0.025)),
        (None, (length / 2, -y_wall + 0.003, 0.035), (length / 2, 0.003, 0.025)),
        (None, (length - 0.003, 0, (z_top + 0.008) / 2), (0.003, 0.097, 0.025)),
    ):
        _fixture(drawer, name=name, type=_BOX, pos=pos, size=size, material="drawer", mass=0.1)
    bar_half = 0.052
    _fixture(
        drawer,
        name="handle",
        type=_BOX,
        pos=[HANDLE_X_M, 0, HANDLE_Z_M],
        size=[0.005, bar_half, 0.008],
        material="handle",
        mass=0.05,
    )
    for side in (-1, 1):
        _fixture(
            drawer,
            type=_BOX,
            pos=[(HANDLE_X_M - 0.012) / 2, side * (bar_half - 0.005), HANDLE_Z_M],
            size=[(-HANDLE_X_M - 0.012) / 2, 0.005, 0.005],
            material="handle",
            mass=0.02,
        )
    drawer.add_site(
        name="drawer_room", pos=[DRAWER_ROOM_X_M, 0, DRAWER_FLOOR_M], size=[0.005] * 3, group=4
    )
    drawer.add_site(name="handle", pos=[HANDLE_X_M, 0, HANDLE_Z_M], size=[0.005] * 3, group=4)


def add_button(spec: mujoco.MjSpec) -> None:
    """Add the button: a cap that stays down once pushed, over a ring that is its lamp."""
    base = spec.worldbody.add_body(name="button", mocap=True)
    _fixture(
        base,
        type=_BOX,
        group=3,
        size=[0.036, 0.036, 0.012],
        pos=[0, 0, 0.012],
    )
    _looks(
        base,
        name="button",
        type=_CYLINDER,
        size=[BUTTON_RADIUS_M, 0.010, 0],
        pos=[0, 0, 0.010],
        material="button_base",
    )
    _looks(
        base,
        name="button_lamp",
        type=_CYLINDER,
        size=[0.040, 0.013, 0],
        pos=[0, 0, 0.013],
        material="button_lamp",
    )
    cap = base.add_body(name="button_cap", gravcomp=1.0)
    cap.add_joint(
        name="button_slide",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, 0, -1],
        range=[0, BUTTON_TRAVEL_M],
        limited=True,
        damping=5.0,
        frictionloss=1.5,
        armature=0.01,
    )
    _fixture(
        cap,
        name="button_cap",
        type=_CYLINDER,
        size=[0.029, 0.010, 0],
        pos=[0, 0, BUTTON_TOP_M - 0.010],
        material="button_cap",
        mass=0.03,
    )
