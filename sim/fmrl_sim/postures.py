"""Which posture a quadruped is in, from the height and the tilt of its base on flat ground."""

from __future__ import annotations

import mujoco
import numpy as np

POSTURES = ("standing", "crouching", "bowing", "sitting", "lying", "fallen")
LEVEL_RAD, LEANING_RAD = 0.35, 0.3
"""Most roll of a robot that has not tipped; pitch from which it sits or bows."""
FALLEN_UP = 0.5
"""Upward part of the base's z axis below which a robot has fallen: 60 degrees."""
STANDING_M, CROUCHING_M, LYING_M = 0.25, (0.15, 0.22), 0.14
"""Heights of the base: more than, between, less than."""
SITTING_BELOW_M = 0.3
"""Height of the base under which a robot that leans back sits."""
_HEIGHT_SPREAD_M = 0.1
"""By which heights differ among postures, as angles do by LEANING_RAD."""


def posture(data: mujoco.MjData, base: str) -> str | None:
    """Return the posture of the quadruped whose base is the body ``base``; None: in between."""
    upright, height, pitch, roll = _pose(data, base)
    return posture_of(height, pitch, roll, upright)


def posture_of(height: float, pitch: float, roll: float, upright: float) -> str | None:
    """Return the posture of a base.

    Args:
        height: above the floor, m.
        pitch: nose down, rad.
        roll: rad.
        upright: upward part of its z axis.
    """
    if upright < FALLEN_UP:
        return "fallen"
    if abs(roll) > LEVEL_RAD:
        return None
    if pitch < -LEANING_RAD:
        return "sitting" if height < SITTING_BELOW_M else None
    if pitch > LEANING_RAD:
        return "bowing"
    if height < LYING_M:
        return "lying"
    if CROUCHING_M[0] < height < CROUCHING_M[1]:
        return "crouching"
    return "standing" if height > STANDING_M and abs(pitch) < 0.2 else None


def sitting_margin(data: mujoco.MjData, base: str) -> float:
    """How far a quadruped is from sitting or no longer doing so, in spreads of what decides it."""
    upright, height, pitch, roll = _pose(data, base)
    return min(
        (-LEANING_RAD - pitch) / LEANING_RAD,
        (SITTING_BELOW_M - height) / _HEIGHT_SPREAD_M,
        (LEVEL_RAD - abs(roll)) / LEANING_RAD,
        (upright - FALLEN_UP) / FALLEN_UP,
    )


def _pose(data: mujoco.MjData, base: str) -> tuple[float, float, float, float]:
    """Upward part of the base's z axis, its height in m, its pitch and roll in rad."""
    up = data.body(base).xmat.reshape(3, 3)[2]
    pitch = float(np.arcsin(np.clip(-up[0], -1, 1)))
    return float(up[2]), float(data.body(base).xpos[2]), pitch, float(np.arctan2(up[1], up[2]))
