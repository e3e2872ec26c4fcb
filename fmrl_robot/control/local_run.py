"""One run of a local policy: when it decides, what it commands between decisions, when it is over.

A decision holds for three, then two, then three ticks of the command period, so that the policy
runs at its own 20 Hz on average beneath a 50 Hz command.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.arm_skill import WrittenPolicy
from fmrl_robot.control.local_policy import LocalPolicy
from fmrl_robot.motion.kinematics import ArmKinematics
from fmrl_robot.types import FloatArray, RobotState

HOLDING_M = (0.010, 0.028)
"""Finger positions between which the hand holds a cube: neither shut nor open."""
_RELEASED_M = 0.030
_LIFTED_M, _AWAY_M, _PULLED_M = 0.05, 0.035, 0.145


def tool_state(kinematics: ArmKinematics, q: FloatArray) -> ls.ToolState:
    """Kinematics of the tool at ``q`` (n,), as a batch of one."""
    position, rotation = kinematics.tool(q)
    return ls.ToolState(
        position=position[None], rotation=rotation[None], jacobian=kinematics.jacobian(q)[None]
    )


class LocalRun:
    """A local policy at work on one target."""

    def __init__(
        self,
        kinematics: ArmKinematics,
        policy: LocalPolicy | WrittenPolicy,
        target: FloatArray,
        closed: bool,
    ) -> None:
        """Begin at ``target`` (x, y, z, heading) with the gripper as it is."""
        self.closed = closed
        """Whether the gripper is to be closed."""
        self.grip: FloatArray | None = None
        """Of what was grasped: its centre in the tool's frame, m, shape (3,)."""
        self._kinematics, self._policy, self._target = kinematics, policy, target
        self._decisions, self._left, self._next = 0, 0, 3
        self._action = np.zeros((1, ls.NUM_ACTIONS))
        self._velocity = np.zeros(7)
        self._mark: float | None = None

    def tick(self, state: RobotState, q_command: FloatArray) -> FloatArray | None:
        """Return the joint velocities (7,) for the next command period; None: it is over."""
        if self._left == 0:
            if self._decisions >= self._policy.skill.steps or self._done(state):
                return None
            self._decide(state, q_command)
            self._left, self._next = self._next, 5 - self._next
        self._left -= 1
        return self._velocity

    def _decide(self, state: RobotState, q_command: FloatArray) -> None:
        tool = tool_state(self._kinematics, state.q)
        terms = ls.observation_terms(
            tool,
            state.q[None],
            state.dq[None],
            q_command[None],
            self._target[None],
            self._action,
        )
        self._action = np.clip(self._policy(terms), -1.0, 1.0)
        self._velocity = ls.joint_velocity(tool, self._action)[0]
        was = np.array([self.closed])
        self.closed = bool(ls.gripper_closed(self._policy.skill, self._action, was)[0])
        self._decisions += 1

    def _done(self, state: RobotState) -> bool:
        """Whether fingers and hand say that the skill has done its part."""
        position, rotation = self._kinematics.tool(state.q)
        match self._policy.skill.name:
            case "grasp":
                return self._lifted(state, position, rotation)
            case "place":
                if float(state.q[-1]) < _RELEASED_M or self._mark is None:
                    self._mark = float(position[2])
                return bool(position[2] > self._mark + _AWAY_M)
            case "open":
                yaw = self._target[3] - np.pi / 2
                pulled = -(position - self._target[:3])[:2] @ np.array([np.cos(yaw), np.sin(yaw)])
                return bool(pulled > _PULLED_M)
            case _:
                return False

    def _lifted(self, state: RobotState, position: FloatArray, rotation: FloatArray) -> bool:
        if not self.closed:
            self._mark = None
            return False
        if self._mark is None:
            self._mark = float(position[2])
        holding = self.closed and holds(state)
        if self.grip is None and holding and abs(float(state.dq[-1])) < 0.01:
            self.grip = rotation.T @ (self._target[:3] - position)
        return holding and bool(position[2] > self._mark + _LIFTED_M)


def holds(state: RobotState) -> bool:
    """Whether the fingers stand as they do around a cube (they must be told to close)."""
    return HOLDING_M[0] < float(state.q[-1]) < HOLDING_M[1]
