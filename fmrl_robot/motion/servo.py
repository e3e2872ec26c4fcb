"""Resolved-rate control: joint velocities that move the tool as asked while it points down.

Plain arrays in and out with a leading batch axis, so that training (hundreds of arms) and the
running controller (one) execute the same arithmetic.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.types import FloatArray

_DAMPING = 0.02
_UPRIGHT_GAIN = 4.0
"""rad/s of correction for each rad of tilt."""


def resolved_rate(
    jacobian: FloatArray, rotation: FloatArray, velocity: FloatArray, yaw_rate: FloatArray
) -> FloatArray:
    """Return joint velocities (n, 7), rad/s.

    Args:
        jacobian: of the tool in the base frame, linear over angular, shape (n, 6, 7).
        rotation: of the tool in the base frame, shape (n, 3, 3).
        velocity: wanted velocity of the tool in the base frame, m/s, shape (n, 3).
        yaw_rate: wanted turn about the base's z, rad/s, shape (n,).
    """
    down = np.array([0.0, 0.0, -1.0])
    tilt = np.cross(rotation[:, :, 2], down)
    twist = np.concatenate([velocity, _UPRIGHT_GAIN * tilt], axis=1)
    twist[:, 5] += yaw_rate
    transpose = jacobian.transpose(0, 2, 1)
    gram = jacobian @ transpose + _DAMPING**2 * np.eye(6)
    return (transpose @ np.linalg.solve(gram, twist[:, :, None]))[:, :, 0]


def yaw_of(rotation: FloatArray) -> FloatArray:
    """Heading of the tool's x axis in the base frame, rad, of rotations (..., 3, 3)."""
    return np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])


def wrap(angle: FloatArray, period: float = 2.0 * np.pi) -> FloatArray:
    """Bring angles into [-period / 2, period / 2)."""
    return (angle + period / 2.0) % period - period / 2.0
