"""Joints, inertial measurements, foot contacts and commands."""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import Imu, JointState

from fmrl_msgs import msg as fm
from fmrl_nodes.conversions.checks import finite, number, one_of, pairs
from fmrl_nodes.conversions.geometry import (
    header,
    quaternion_from_msg,
    quaternion_to_msg,
    time_from_msg,
    time_to_msg,
    vector_from_msg,
)
from fmrl_nodes.errors import BadMessage
from fmrl_robot.robots import RobotSpec
from fmrl_robot.safety import State
from fmrl_robot.types import (
    BoolArray,
    FloatArray,
    JointCommand,
    Leg,
)


def joint_state_to_msg(
    names: Sequence[str], q: FloatArray, dq: FloatArray, tau: FloatArray | None, stamp_s: float
) -> JointState:
    """Measured joints; q, dq and tau have shape (n,)."""
    return JointState(
        header=header(stamp_s),
        name=list(names),
        position=_doubles(q),
        velocity=_doubles(dq),
        effort=[] if tau is None else _doubles(tau),
    )


def joint_state_from_msg(
    message: JointState, spec: RobotSpec
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Position, velocity and effort in the order of ``spec``, shape (n,) each.

    Drivers fill in NaN for efforts that they do not measure; those are None here.

    Raises:
        BadMessage: a joint of the robot is missing or there twice, an array is not one entry a
            name, or a position or velocity is not finite.
    """
    names = tuple(message.name)
    count = len(names)
    if len(message.position) != count or len(message.velocity) != count:
        raise BadMessage(
            f"expected {count} positions and velocities, got {len(message.position)} and "
            f"{len(message.velocity)}"
        )
    if len(message.effort) not in (0, count):
        raise BadMessage(f"expected {count} efforts or none, got {len(message.effort)}")
    position, velocity, effort = (
        np.array(values, dtype=np.float64)
        for values in (message.position, message.velocity, message.effort)
    )
    if names != spec.joint_names:
        order = _order(names, spec)
        position, velocity = position[order], velocity[order]
        effort = effort[order] if effort.size else effort
    measured = effort.size > 0 and bool(np.isfinite(effort).all())
    return (
        finite("joint positions", position),
        finite("joint velocities", velocity),
        effort if measured else None,
    )


def _order(names: tuple[str, ...], spec: RobotSpec) -> list[int]:
    """Where each joint of the robot stands in ``names``; other robots' joints may be there too."""
    for name in spec.joint_names:
        times = names.count(name)
        if times != 1:
            raise BadMessage(
                f"expected joint {name} of {spec.name} once, got it {times} times in {names[:30]}"
            )
    return [names.index(name) for name in spec.joint_names]


def imu_to_msg(wxyz: FloatArray, angular_velocity: FloatArray, stamp_s: float, frame: str) -> Imu:
    """Orientation and body rates; acceleration is declared absent, as sensor_msgs/Imu says."""
    x, y, z = (float(v) for v in angular_velocity)
    message = Imu(
        header=header(stamp_s, frame),
        orientation=quaternion_to_msg(wxyz),
        angular_velocity=Vector3(x=x, y=y, z=z),
    )
    message.linear_acceleration_covariance[0] = -1.0
    return message


def imu_from_msg(message: Imu) -> tuple[FloatArray, FloatArray]:
    """Orientation wxyz, shape (4,), and angular velocity in rad/s, shape (3,).

    Raises:
        BadMessage: one is not finite, no rotation, or declared absent as sensor_msgs/Imu says.
    """
    for name in ("orientation", "angular_velocity"):
        if getattr(message, f"{name}_covariance")[0] == -1.0:
            raise BadMessage(f"expected an IMU that measures {name}, got it declared absent")
    rate = vector_from_msg(message.angular_velocity, "angular velocity")
    return quaternion_from_msg(message.orientation), rate


def contacts_to_msg(
    legs: Sequence[Leg], contacts: BoolArray, force_n: FloatArray, stamp_s: float
) -> fm.FootContacts:
    """Feet on the ground, one entry a leg."""
    return fm.FootContacts(
        header=header(stamp_s),
        legs=[leg.value for leg in legs],
        contact=[bool(c) for c in contacts],
        force_n=_doubles(force_n),
    )


def contacts_from_msg(message: fm.FootContacts, legs: Sequence[Leg]) -> BoolArray:
    """Feet on the ground in the order of ``legs``, shape (len(legs),).

    Raises:
        BadMessage: a leg is missing, or the contacts are not one entry a leg.
    """
    by_leg = dict(pairs("legs and contacts", message.legs, message.contact))
    missing = [leg.value for leg in legs if leg.value not in by_leg]
    if missing:
        raise BadMessage(f"expected the contact of leg {missing[0]}, got {list(by_leg)[:30]}")
    return np.array([by_leg[leg.value] for leg in legs], dtype=np.bool_)


def command_to_msg(command: JointCommand) -> fm.JointCommand:
    """A command as it travels to the gate."""
    return fm.JointCommand(
        header=header(command.stamp_s),
        seq=command.seq,
        observation_stamp=time_to_msg(command.observation_stamp_s),
        lease=command.lease,
        names=list(command.names),
        position=_doubles(command.position),
        velocity=_doubles(command.velocity),
        effort=_doubles(command.effort),
        kp=_doubles(command.kp),
        kd=_doubles(command.kd),
    )


def command_from_msg(message: fm.JointCommand) -> JointCommand:
    """A command as it came, unchecked but for its stamps: checking is the gate's business.

    Raises:
        BadMessage: a stamp is none.
    """
    return JointCommand(
        seq=message.seq,
        stamp_s=time_from_msg(message.header.stamp),
        observation_stamp_s=time_from_msg(message.observation_stamp),
        lease=message.lease,
        names=tuple(message.names),
        position=np.array(message.position),
        velocity=np.array(message.velocity),
        effort=np.array(message.effort),
        kp=np.array(message.kp),
        kd=np.array(message.kd),
    )


def gate_from_msg(message: fm.GateState) -> State:
    """Where the gate stands.

    Raises:
        BadMessage: the state is not known, or the delay is not finite.
    """
    number("delay_s", message.delay_s)
    return one_of(State, message.state)


def _doubles(values: FloatArray) -> Any:
    """A float64 array in the form that rosidl copies fastest."""
    return array.array("d", np.asarray(values, dtype=np.float64).tobytes())
