"""Time along a joint-space path: as fast as velocity and acceleration limits allow.

The path is rounded at its corners, sampled finely, and swept forwards and backwards in the phase
plane (path position, path speed), as in time-optimal path parameterisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import FloatArray

_SPACING_RAD = 0.01
_ROUNDING = 15
"""Samples over which corners are averaged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trajectory:
    """Joint positions and velocities at a fixed period."""

    positions: FloatArray
    """Shape (ticks, joints)."""
    velocities: FloatArray
    """Shape (ticks, joints), rad/s."""
    dt_s: float

    @property
    def duration_s(self) -> float:
        """Length in time."""
        return (len(self.positions) - 1) * self.dt_s


def _densify(waypoints: FloatArray) -> FloatArray:
    """Resample at even spacing and round the corners, ends kept."""
    steps = np.abs(np.diff(waypoints, axis=0)).max(axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(3, int(np.ceil(length[-1] / _SPACING_RAD)) + 1)
    at = np.linspace(0.0, length[-1], count)
    dense = np.stack([np.interp(at, length, column) for column in waypoints.T], axis=1)
    reach = min(_ROUNDING // 2, (count - 1) // 2)
    if reach == 0 or len(waypoints) == 2:
        return dense
    # Mirroring about the ends keeps them in place and straight.
    head = 2 * dense[0] - dense[reach:0:-1]
    tail = 2 * dense[-1] - dense[-2 : -reach - 2 : -1]
    padded = np.concatenate([head, dense, tail])
    kernel = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.stack([np.convolve(c, kernel, mode="valid") for c in padded.T], axis=1)


def time_path(
    waypoints: FloatArray, velocity: FloatArray, acceleration: FloatArray, dt_s: float
) -> Trajectory:
    """Return a trajectory from rest to rest through ``waypoints``.

    Args:
        waypoints: shape (steps, joints), at least one.
        velocity: greatest speeds, rad/s, shape (joints,).
        acceleration: greatest accelerations, rad/s2, shape (joints,).
        dt_s: period of the samples.
    """
    moving = np.abs(np.diff(waypoints, axis=0)).max(axis=1, initial=0.0) > 1e-9
    waypoints = waypoints[np.concatenate([[True], moving])]
    if len(waypoints) < 2:
        return Trajectory(
            positions=waypoints.copy(), velocities=np.zeros_like(waypoints), dt_s=dt_s
        )
    path = _densify(waypoints)
    n = len(path)
    ds = 1.0 / (n - 1)
    slope = np.gradient(path, ds, axis=0)
    bend = np.gradient(slope, ds, axis=0)
    # Differences over samples understate the slope a little, hence the hundredth of headroom.
    fastest = 0.99 * (velocity / np.maximum(np.abs(slope), 1e-9)).min(axis=1)
    # Half of the acceleration pays for bends, half for speeding up and slowing down.
    fastest = np.minimum(
        fastest, np.sqrt((0.5 * acceleration / np.maximum(np.abs(bend), 1e-9)).min(axis=1))
    )
    along = (0.5 * acceleration / np.maximum(np.abs(slope), 1e-9)).min(axis=1)
    speed = fastest.copy()
    speed[0] = speed[-1] = 0.0
    for i in range(1, n):
        speed[i] = min(speed[i], np.sqrt(speed[i - 1] ** 2 + 2 * along[i - 1] * ds))
    for i in range(n - 2, -1, -1):
        speed[i] = min(speed[i], np.sqrt(speed[i + 1] ** 2 + 2 * along[i + 1] * ds))
    times = np.concatenate([[0.0], np.cumsum(2 * ds / np.maximum(speed[1:] + speed[:-1], 1e-6))])
    ticks = np.arange(0.0, times[-1] + dt_s, dt_s)
    positions = np.stack([np.interp(ticks, times, column) for column in path.T], axis=1)
    velocities = np.gradient(positions, dt_s, axis=0)
    velocities[0] = velocities[-1] = 0.0
    return Trajectory(positions=positions, velocities=velocities, dt_s=dt_s)
