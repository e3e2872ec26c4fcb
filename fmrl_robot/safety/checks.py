"""What a joint command must satisfy, one function a law; each returns why not, or None.

A whole command is refused for one bad value. Clamping would not stop NaN, and it would turn a
broken controller into one that moves.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.errors import ErrorCode, apart
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, JointCommand

Refusal = tuple[ErrorCode, str]

_SLACK = 1e-6
"""For sums that float arithmetic rounds beyond a limit, not for controllers."""


def complete(command: JointCommand, spec: RobotSpec) -> Refusal | None:
    """Every joint is named, in the robot's order, and every array has one entry a joint."""
    if command.names != spec.joint_names:
        return (
            ErrorCode.COMMAND_INCOMPLETE,
            f"expected the joints {list(spec.joint_names)} in this order, got "
            f"{list(command.names)!r}",
        )
    for name, values in _arrays(command).items():
        if np.shape(values) != (spec.num_joints,):
            return (
                ErrorCode.COMMAND_INCOMPLETE,
                f"expected {spec.num_joints} values of {name}, got shape {np.shape(values)}",
            )
    return None


def finite(command: JointCommand) -> Refusal | None:
    """No value is NaN or infinite, the stamps included."""
    stamps = (command.stamp_s, command.observation_stamp_s)
    for name, values in {**_arrays(command), "stamps": np.array(stamps)}.items():
        if not np.all(np.isfinite(values)):
            return ErrorCode.COMMAND_NOT_FINITE, f"expected finite {name}, got {values!r}"
    return None


def within_limits(command: JointCommand, spec: RobotSpec) -> Refusal | None:
    """Positions, velocities, efforts and gains lie within the robot's limits."""
    laws = (
        ("position", command.position, spec.lower, spec.upper, ErrorCode.POSITION_LIMIT),
        ("velocity", command.velocity, -spec.velocity, spec.velocity, ErrorCode.VELOCITY_LIMIT),
        ("effort", command.effort, -spec.effort, spec.effort, ErrorCode.EFFORT_LIMIT),
        ("kp", command.kp, np.zeros_like(spec.kp), spec.kp_limit, ErrorCode.GAIN_LIMIT),
        ("kd", command.kd, np.zeros_like(spec.kd), spec.kd_limit, ErrorCode.GAIN_LIMIT),
    )
    for name, values, low, high, code in laws:
        bad = np.flatnonzero((values < low - _SLACK) | (values > high + _SLACK))
        if bad.size:
            i = int(bad[0])
            got, least, most = apart(values[i], low[i], high[i])
            joint = spec.joint_names[i]
            return code, f"expected {name} of {joint} within [{least}, {most}], got {got}"
    return None


def small_step(
    command: JointCommand, spec: RobotSpec, reference: FloatArray, periods: float
) -> Refusal | None:
    """No target is further from ``reference`` than ``periods`` command periods allow."""
    step = np.abs(command.position - reference)
    # So written, a joint whose measured position is NaN moves nothing.
    bad = np.flatnonzero(~(step <= spec.step * periods + _SLACK))
    if not bad.size:
        return None
    i = int(bad[0])
    got, most = apart(step[i], spec.step[i] * periods)
    return ErrorCode.STEP_LIMIT, (
        f"expected {spec.joint_names[i]} to move its target by at most {most}, got {got}; "
        "approach in smaller steps"
    )


def _arrays(command: JointCommand) -> dict[str, FloatArray]:
    return {
        "position": command.position,
        "velocity": command.velocity,
        "effort": command.effort,
        "kp": command.kp,
        "kd": command.kd,
    }
