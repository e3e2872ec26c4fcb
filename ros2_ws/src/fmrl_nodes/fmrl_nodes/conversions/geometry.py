"""Time, frames, poses. The one file where quaternions change order: wxyz inside, xyzw in ROS."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Quaternion, TransformStamped, Twist, Vector3
from geometry_msgs.msg import Pose as PoseMsg
from nav_msgs.msg import Odometry
from std_msgs.msg import Header

from fmrl_nodes.conversions.checks import finite
from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import (
    FloatArray,
    Pose,
    Velocity,
)

UNIT_NORM = 0.01
"""How far from 1 the norm of a quaternion may be; a driver that knows no orientation sends zeros.
"""


def time_to_msg(seconds: float) -> Time:
    """Seconds since the epoch of the clock in use."""
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def time_from_msg(message: Time) -> float:
    """Seconds since the epoch of the clock in use.

    Raises:
        BadMessage: its nanoseconds are a second or more.
    """
    if message.nanosec >= 10**9:
        raise BadMessage(f"expected less than 1e9 nanoseconds, got {message.nanosec}")
    return message.sec + message.nanosec * 1e-9


def header(stamp_s: float, frame: str = "") -> Header:
    """A header of that moment and frame."""
    return Header(stamp=time_to_msg(stamp_s), frame_id=frame)


def quaternion_to_msg(wxyz: FloatArray) -> Quaternion:
    """Quaternion wxyz, shape (4,), to ROS."""
    w, x, y, z = (float(v) for v in wxyz)
    return Quaternion(x=x, y=y, z=z, w=w)


def quaternion_from_msg(message: Quaternion) -> FloatArray:
    """Unit quaternion of ROS to wxyz, shape (4,).

    Raises:
        BadMessage: it is not finite or not of unit length.
    """
    wxyz = finite("quaternion", (message.w, message.x, message.y, message.z))
    norm = float(np.linalg.norm(wxyz))
    if abs(norm - 1.0) > UNIT_NORM:
        raise BadMessage(f"expected a unit quaternion, got {wxyz.tolist()} of norm {norm:.3g}")
    return wxyz


def vector_from_msg(message: Vector3 | Point, what: str) -> FloatArray:
    """A vector or a point of ROS, shape (3,); ``what`` names it in the error.

    Raises:
        BadMessage: it is not finite.
    """
    return finite(what, (message.x, message.y, message.z))


def pose_to_msg(pose: Pose) -> PoseMsg:
    """A pose without its frame."""
    x, y, z = (float(v) for v in pose.position)
    return PoseMsg(position=Point(x=x, y=y, z=z), orientation=quaternion_to_msg(pose.quaternion))


def pose_from_msg(message: PoseMsg, frame: str) -> Pose:
    """A pose in ``frame``.

    Raises:
        BadMessage: it is not finite, or its orientation is none.
    """
    return Pose(
        position=vector_from_msg(message.position, "position"),
        quaternion=quaternion_from_msg(message.orientation),
        frame=frame,
    )


def velocity_to_msg(velocity: Velocity) -> Twist:
    """A planar velocity as a Twist."""
    return Twist(
        linear=Vector3(x=float(velocity.vx), y=float(velocity.vy)),
        angular=Vector3(z=float(velocity.wz)),
    )


def velocity_from_msg(message: Twist) -> Velocity:
    """The planar part of a Twist.

    Raises:
        BadMessage: it is not finite.
    """
    vx, vy, wz = finite("velocity", (message.linear.x, message.linear.y, message.angular.z))
    return Velocity(vx=float(vx), vy=float(vy), wz=float(wz))


def transform_to_msg(
    parent: str, child: str, position: FloatArray, quaternion: FloatArray, stamp_s: float
) -> TransformStamped:
    """Pose of ``child`` in ``parent``; quaternion wxyz, shape (4,)."""
    message = TransformStamped(header=header(stamp_s, parent), child_frame_id=child)
    x, y, z = (float(v) for v in position)
    message.transform.translation = Vector3(x=x, y=y, z=z)
    message.transform.rotation = quaternion_to_msg(quaternion)
    return message


def odometry_to_msg(
    pose: Pose, linear: FloatArray, angular: FloatArray, child: str, stamp_s: float
) -> Odometry:
    """Where a floating base is in the frame of ``pose``, and how fast in its own, ``child``.

    Args:
        pose: of the base.
        linear: m/s in the base's frame, shape (3,).
        angular: rad/s in the base's frame, shape (3,).
        child: name of the base's frame.
        stamp_s: the moment.
    """
    message = Odometry(header=header(stamp_s, pose.frame), child_frame_id=child)
    message.pose.pose = pose_to_msg(pose)
    for target, values in (
        (message.twist.twist.linear, linear),
        (message.twist.twist.angular, angular),
    ):
        target.x, target.y, target.z = (float(v) for v in values)
    return message
