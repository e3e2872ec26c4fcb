"""Where a quadruped's feet are, from its joint angles: closed form, no simulator.

Every leg is the same chain, mirrored: hip about x, thigh about y, calf about y. All of them are
computed at once, for this runs with every observation of a robot.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.robots import LegShape
from fmrl_robot.types import FloatArray

_FRONT = np.array([1.0, 1.0, -1.0, -1.0])
_LEFT = np.array([1.0, -1.0, 1.0, -1.0])
"""Signs of SAYTAP_LEGS."""


def feet_in_base(shape: LegShape, q: FloatArray) -> FloatArray:
    """Centres of the feet in the base's frame.

    Args:
        shape: of the legs.
        q: hip, thigh and calf of each leg in SAYTAP_LEGS order, rad, shape (12,).

    Returns:
        m, shape (4, 3).
    """
    hip, thigh, calf = q.reshape(4, 3).T
    shank = thigh + calf
    x = -shape.thigh_m * np.sin(thigh) - shape.calf_m * np.sin(shank)
    x += shape.foot_x_m * np.cos(shank)
    z = -shape.thigh_m * np.cos(thigh) - shape.calf_m * np.cos(shank)
    z -= shape.foot_x_m * np.sin(shank)
    y = _LEFT * shape.abduction_m
    c, s = np.cos(hip), np.sin(hip)
    return np.stack(
        [
            _FRONT * shape.hip_x_m + x,
            _LEFT * shape.hip_y_m + c * y - s * z,
            s * y + c * z,
        ],
        axis=1,
    )


def shanks_in_base(q: FloatArray) -> FloatArray:
    """Orientations of the shanks, the links that end in the feet, in the base's frame (4, 3, 3)."""
    hip, thigh, calf = q.reshape(4, 3).T
    c, s = np.cos(hip), np.sin(hip)
    d, t = np.cos(thigh + calf), np.sin(thigh + calf)
    zero = np.zeros(4)
    rows = [[d, zero, t], [s * t, c, -s * d], [-c * t, s, c * d]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=1)
