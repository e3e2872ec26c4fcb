"""What a velocity policy sees and does: one definition for training and for running.

A velocity policy walks at a commanded velocity, on even ground and on rough, and stands where the
command is zero. It chooses its gait itself, and sees no ground: it feels it through its joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract, contract_for
from fmrl_robot.control.runner import PolicyRunner, terms_of
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, RobotState, Velocity

OBSERVATIONS = tuple(term for term in loco.OBSERVATIONS if term[0] != "contact_window")
SPEED_OBSERVATIONS = ((loco.LINEAR_VELOCITY, 3, 1.0), *OBSERVATIONS)
"""Of policies trained elsewhere that are told the speed of their base, m/s in its own frame."""
OBSERVATION_SIZE = sum(size for _, size, _ in OBSERVATIONS)
ACTION_SCALE = loco.ACTION_SCALE
"""Offset of a joint target from the default pose in rad for an action of 1."""
SKILL, POLICY = "walk", "velocity"
"""Names of the skill, and of its policy behind the robot's."""
VELOCITY_MAX = Velocity(vx=1.0, vy=0.5, wz=1.0)
"""Greatest command in training; beyond it commands are cut off."""


def velocity_contract(
    spec: RobotSpec, observations: loco.Observations = OBSERVATIONS
) -> PolicyContract:
    """What a velocity policy of this robot has to state."""
    return contract_for(
        spec,
        observations=observations,
        action_scale=[ACTION_SCALE] * spec.num_joints,
        command_names=("velocity_command",),
        max_action_delay_ms=20.0,
    )


def bounded(velocity: Velocity, most: Velocity) -> Velocity:
    """Cut a command off at the greatest one; what is no number becomes zero."""
    asked = np.array([velocity.vx, velocity.vy, velocity.wz])
    limit = np.array([most.vx, most.vy, most.wz])
    vx, vy, wz = np.clip(np.nan_to_num(asked), -limit, limit).tolist()
    return Velocity(vx=vx, vy=vy, wz=wz)


class VelocityPolicy:
    """The policy that walks one robot at any velocity."""

    def __init__(self, spec: RobotSpec, policies: Path, imported: str = "") -> None:
        """Load the policy.

        Args:
            spec: the robot.
            policies: folder of policies.
            imported: the one to take instead of the robot's own, a name in that folder or a path;
                its gains, history, period and latency are its own.

        Raises:
            ConfigError: it is missing, contradicts the RobotSpec, or asks for more than it bears.
        """
        self._spec = spec
        own = f"{spec.name}-{POLICY}"
        file = policies / (imported or own) / "policy.onnx"
        elsewhere = spec if imported not in ("", own) else None
        wanted = velocity_contract(spec)
        if elsewhere is not None and loco.LINEAR_VELOCITY in terms_of(file):
            wanted = velocity_contract(spec, SPEED_OBSERVATIONS)
        self._runner = PolicyRunner(file, wanted, trained_elsewhere=elsewhere)
        contract = self._runner.contract
        self.kp, self.kd = np.array(contract.joint_stiffness), np.array(contract.joint_damping)
        self.max_delay_s = contract.max_action_delay_ms / 1000.0
        self._every = round(contract.control_dt / spec.command_dt_s)
        self._calls = 0
        self._action = np.zeros(spec.num_joints)
        self._heading: float | None = None

    def begin(self, target: FloatArray) -> None:
        """Go on from these joint targets, rad, shape (12,)."""
        self._runner.reset()
        self._action = (target - self._spec.default) / ACTION_SCALE
        self._heading, self._calls = None, 0

    def act(self, state: RobotState, velocity: Velocity) -> FloatArray:
        """Return joint targets that walk at ``velocity``, rad, shape (12,).

        A command that does not turn keeps the heading too. Between two decisions of a policy that
        is slower than the commands, its targets stand.

        Raises:
            FmrlError: OBSERVATION_STALE; the state says nothing of the base.
        """
        spec, asked = self._spec, bounded(velocity, VELOCITY_MAX)
        if self._calls % self._every == 0:
            terms = loco.sensed(state, spec.default, self._action)
            self._check_speed(terms)
            command = np.array([asked.vx, asked.vy, self._turn(state, asked)])
            self._action = self._runner.act({**terms, "velocity_command": command})
        self._calls += 1
        return loco.joint_targets(self._action, spec.default, spec.lower, spec.upper, ACTION_SCALE)

    def _check_speed(self, terms: Mapping[str, FloatArray]) -> None:
        wanted = loco.LINEAR_VELOCITY in self._runner.contract.observation_names
        if wanted and loco.LINEAR_VELOCITY not in terms:
            raise FmrlError(
                "expected the speed of the base for this policy, got none; give the RobotSpec of "
                f"{self._spec.name!r} a leg_shape, and see that its foot contacts are up",
                ErrorCode.OBSERVATION_STALE,
            )

    def _turn(self, state: RobotState, asked: Velocity) -> float:
        if asked.wz or not (asked.vx or asked.vy):
            self._heading = None
            return asked.wz
        yaw = loco.heading_of(state)
        if self._heading is None:
            self._heading = yaw
        return float(loco.keep_heading(np.array(0.0), np.array(self._heading - yaw)))
