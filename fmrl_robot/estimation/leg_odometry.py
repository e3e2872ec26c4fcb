"""Where a quadruped is and how fast it goes, from what it feels: joints, feet, inertia.

A foot on the ground does not move, so that the base moves against it as the leg's joints say; a
round foot rolls, which is worth several per cent of the way and is counted. These displacements,
one for each foot that stood all the while between two observations, measure the base's velocity in
a Kalman filter that goes on as it went, or as a throw while no foot stands. Attitude is the
inertial unit's own.

After Bloesch et al., "State estimation for legged robots - consistent fusion of leg kinematics and
IMU", RSS 2012. What differs: attitude is taken as given and feet are no states; a foot that moves
unlike the others is left out; the accelerometer is not used, for at the rate of observations its
samples, taken amid impacts, made way and velocity worse. And height is that above the ground on
which the feet stand: feet sink in and come out again, which summed up would be 6 % of the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fmrl_robot.estimation.leg_kinematics import feet_in_base, shanks_in_base
from fmrl_robot.robots import LegShape
from fmrl_robot.types import BoolArray, FloatArray, RobotState

GAP_S = 0.2
"""Observations further apart tell nothing of the way between them."""
ACCELERATION_M_S2 = 2.0
"""Standard deviation of what the prediction misses: it is sampled at the rate of observations."""
FOOT_M_S = 0.1
"""Standard deviation of what a standing foot measures."""
SLIP_M_S = 0.3
"""A foot that tells a velocity this far from that of all feet together slips, or swings."""
GRAVITY_M_S2 = 9.81


@dataclass(frozen=True, slots=True)
class _Felt:
    """What is kept of an observation."""

    stamp_s: float
    feet: FloatArray
    """From the base, m, in axes of the frame of odometry, shape (4, 3)."""
    shanks: FloatArray
    """Orientations in that frame, shape (4, 3, 3)."""
    contacts: BoolArray


class LegOdometry:
    """Adds position and velocity of the base to observations that lack them."""

    def __init__(self, shape: LegShape) -> None:
        """Begin at the origin, at rest; the frame's axes are those of the inertial unit."""
        self._shape = shape
        self.restart()

    def restart(self) -> None:
        """Begin anew at the origin: the robot has been put elsewhere."""
        self._position, self._velocity = np.zeros(3), np.zeros(3)
        self._variance = 0.0
        self._last: _Felt | None = None

    def locate(self, state: RobotState) -> RobotState:
        """Return ``state`` with the base's position and velocity; as it is without an IMU."""
        if state.quaternion is None or state.contacts is None:
            return state
        turn = rotation(state.quaternion)
        felt = _Felt(
            state.stamp_s,
            feet_in_base(self._shape, state.q) @ turn.T,
            turn @ shanks_in_base(state.q),
            state.contacts,
        )
        last, self._last = self._last, felt
        if last is not None and 0.0 < felt.stamp_s - last.stamp_s < GAP_S:
            self._move(last, felt)
        elif last is not None:
            self._velocity, self._variance = np.zeros(3), 1.0
        if felt.contacts.any():
            sole = felt.feet[felt.contacts, 2].mean() - self._shape.foot_radius_m
            self._position[2] = -sole
        return replace(
            state, position=self._position.copy(), linear_velocity=turn.T @ self._velocity
        )

    def _move(self, last: _Felt, felt: _Felt) -> None:
        """Predict, correct by the feet that stood, and go on by what is then believed."""
        dt = felt.stamp_s - last.stamp_s
        standing = last.contacts & felt.contacts
        falls = np.zeros(3) if standing.any() else np.array([0.0, 0.0, -GRAVITY_M_S2])
        mean = self._velocity + 0.5 * dt * falls
        self._variance += (ACCELERATION_M_S2 * dt) ** 2
        seen = self._displacements(last, felt)[standing] / dt
        if len(seen) > 1:
            ordered = np.sort(seen, axis=0)
            middle = 0.5 * (ordered[(len(seen) - 1) // 2] + ordered[len(seen) // 2])
            off = seen - middle
            seen = seen[(off * off).sum(axis=1) < SLIP_M_S**2]
        if len(seen):
            noise = FOOT_M_S**2 / len(seen)
            gain = self._variance / (self._variance + noise)
            mean = mean + gain * (seen.mean(axis=0) - mean)
            self._variance *= 1.0 - gain
        self._position = self._position + dt * mean
        self._velocity = mean + 0.5 * dt * falls

    def _displacements(self, last: _Felt, felt: _Felt) -> FloatArray:
        """How the base moved if a foot stood, m, for each foot, shape (4, 3)."""
        turned = felt.shanks @ np.swapaxes(last.shanks, 1, 2)
        # A small rotation as a vector; about it the sphere rolls over the ground below it.
        x = 0.5 * (turned[:, 2, 1] - turned[:, 1, 2])
        y = 0.5 * (turned[:, 0, 2] - turned[:, 2, 0])
        rolled = self._shape.foot_radius_m * np.stack([y, -x, np.zeros(4)], axis=1)
        return rolled + last.feet - felt.feet


def rotation(wxyz: FloatArray) -> FloatArray:
    """Matrix of a unit quaternion, shape (3, 3)."""
    w, x, y, z = wxyz / np.linalg.norm(wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
