"""Puts the topics that describe the robot at one moment back together.

The body publishes ``imu/data``, ``foot_contacts`` and then ``joint_states``, all with one stamp;
they come by separate topics, so any of them may be last or missing.
"""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Imu, JointState

from fmrl_msgs.msg import FootContacts
from fmrl_nodes import conversions
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import RobotState

MAX_LAG_S = 0.06
"""How much older than the joints the inertial measurement may be before it is too old to act on."""


class Assembler:
    """Keeps the newest of each topic and offers each set of joint states once."""

    def __init__(self, spec: RobotSpec) -> None:
        self._spec = spec
        self._needs_imu = spec.kind == "quadruped"
        self._joints: JointState | None = None
        self._imu: Imu | None = None
        self._contacts: FootContacts | None = None

    def add_joints(self, message: JointState) -> RobotState | None:
        """Take joint states; return the observation if it is complete.

        Joint states that were still waiting for their companions are given up for these.
        """
        waited = self._joints is not None
        self._joints = message
        return self._offer(patient=not waited)

    def add_imu(self, message: Imu) -> RobotState | None:
        """Take an inertial measurement; return the observation if it was the last part."""
        self._imu = message
        return self._offer(patient=True)

    def add_contacts(self, message: FootContacts) -> RobotState | None:
        """Take foot contacts; return the observation if they were the last part."""
        self._contacts = message
        return self._offer(patient=True)

    def _offer(self, *, patient: bool) -> RobotState | None:
        joints = self._joints
        if joints is None:
            return None
        if self._needs_imu and not self._complete(joints, patient=patient):
            return None
        self._joints = None
        q, dq, tau = conversions.joint_state_from_msg(joints, self._spec)
        state = RobotState(
            stamp_s=conversions.time_from_msg(joints.header.stamp), q=q, dq=dq, tau=tau
        )
        if not self._needs_imu or self._imu is None or self._contacts is None:
            return state
        quaternion, rate = conversions.imu_from_msg(self._imu)
        return RobotState(
            stamp_s=state.stamp_s,
            q=q,
            dq=dq,
            tau=tau,
            quaternion=quaternion,
            angular_velocity=rate,
            contacts=conversions.contacts_from_msg(self._contacts, self._spec.legs),
        )

    def _complete(self, joints: JointState, *, patient: bool) -> bool:
        if self._imu is None or self._contacts is None:
            return False
        stamp = conversions.time_from_msg(joints.header.stamp)
        lag = np.array(
            [
                stamp - conversions.time_from_msg(other.header.stamp)
                for other in (self._imu, self._contacts)
            ]
        )
        return bool(np.all(np.abs(lag) < (1e-6 if patient else MAX_LAG_S)))
