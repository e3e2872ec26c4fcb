"""Resolved-rate control: joint velocities that move the tool as asked while it points down.

Arrays of any library (numpy here, torch in training) with a leading batch axis, so that hundreds of
simulated arms and the one that is being controlled execute the same arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

Array = Any
"""Of numpy, torch, or any library with the array API."""

_DAMPING = 0.02
_UPRIGHT_GAIN = 4.0
"""rad/s of correction for each rad of tilt."""


def resolved_rate(jacobian: Array, rotation: Array, velocity: Array, yaw_rate: Array) -> Array:
    """Return joint velocities (n, 7), rad/s.

    Args:
        jacobian: of the tool in the base frame, linear over angular, shape (n, 6, 7).
        rotation: of the tool in the base frame, shape (n, 3, 3).
        velocity: wanted velocity of the tool in the base frame, m/s, shape (n, 3).
        yaw_rate: wanted turn about the base's z, rad/s, shape (n,).
    """
    xp: Any = array_namespace(jacobian)
    # The tool's z axis crossed with straight down: the tilt, which has no part about z.
    x, y = rotation[:, 0, 2], rotation[:, 1, 2]
    turn = xp.stack([-_UPRIGHT_GAIN * y, _UPRIGHT_GAIN * x, yaw_rate], axis=-1)
    twist = xp.concat([velocity, turn], axis=-1)
    transpose = xp.matrix_transpose(jacobian)
    damping = _DAMPING**2 * xp.eye(6, dtype=jacobian.dtype, device=jacobian.device)
    gram = jacobian @ transpose + damping
    return (transpose @ xp.linalg.solve(gram, twist[:, :, None]))[:, :, 0]


def yaw_of(rotation: Array) -> Array:
    """Heading of the tool's x axis in the base frame, rad, of rotations (..., 3, 3)."""
    xp: Any = array_namespace(rotation)
    return xp.atan2(rotation[..., 1, 0], rotation[..., 0, 0])


def wrap(angle: Array, period: float = 2.0 * np.pi) -> Array:
    """Bring angles into [-period / 2, period / 2)."""
    return (angle + period / 2.0) % period - period / 2.0
