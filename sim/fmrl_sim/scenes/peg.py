"""A square peg and the socket that it belongs in: 1.5 mm of play on each side, a funnel above.

The peg is a pin with a collar and a head. A hand holds the head and presses on the collar: held by
friction alone, the pin would slip up between the fingers wherever it meets the rim.
"""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_sim.scenes.arm import CUBE_BIT, ROBOT_BIT

PEG_HALF_M = 0.0125
"""Half the edge of pin and head."""
PIN_LENGTH_M, COLLAR_HEIGHT_M, HEAD_LENGTH_M = 0.045, 0.004, 0.021
COLLAR_HALF_M = 0.020
PEG_GRIP_M = 0.059
"""From the pin's lower end to where a hand holds the head."""
PEG_MASS_KG = 0.05
HOLE_HALF_M = PEG_HALF_M + 0.0015
SOCKET_HALF_M, SOCKET_HEIGHT_M, SOCKET_FLOOR_M = 0.05, 0.040, 0.006
FUNNEL_WIDTH_M, FUNNEL_DEPTH_M = 0.008, 0.010
"""How far the funnel widens on each side, and over what height."""
FRICTION = (0.3, 0.005, 0.0001)
"""Of smooth plastic, peg and socket alike: with more, a tilted peg jams."""

_BOX = mujoco.mjtGeom.mjGEOM_BOX


def add_peg(spec: mujoco.MjSpec) -> None:
    """Add the free peg, standing; its frame is in the middle of the pin."""
    spec.add_material(name="peg", rgba=(0.95, 0.45, 0.10, 1.0), specular=0.3, shininess=0.5)
    body = spec.worldbody.add_body(name="peg", pos=[0, 0, PIN_LENGTH_M / 2])
    body.add_freejoint(name="peg")
    low = -PIN_LENGTH_M / 2
    for name, edge, length in (
        ("peg", PEG_HALF_M, PIN_LENGTH_M),
        ("peg_collar", COLLAR_HALF_M, COLLAR_HEIGHT_M),
        ("peg_head", PEG_HALF_M, HEAD_LENGTH_M),
    ):
        body.add_geom(
            name=name,
            type=_BOX,
            size=[edge, edge, length / 2],
            pos=[0, 0, low + length / 2],
            mass=PEG_MASS_KG / 3,
            material="peg",
            contype=CUBE_BIT,
            conaffinity=ROBOT_BIT | CUBE_BIT,
            condim=4,
            friction=FRICTION,
            solref=[0.01, 1.0],
        )
        low += length


def add_socket(spec: mujoco.MjSpec) -> None:
    """Add the socket: a block that stands fast, with a square hole along z."""
    spec.add_material(name="socket", rgba=(0.25, 0.30, 0.36, 1.0), specular=0.2, shininess=0.4)
    body = spec.worldbody.add_body(name="socket", mocap=True)
    straight = SOCKET_HEIGHT_M - FUNNEL_DEPTH_M
    _ring(body, HOLE_HALF_M, 0.0, straight)
    _ring(body, HOLE_HALF_M + FUNNEL_WIDTH_M, straight, SOCKET_HEIGHT_M)
    _block(body, [HOLE_HALF_M] * 2 + [SOCKET_FLOOR_M / 2], [0.0, 0.0, SOCKET_FLOOR_M / 2])
    slope = float(np.arctan2(FUNNEL_WIDTH_M, FUNNEL_DEPTH_M))
    thick = 0.004
    for k in range(4):
        yaw = k * np.pi / 2
        # The plate's inner face runs from the hole's edge to the rim; its middle lies behind it.
        out = HOLE_HALF_M + FUNNEL_WIDTH_M / 2 + thick * np.cos(slope)
        up = straight + FUNNEL_DEPTH_M / 2 - thick * np.sin(slope)
        quat = np.zeros(4)
        about_z = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
        lean = np.array([np.cos(slope / 2), 0.0, np.sin(slope / 2), 0.0])
        mujoco.mju_mulQuat(quat, about_z, lean)
        length = float(np.hypot(FUNNEL_WIDTH_M, FUNNEL_DEPTH_M)) / 2
        half = [thick, HOLE_HALF_M + FUNNEL_WIDTH_M, length]
        _block(body, half, [out * np.cos(yaw), out * np.sin(yaw), up], quat)


def _ring(body: mujoco.MjsBody, inner: float, low: float, high: float) -> None:
    """Four walls from ``inner`` to the socket's outside."""
    middle, half = (SOCKET_HALF_M + inner) / 2, (SOCKET_HALF_M - inner) / 2
    z, rise = (low + high) / 2, (high - low) / 2
    for x, y, sx, sy in (
        (middle, 0.0, half, SOCKET_HALF_M),
        (-middle, 0.0, half, SOCKET_HALF_M),
        (0.0, middle, inner, half),
        (0.0, -middle, inner, half),
    ):
        _block(body, [sx, sy, rise], [x, y, z])


def _block(
    body: mujoco.MjsBody,
    half: list[float],
    at: list[float],
    quat: np.ndarray | tuple[float, ...] = (1.0, 0.0, 0.0, 0.0),
) -> None:
    body.add_geom(
        type=_BOX,
        size=half,
        pos=at,
        quat=quat,
        material="socket",
        contype=0,
        conaffinity=ROBOT_BIT | CUBE_BIT,
        condim=3,
        friction=FRICTION,
    )
