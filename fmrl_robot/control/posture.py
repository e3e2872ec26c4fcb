"""What a posture policy sees and does: one definition for training and for running.

A posture policy brings a quadruped from wherever it is to one posture and keeps it there: it stands
up from any fall, or sits down. It sees what a contact-pattern policy sees but commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract, contract_for
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, RobotState

COMMANDS = ("velocity_command", "contact_window")
OBSERVATIONS = tuple(term for term in loco.OBSERVATIONS if term[0] not in COMMANDS)
OBSERVATION_SIZE = sum(size for _, size, _ in OBSERVATIONS)
ACTION_SCALE = 0.6
"""Offset of a joint target from the default pose in rad for an action of 1."""
GRAVITY_TOLERANCE, JOINT_TOLERANCE_RAD = 0.2, 0.15
"""How near a posture is reached: the direction of gravity (a chord), and the mean joint."""
STILL_RAD_S = 1.0
"""No joint is faster in a posture that is kept."""
KEPT_S = 1.0
"""Kept for so long, a posture counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """Where a quadruped's body and legs are to be."""

    name: str
    pitch: float
    """Of the base, nose up, rad."""
    height_m: float
    """Of the base above the floor."""
    joints: FloatArray
    """In the RobotSpec's order, rad, shape (12,)."""

    @property
    def gravity(self) -> FloatArray:
        """Direction of gravity in the base's frame, shape (3,)."""
        return np.array([-np.sin(self.pitch), 0.0, -np.cos(self.pitch)])


def stand(spec: RobotSpec) -> Posture:
    """The stance from which policies walk."""
    return Posture(name="stand", pitch=0.0, height_m=spec.base_height_m, joints=spec.default)


def sit(spec: RobotSpec) -> Posture:
    """On the haunches, front legs straight, as a dog sits."""
    front, rear = [0.0, 1.15, -1.0], [0.0, 2.0, -2.65]
    return Posture(name="sit", pitch=0.8, height_m=0.24, joints=np.array([*front * 2, *rear * 2]))


POSTURES = {"stand-up": stand, "sit": sit}
"""By the name of the policy that reaches it."""


def posture_contract(spec: RobotSpec) -> PolicyContract:
    """What a posture policy of this robot has to state."""
    return contract_for(
        spec,
        observations=OBSERVATIONS,
        action_scale=[ACTION_SCALE] * spec.num_joints,
        command_names=(),
        max_action_delay_ms=20.0,
    )


class PosturePolicy:
    """One policy that reaches one posture, on one robot."""

    def __init__(self, spec: RobotSpec, name: str, policies: Path) -> None:
        """Load the policy ``name`` of POSTURES.

        Raises:
            ConfigError: it is missing, or contradicts the RobotSpec.
        """
        self._spec, self.posture = spec, POSTURES[name](spec)
        file = policies / f"{spec.name}-{name}" / "policy.onnx"
        self._runner = PolicyRunner(file, posture_contract(spec))
        self._action = np.zeros(spec.num_joints)
        self._kept_since_s: float | None = None

    def begin(self, target: FloatArray) -> None:
        """Go on from these joint targets, rad, shape (12,)."""
        self._runner.reset()
        self._action = (target - self._spec.default) / ACTION_SCALE
        self._kept_since_s = None

    def act(self, state: RobotState) -> FloatArray:
        """Return joint targets, rad, shape (12,).

        Raises:
            FmrlError: OBSERVATION_STALE; the state says nothing of the base.
        """
        spec = self._spec
        terms = loco.sensed(state, spec.default, self._action)
        if not self._reached(terms["projected_gravity"], state):
            self._kept_since_s = None
        elif self._kept_since_s is None:
            self._kept_since_s = state.stamp_s
        self._action = self._runner.act(terms)
        return loco.joint_targets(self._action, spec.default, spec.lower, spec.upper, ACTION_SCALE)

    def kept(self, now: float) -> bool:
        """Whether the posture has been kept for KEPT_S, as far as a robot can tell."""
        return self._kept_since_s is not None and now - self._kept_since_s >= KEPT_S

    def _reached(self, gravity: FloatArray, state: RobotState) -> bool:
        return bool(
            np.linalg.norm(gravity - self.posture.gravity) < GRAVITY_TOLERANCE
            and np.abs(state.q - self.posture.joints).mean() < JOINT_TOLERANCE_RAD
            and np.abs(state.dq).max() < STILL_RAD_S
        )
