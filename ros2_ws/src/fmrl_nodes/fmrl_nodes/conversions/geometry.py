"""Time, frames, poses. The one file where quaternions change order: wxyz inside, xyzw in ROS."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Quaternion, Twist, Vector3
from geometry_msgs.msg import Pose as PoseMsg
from std_msgs.msg import Header

from fmrl_robot.types import (
    FloatArray,
    Pose,
    Velocity,
)


def time_to_msg(seconds: float) -> Time:
    """Seconds since the epoch of the clock in use."""
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def time_from_msg(message: Time) -> float:
    """Seconds since the epoch of the clock in use."""
    return message.sec + message.nanosec * 1e-9


def header(stamp_s: float, frame: str = "") -> Header:
    """A header of that moment and frame."""
    return Header(stamp=time_to_msg(stamp_s), frame_id=frame)


def quaternion_to_msg(wxyz: FloatArray) -> Quaternion:
    """Quaternion wxyz, shape (4,), to ROS."""
    w, x, y, z = (float(v) for v in wxyz)
    return Quaternion(x=x, y=y, z=z, w=w)


def quaternion_from_msg(message: Quaternion) -> FloatArray:
    """Quaternion of ROS to wxyz, shape (4,)."""
    return np.array([message.w, message.x, message.y, message.z], dtype=np.float64)


def pose_to_msg(pose: Pose) -> PoseMsg:
    """A pose without its frame."""
    x, y, z = (float(v) for v in pose.position)
    return PoseMsg(position=Point(x=x, y=y, z=z), orientation=quaternion_to_msg(pose.quaternion))


def pose_from_msg(message: PoseMsg, frame: str) -> Pose:
    """A pose in ``frame``."""
    p = message.position
    return Pose(
        position=np.array([p.x, p.y, p.z], dtype=np.float64),
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
    """The planar part of a Twist."""
    return Velocity(vx=message.linear.x, vy=message.linear.y, wz=message.angular.z)
