"""Puts the topics that describe the robot at one moment back together.

The body publishes ``imu/data``, ``foot_contacts`` and then ``joint_states``, all with one stamp;
they come by separate topics, so any of them may be last or missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor_msgs.msg import Imu, JointState

from fmrl_msgs.msg import FootContacts
from fmrl_nodes import conversions
from fmrl_nodes.stamps import Stamps
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import BoolArray, FloatArray, RobotState

MAX_LAG_S = 0.06
"""How much older than the joints the inertial measurement may be before it is too old to act on."""


@dataclass(frozen=True, slots=True)
class _Joints:
    stamp_s: float
    q: FloatArray
    dq: FloatArray
    tau: FloatArray | None


@dataclass(frozen=True, slots=True)
class _Inertia:
    stamp_s: float
    quaternion: FloatArray
    angular_velocity: FloatArray


@dataclass(frozen=True, slots=True)
class _Feet:
    stamp_s: float
    contacts: BoolArray


class Assembler:
    """Keeps the newest of each topic and offers each set of joint states once.

    What is kept has been converted, so that a message that means nothing leaves no trace.
    """

    def __init__(self, spec: RobotSpec) -> None:
        self._spec = spec
        self._needs_imu = spec.kind == "quadruped"
        self._stamps = Stamps()
        self._joints: _Joints | None = None
        self._imu: _Inertia | None = None
        self._contacts: _Feet | None = None

    def add_joints(self, message: JointState) -> RobotState | None:
        """Take joint states; return the observation if it is complete.

        Joint states that were still waiting for their companions are given up for these.

        Raises:
            BadMessage: they cannot be used, or their stamp is far off.
        """
        stamp = conversions.time_from_msg(message.header.stamp)
        joints = _Joints(stamp, *conversions.joint_state_from_msg(message, self._spec))
        self._stamps.check(stamp)
        waited = self._joints is not None
        self._joints = joints
        return self._offer(patient=not waited)

    def add_imu(self, message: Imu) -> RobotState | None:
        """Take an inertial measurement; return the observation if it was the last part.

        Raises:
            BadMessage: it cannot be used.
        """
        stamp = conversions.time_from_msg(message.header.stamp)
        self._imu = _Inertia(stamp, *conversions.imu_from_msg(message))
        return self._offer(patient=True)

    def add_contacts(self, message: FootContacts) -> RobotState | None:
        """Take foot contacts; return the observation if they were the last part.

        Raises:
            BadMessage: they cannot be used.
        """
        stamp = conversions.time_from_msg(message.header.stamp)
        self._contacts = _Feet(stamp, conversions.contacts_from_msg(message, self._spec.legs))
        return self._offer(patient=True)

    def _offer(self, *, patient: bool) -> RobotState | None:
        joints, imu, feet = self._joints, self._imu, self._contacts
        if joints is None:
            return None
        if not self._needs_imu:
            self._joints = None
            return RobotState(stamp_s=joints.stamp_s, q=joints.q, dq=joints.dq, tau=joints.tau)
        if imu is None or feet is None:
            return None
        limit = 1e-6 if patient else MAX_LAG_S
        if any(abs(joints.stamp_s - part.stamp_s) >= limit for part in (imu, feet)):
            return None
        self._joints = None
        return RobotState(
            stamp_s=joints.stamp_s,
            q=joints.q,
            dq=joints.dq,
            tau=joints.tau,
            quaternion=imu.quaternion,
            angular_velocity=imu.angular_velocity,
            contacts=feet.contacts,
        )
