"""What a contact-pattern policy sees and does: one definition for training and for running.

Every function works on arrays of any library (numpy here, torch in training) with any leading
shape, so that thousands of simulated robots and the one that is being controlled share it. Joints
and legs stand in the order of SAYTAP_LEGS: hip, thigh and calf of FL, FR, RL, RR.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.types import FloatArray, RobotState

Array = TypeVar("Array")
"""Of numpy, torch, or any library with the array API."""

WINDOW = 5
"""Columns of the pattern that the policy sees ahead (SayTap's L_w)."""
ACTION_SCALE = 0.3
"""Offset of a joint target in rad for an action of 1."""
HEADING_GAIN, HEADING_MAX = 1.0, 0.3
"""From an error of heading in rad to a turn in rad/s, and its bound."""

Observations = tuple[tuple[str, int, float], ...]
"""Name, size and scale of each term."""

OBSERVATIONS: Observations = (
    ("base_angular_velocity", 3, 0.25),
    ("projected_gravity", 3, 1.0),
    ("velocity_command", 3, 2.0),
    ("joint_position", 12, 1.0),
    ("joint_velocity", 12, 0.05),
    ("last_action", 12, 0.5),
    ("contact_window", 4 * WINDOW, 1.0),
)
"""Of a contact-pattern policy; joint positions are relative to the default pose."""
LINEAR_VELOCITY = "base_linear_velocity"
"""A term that no policy of this project's own sees: what odometry makes of the base's speed."""
OBSERVATION_SIZE = sum(size for _, size, _ in OBSERVATIONS)

Indices = npt.NDArray[np.int64]

_OTHER_SIDE = (1, 0, 3, 2)
_JOINT_SWAP = np.array([3 * leg + part for leg in _OTHER_SIDE for part in range(3)])
_JOINT_SIGN = np.tile([-1.0, 1.0, 1.0], 4)
_WINDOW_SWAP = np.array([WINDOW * leg + k for leg in _OTHER_SIDE for k in range(WINDOW)])


def scales_of(observations: Observations) -> FloatArray:
    """Scale of each number of an observation."""
    return np.concatenate([np.full(size, scale) for _, size, scale in observations])


SCALES = scales_of(OBSERVATIONS)


def projected_gravity(quaternion: Array) -> Array:
    """Direction of gravity in the base's frame; quaternion wxyz (..., 4), result (..., 3)."""
    xp: Any = array_namespace(quaternion)
    w, x, y, z = _parts(quaternion)
    return xp.stack(
        [-2 * (x * z - w * y), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1.0], axis=-1
    )


def window_at(contacts: npt.NDArray[np.bool_], column: int) -> FloatArray:
    """The next WINDOW columns of a cyclic pattern (legs, length), leg by leg, shape (20,)."""
    columns = (column + np.arange(WINDOW)) % contacts.shape[1]
    return contacts[:, columns].astype(np.float64).reshape(-1)


def observe(
    terms: Mapping[str, Array], scales: Any = SCALES, observations: Observations = OBSERVATIONS
) -> Array:
    """Concatenate the terms of ``observations``, shape (..., n), and scale them."""
    rows = [terms[name] for name, _, _ in observations]
    xp: Any = array_namespace(*rows)
    return xp.concat(rows, axis=-1) * scales


def sensed(
    state: RobotState, default: FloatArray, last_action: FloatArray
) -> dict[str, FloatArray]:
    """The terms that a robot's own sensors give, unscaled.

    Raises:
        FmrlError: OBSERVATION_STALE; the state says nothing of the base.
    """
    if state.quaternion is None or state.angular_velocity is None:
        raise FmrlError(
            "expected orientation and angular velocity of the base, got none; is the IMU up?",
            ErrorCode.OBSERVATION_STALE,
        )
    speed: Mapping[str, FloatArray] = (
        {} if state.linear_velocity is None else {LINEAR_VELOCITY: state.linear_velocity}
    )
    return {
        **speed,
        "base_angular_velocity": state.angular_velocity,
        "projected_gravity": projected_gravity(state.quaternion),
        "joint_position": state.q - default,
        "joint_velocity": state.dq,
        "last_action": last_action,
    }


def joint_targets(
    action: Array, default: Array, lower: Array, upper: Array, scale: float = ACTION_SCALE
) -> Array:
    """Joint positions that an action (..., 12) asks for, within the joints' limits."""
    xp: Any = array_namespace(action)
    wanted: Any = default + scale * action  # pyright: ignore[reportOperatorIssue]
    return xp.clip(wanted, lower, upper)


def keep_heading(wz: Array, error: Array) -> Array:
    """Turn rate in rad/s that also takes back an error of heading in rad, of any shape."""
    xp: Any = array_namespace(wz, error)
    wrapped: Any = (error + np.pi) % (2 * np.pi) - np.pi  # pyright: ignore[reportOperatorIssue]
    return wz + xp.clip(HEADING_GAIN * wrapped, -HEADING_MAX, HEADING_MAX)


def yaw_of(quaternion: Array) -> Array:
    """Heading in rad of a quaternion wxyz (..., 4)."""
    xp: Any = array_namespace(quaternion)
    w, x, y, z = _parts(quaternion)
    return xp.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def heading_of(state: RobotState) -> float:
    """Heading in rad of a robot; 0 where nothing is known of its base."""
    return 0.0 if state.quaternion is None else float(yaw_of(state.quaternion))


def _parts(quaternion: Any) -> tuple[Any, Any, Any, Any]:
    return tuple(quaternion[..., i] for i in range(4))  # pyright: ignore[reportReturnType]


def mirror_observation(
    observations: Observations = OBSERVATIONS,
) -> tuple[Indices, FloatArray]:
    """Permutation and signs, (n,) each, that reflect an observation left to right."""
    angular, vector = np.array([-1.0, 1.0, -1.0]), np.array([1.0, -1.0, 1.0])
    parts: dict[str, tuple[Indices, FloatArray]] = {
        "base_angular_velocity": (np.arange(3), angular),
        "projected_gravity": (np.arange(3), vector),
        "velocity_command": (np.arange(3), np.array([1.0, -1.0, -1.0])),
        "joint_position": (_JOINT_SWAP, _JOINT_SIGN),
        "joint_velocity": (_JOINT_SWAP, _JOINT_SIGN),
        "last_action": (_JOINT_SWAP, _JOINT_SIGN),
        "contact_window": (_WINDOW_SWAP, np.ones(4 * WINDOW)),
    }
    swaps: list[Indices] = []
    signs: list[FloatArray] = []
    start = 0
    for name, size, _ in observations:
        swap, sign = parts[name]
        swaps.append(start + swap)
        signs.append(sign)
        start += size
    return np.concatenate(swaps), np.concatenate(signs)


def mirror_action() -> tuple[Indices, FloatArray]:
    """Permutation and signs, (12,) each, that reflect an action left to right."""
    return _JOINT_SWAP.copy(), _JOINT_SIGN.copy()
