"""Runs a contact-pattern policy: which pattern, which of its columns, at which velocity."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract, contract_for
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import (
    SAYTAP_LEGS,
    BoolArray,
    ContactPattern,
    FloatArray,
    RobotState,
    Velocity,
)

STAND: BoolArray = np.ones((4, 26), dtype=np.bool_)
"""Every foot on the ground."""


def trot() -> BoolArray:
    """Diagonal legs together, legs in SAYTAP_LEGS order, shape (4, 26)."""
    rows = np.zeros((4, 26), dtype=np.bool_)
    rows[[0, 3], :16] = True
    rows[[1, 2], 10:] = True
    return rows


def steps(rows: BoolArray) -> bool:
    """Whether a foot of a pattern leaves the ground and comes back."""
    return bool((rows.any(axis=1) & ~rows.all(axis=1)).any())


def policy_contract(spec: RobotSpec) -> PolicyContract:
    """What a contact-pattern policy of this robot has to state."""
    return contract_for(
        spec,
        observations=loco.OBSERVATIONS,
        action_scale=[loco.ACTION_SCALE] * spec.num_joints,
        command_names=("velocity_command", "contact_window"),
        max_action_delay_ms=20.0,
    )


def rows_of(pattern: ContactPattern | None) -> BoolArray:
    """Rows of a pattern in SAYTAP_LEGS order; raises FmrlError where they make no sense."""
    if pattern is None or pattern.contacts.ndim != 2 or not pattern.contacts.shape[1]:
        raise FmrlError(
            "expected a pattern of four rows and at least one column, got none",
            ErrorCode.PATTERN_INVALID,
        )
    if sorted(pattern.legs) != sorted(SAYTAP_LEGS) or len(pattern.contacts) != len(SAYTAP_LEGS):
        raise FmrlError(
            f"expected a row for each of {[leg.value for leg in SAYTAP_LEGS]}, got "
            f"{[str(leg) for leg in pattern.legs]!r}",
            ErrorCode.PATTERN_INVALID,
        )
    if not np.isclose(pattern.dt_s, 0.02):
        raise FmrlError(
            f"expected columns of 0.02 s, got {pattern.dt_s!r}; resample the pattern",
            ErrorCode.PATTERN_INVALID,
        )
    return pattern.contacts[[pattern.legs.index(leg) for leg in SAYTAP_LEGS]]


class PatternPolicy:
    """The policy that follows patterns, on one robot."""

    def __init__(self, spec: RobotSpec, policies: Path) -> None:
        """Load the policy.

        Raises:
            ConfigError: it is missing, or contradicts the RobotSpec.
        """
        self._spec = spec
        file = policies / f"{spec.name}-saytap" / "policy.onnx"
        self._runner = PolicyRunner(file, policy_contract(spec))
        self._action = np.zeros(spec.num_joints)
        self.rows, self._column = STAND, 0
        self._heading = 0.0

    @property
    def max_delay_s(self) -> float:
        """What the policy was trained with."""
        return self._runner.contract.max_action_delay_ms / 1000.0

    def begin(self, target: FloatArray, yaw: float) -> None:
        """Go on from these joint targets, rad, shape (12,), and this heading, rad."""
        self._runner.reset()
        self._action = (target - self._spec.default) / loco.ACTION_SCALE
        self._column, self._heading = 0, yaw

    def follow(self, rows: BoolArray, yaw: float) -> None:
        """Enter a pattern where it agrees best with what the feet were about to do."""
        self.switch(rows)
        self._heading = yaw

    def switch(self, rows: BoolArray) -> None:
        """The same on the heading that is being kept."""
        due = loco.window_at(self.rows, self._column)
        agree = [np.sum(loco.window_at(rows, c) == due) for c in range(rows.shape[1])]
        self.rows, self._column = rows, int(np.argmax(agree))

    def act(self, state: RobotState, velocity: Velocity) -> FloatArray:
        """Return joint targets, rad, shape (12,), and go on to the next column.

        Raises:
            FmrlError: OBSERVATION_STALE; the state says nothing of the base.
        """
        spec = self._spec
        terms = loco.sensed(state, spec.default, self._action)
        command = np.array([velocity.vx, velocity.vy, self._turn(state, velocity.wz)])
        window = loco.window_at(self.rows, self._column)
        self._action = self._runner.act(
            {**terms, "velocity_command": command, "contact_window": window}
        )
        self._column += 1
        return loco.joint_targets(self._action, spec.default, spec.lower, spec.upper)

    def _turn(self, state: RobotState, wz: float) -> float:
        """Turn rate that keeps the heading, which itself turns as commanded."""
        yaw = loco.heading_of(state)
        if not steps(self.rows):
            self._heading = yaw
            return 0.0
        self._heading += wz * self._spec.policy_dt_s
        return float(loco.keep_heading(np.array(wz), np.array(self._heading - yaw)))
