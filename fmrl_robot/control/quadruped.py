"""A quadruped's controller: stands up, stands, follows contact patterns, takes postures.

Which of these it does is one small state: RISING interpolates from wherever the legs are to the
stance with firm gains; RESTING holds the stance; FOLLOWING lets the contact-pattern policy act,
POSING one that reaches a posture; FALLEN damps. A sub-goal that arrives while the robot lies on its
belly waits for it to rise; from its side or back the skill ``stand_up`` brings it to its feet. One
command answers one observation.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

import numpy as np

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract, contract_for
from fmrl_robot.control.posture import POSTURES, PosturePolicy
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import (
    SAYTAP_LEGS,
    BoolArray,
    ContactPattern,
    FloatArray,
    JointCommand,
    Outcome,
    RobotState,
    Scene,
    SubGoal,
    SubGoalKind,
    Velocity,
)

RISE_S, STRAIGHTEN_S = 1.5, 0.5
"""Time to stand up from the floor, and to reach the stance from nearby."""
SETTLE_S = 0.6
"""The policy stands for this long before firm gains take over."""
FIRM_KP, FIRM_KD = 60.0, 3.0
"""Gains of standing up and of resting."""
DAMP_KD = 3.0
MOVING_S, STANDING_S = 5.0, 2.0
"""Duration of a sub-goal that states none."""
FALLEN_UP = 0.5
"""Cosine of the tilt below which the robot has fallen."""
FAR_RAD = 0.6
"""A joint this far from the stance means that the robot does not stand."""
STILL_M_S = 0.05
"""Driven slower than this, the robot stands instead of trotting on the spot."""
VELOCITY_MAX = Velocity(vx=1.1, vy=0.3, wz=0.8)
"""What the policy was trained on."""

_ALL_DOWN: BoolArray = np.ones((4, 26), dtype=np.bool_)


def _trot() -> BoolArray:
    rows = np.zeros((4, 26), dtype=np.bool_)
    rows[[0, 3], :16] = True
    rows[[1, 2], 10:] = True
    return rows


class _Mode(Enum):
    RISING = auto()
    RESTING = auto()
    FOLLOWING = auto()
    POSING = auto()
    FALLEN = auto()


def policy_contract(spec: RobotSpec) -> PolicyContract:
    """What a contact-pattern policy of this robot has to state."""
    return contract_for(
        spec,
        observations=loco.OBSERVATIONS,
        action_scale=[loco.ACTION_SCALE] * spec.num_joints,
        command_names=("velocity_command", "contact_window"),
        max_action_delay_ms=20.0,
    )


class QuadrupedController:
    """Carries out CONTACT_PATTERN and SKILL (a posture) sub-goals and velocity commands."""

    def __init__(self, spec: RobotSpec, *, policies: Path | None = None) -> None:
        """Load the policy.

        Raises:
            ConfigError: it is missing, or contradicts the RobotSpec.
        """
        folder = policies if policies is not None else policies_dir()
        self._spec = spec
        self._policy = PolicyRunner(
            folder / f"{spec.name}-saytap" / "policy.onnx", policy_contract(spec)
        )
        self._postures = {
            name.replace("-", "_"): PosturePolicy(spec, name, folder)
            for name in POSTURES
            if (folder / f"{spec.name}-{name}").is_dir()
        }
        self._posture: PosturePolicy | None = None
        self._mode = _Mode.RISING
        self._mode_since_s: float | None = None
        self._rise_s = RISE_S
        self._from = self._target = spec.default.copy()
        self._kp = np.zeros(spec.num_joints)
        self._action = np.zeros(spec.num_joints)
        self._pattern, self._column = _ALL_DOWN, 0
        self._velocity, self._heading = Velocity(), 0.0
        self._subgoal: SubGoal | None = None
        self._begun_s: float | None = None
        self._driven = False
        self._settling_since_s: float | None = None
        self._outcome: Outcome | None = None
        self._duration_s = 0.0
        self._now_s = 0.0

    # --- Controller -------------------------------------------------------------------------------

    @property
    def max_delay_s(self) -> float:
        """What the policy was trained with."""
        return self._policy.contract.max_action_delay_ms / 1000.0

    def accepts(self, subgoal: SubGoal) -> bool:
        """Contact patterns with a velocity, and postures that there is a policy for."""
        if subgoal.kind == SubGoalKind.SKILL:
            return subgoal.skill in self._postures
        return subgoal.kind == SubGoalKind.CONTACT_PATTERN and subgoal.pattern is not None

    def start(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> None:
        """Follow a pattern or take a posture from the next step on, after rising where needed.

        Raises:
            FmrlError: PATTERN_INVALID, ROBOT_FELL or OBSERVATION_STALE.
        """
        del scene
        if subgoal.kind == SubGoalKind.SKILL:
            self._pose(subgoal, state)
            return
        rows = _rows(subgoal.pattern)
        if self._tilted(state):
            raise FmrlError(
                "expected a robot on its feet, got one that lies on its side; have it stand up",
                ErrorCode.ROBOT_FELL,
            )
        velocity = subgoal.velocity or Velocity()
        moving = not rows.all(axis=1).all() and (rows.any(axis=1) & ~rows.all(axis=1)).any()
        self._follow(rows, velocity, state)
        self._subgoal, self._outcome, self._begun_s = subgoal, None, None
        self._duration_s = subgoal.duration_s or (MOVING_S if moving else STANDING_S)

    def step(self, state: RobotState, scene: Scene | None) -> JointCommand:
        """Answer one observation."""
        del scene
        self._now_s = state.stamp_s
        if self._mode_since_s is None or state.stamp_s < self._mode_since_s:
            self._awake(state)
        if self._mode == _Mode.POSING and self._posture is not None:
            return self._posing(self._posture, state)
        if self._tilted(state):
            return self._fall(state)
        if self._mode == _Mode.FALLEN:
            self._rise(state)
        if self._mode == _Mode.RISING and self._mode_age() >= self._rise_s:
            self._enter(_Mode.RESTING)
        if self._mode == _Mode.RESTING and (self._subgoal is not None or self._driven):
            self._enter(_Mode.FOLLOWING)
            self._policy.reset()
            self._action = (self._target - self._spec.default) / loco.ACTION_SCALE
            self._heading = _yaw(state)
        if self._mode == _Mode.FOLLOWING:
            return self._act(state)
        rising = self._mode == _Mode.RISING
        share = min(1.0, self._mode_age() / self._rise_s) if rising else 1.0
        blend = 0.5 - 0.5 * np.cos(np.pi * share)
        return self._command(
            state, self._from + blend * (self._spec.default - self._from), FIRM_KP, FIRM_KD
        )

    def outcome(self) -> Outcome | None:
        """None while running."""
        return self._outcome

    def progress(self) -> float:
        """Share of the duration that has passed."""
        if self._begun_s is None or not self._duration_s:
            return 0.0
        return float(np.clip((self._now_s - self._begun_s) / self._duration_s, 0.0, 1.0))

    def hold(self) -> None:
        """Stand from the next step on."""
        self._subgoal, self._begun_s = None, None
        self._stand()

    def drive(self, velocity: Velocity) -> None:
        """Trot at this velocity from the next step on; stand where it is about zero."""
        asked = np.array([velocity.vx, velocity.vy, velocity.wz])
        limit = np.array([VELOCITY_MAX.vx, VELOCITY_MAX.vy, VELOCITY_MAX.wz])
        vx, vy, wz = np.clip(np.nan_to_num(asked), -limit, limit).tolist()
        if max(abs(vx), abs(vy), abs(wz)) < STILL_M_S:
            self._stand()
            return
        rows = _trot()
        if not np.array_equal(rows, self._pattern):
            self._switch(rows)
        self._leave_posture()
        self._velocity = Velocity(vx=vx, vy=vy, wz=wz)
        self._driven, self._settling_since_s = True, None

    # --- modes ------------------------------------------------------------------------------------

    def _awake(self, state: RobotState) -> None:
        """First observation, or the first after the world was reset."""
        self._target, self._kp = state.q.copy(), np.zeros_like(self._kp)
        self._rise(state)

    def _rise(self, state: RobotState) -> None:
        """Begin at a target that exerts, with firm gains, the torque that acts now."""
        held = (self._target - state.q) * self._kp / FIRM_KP
        self._from = np.clip(state.q + held, self._spec.lower, self._spec.upper)
        near = np.abs(state.q - self._spec.default).max() < FAR_RAD
        self._rise_s = STRAIGHTEN_S if near else RISE_S
        self._enter(_Mode.RISING)

    def _fall(self, state: RobotState) -> JointCommand:
        if self._mode != _Mode.FALLEN:
            self._enter(_Mode.FALLEN)
            if self._subgoal is not None:
                self._outcome = Outcome(
                    success=False,
                    error_code=int(ErrorCode.ROBOT_FELL),
                    message=f"the robot fell {self._elapsed():.1f} s into the sub-goal",
                )
                self._subgoal = None
            self._driven, self._settling_since_s = False, None
        return self._command(state, state.q, 0.0, DAMP_KD)

    def _enter(self, mode: _Mode) -> None:
        self._mode, self._mode_since_s = mode, self._now_s

    def _mode_age(self) -> float:
        return self._now_s - (self._mode_since_s or 0.0)

    def _elapsed(self) -> float:
        return 0.0 if self._begun_s is None else self._now_s - self._begun_s

    # --- posing -----------------------------------------------------------------------------------

    def _pose(self, subgoal: SubGoal, state: RobotState) -> None:
        self._posture = self._postures[subgoal.skill]
        self._posture.begin(self._target)
        self._subgoal, self._outcome, self._begun_s = subgoal, None, state.stamp_s
        self._duration_s = subgoal.timeout_s
        self._driven, self._settling_since_s = False, None
        self._enter(_Mode.POSING)

    def _posing(self, posture: PosturePolicy, state: RobotState) -> JointCommand:
        """Let the policy act; it goes on after the end, but a robot that stands is held firmly."""
        target = posture.act(state)
        if self._subgoal is not None and posture.kept(state.stamp_s):
            self._outcome, self._subgoal = Outcome(success=True), None
            if posture.posture.pitch == 0.0:
                self._rise(state)
        return self._command(state, target, self._spec.kp, self._spec.kd)

    def _leave_posture(self) -> None:
        """Rise with the next step, or lie where the robot is not on its feet."""
        if self._mode == _Mode.POSING:
            self._enter(_Mode.FALLEN)

    # --- following --------------------------------------------------------------------------------

    def _follow(self, rows: BoolArray, velocity: Velocity, state: RobotState) -> None:
        self._leave_posture()
        self._switch(rows)
        self._velocity, self._heading = velocity, _yaw(state)
        self._driven, self._settling_since_s = False, None

    def _switch(self, rows: BoolArray) -> None:
        """Enter a new pattern where it agrees best with what the feet were about to do."""
        if self._mode == _Mode.FOLLOWING:
            due = loco.window_at(self._pattern, self._column)
            agree = [np.sum(loco.window_at(rows, c) == due) for c in range(rows.shape[1])]
            self._column = int(np.argmax(agree))
        else:
            self._column = 0
        self._pattern = rows

    def _stand(self) -> None:
        if self._mode == _Mode.FOLLOWING and self._settling_since_s is None:
            self._switch(_ALL_DOWN)
            self._settling_since_s = self._now_s
        self._leave_posture()
        self._driven, self._velocity = False, Velocity()

    def _act(self, state: RobotState) -> JointCommand:
        if self._subgoal is not None:
            if self._begun_s is None:
                self._begun_s = state.stamp_s
            elif self._elapsed() >= self._duration_s - 1e-6:
                self._outcome, self._subgoal = Outcome(success=True), None
                self._stand()
        settling = self._settling_since_s
        if settling is not None and self._now_s - settling >= SETTLE_S:
            self._settling_since_s = None
            self._rise(state)
            return self.step(state, None)
        self._action = self._policy.act(self._terms(state))
        self._column += 1
        spec = self._spec
        target = loco.joint_targets(self._action, spec.default, spec.lower, spec.upper)
        return self._command(state, target, spec.kp, spec.kd)

    def _terms(self, state: RobotState) -> dict[str, FloatArray]:
        quaternion, omega = state.quaternion, state.angular_velocity
        if quaternion is None or omega is None:
            raise FmrlError(
                "expected orientation and angular velocity of the base, got none; is the IMU up?",
                ErrorCode.OBSERVATION_STALE,
            )
        command = self._velocity
        return {
            "base_angular_velocity": omega,
            "projected_gravity": loco.projected_gravity(quaternion),
            "velocity_command": np.array([command.vx, command.vy, self._turn(state)]),
            "joint_position": state.q - self._spec.default,
            "joint_velocity": state.dq,
            "last_action": self._action,
            "contact_window": loco.window_at(self._pattern, self._column),
        }

    def _turn(self, state: RobotState) -> float:
        """Turn rate that keeps the heading, which itself turns as commanded."""
        wz = self._velocity.wz
        stepping = self._pattern.any(axis=1) & ~self._pattern.all(axis=1)
        if not stepping.any():
            self._heading = _yaw(state)
            return 0.0
        self._heading += wz * self._spec.policy_dt_s
        return float(loco.keep_heading(np.array(wz), np.array(self._heading - _yaw(state))))

    # --- out --------------------------------------------------------------------------------------

    def _tilted(self, state: RobotState) -> bool:
        if state.quaternion is None:
            return False
        return bool(-loco.projected_gravity(state.quaternion)[2] < FALLEN_UP)

    def _command(
        self, state: RobotState, target: FloatArray, kp: FloatArray | float, kd: FloatArray | float
    ) -> JointCommand:
        """Joint targets within the position limits and within a step of the last ones."""
        spec = self._spec
        target = np.clip(target, self._target - spec.step, self._target + spec.step)
        self._target = np.clip(target, spec.lower, spec.upper)
        zeros, ones = np.zeros(spec.num_joints), np.ones(spec.num_joints)
        self._kp = kp * ones
        return JointCommand(
            seq=0,
            stamp_s=state.stamp_s,
            observation_stamp_s=state.stamp_s,
            lease="",
            names=spec.joint_names,
            position=self._target.copy(),
            velocity=zeros,
            effort=zeros,
            kp=self._kp.copy(),
            kd=kd * ones,
        )


def _yaw(state: RobotState) -> float:
    if state.quaternion is None:
        return 0.0
    return float(loco.yaw_of(state.quaternion))


def _rows(pattern: ContactPattern | None) -> BoolArray:
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
