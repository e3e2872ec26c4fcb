"""A quadruped's controller: stands up and stands, follows patterns, walks, goes places, poses.

Which of these it does is one small state: RISING interpolates from wherever the legs are to the
stance with firm gains; RESTING holds the stance; FOLLOWING lets the contact-pattern policy act,
WALKING the velocity policy, POSING one that reaches a posture; FALLEN damps. A guide, where a
sub-goal is about a place, leads: it walks, and turns on the spot at a trot. A sub-goal that
arrives while the robot lies on its belly waits for it to rise; from its side or back the skill
``stand_up`` brings it to its feet, by itself where the robot has just been armed: a stop may have
tipped it over, and arming is asking for a robot that stands. One command answers one observation.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

import numpy as np

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import locomotion as loco
from fmrl_robot.control import velocity as walking
from fmrl_robot.control.contact_pattern import STAND, PatternPolicy, rows_of, steps, trot
from fmrl_robot.control.floor_skills import FloorSkills
from fmrl_robot.control.guide import Guide
from fmrl_robot.control.posture import POSTURES, PosturePolicy
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import (
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
STAND_UP = "stand_up"
"""Name of the skill that brings a robot to its feet from anywhere."""
FAR_RAD = 0.6
"""A joint this far from the stance means that the robot does not stand."""
STILL_M_S = 0.05
"""Driven slower than this, the robot stands instead of trotting on the spot."""
VELOCITY_MAX = Velocity(vx=1.1, vy=0.3, wz=0.8)
"""What the policy was trained on."""


class _Mode(Enum):
    RISING = auto()
    RESTING = auto()
    FOLLOWING = auto()
    WALKING = auto()
    POSING = auto()
    FALLEN = auto()


_GAITS = (_Mode.FOLLOWING, _Mode.WALKING)


class QuadrupedController:
    """Carries out CONTACT_PATTERN and SKILL (walk, a posture) sub-goals and velocity commands."""

    def __init__(
        self, spec: RobotSpec, *, policies: Path | None = None, walk_policy: str = ""
    ) -> None:
        """Load the policies.

        Args:
            spec: the robot.
            policies: folder of policies; None: the shipped ones.
            walk_policy: an imported velocity policy that walks, and is driven by hand, in place of
                this project's own; a name in that folder or a path.

        Raises:
            ConfigError: the contact-pattern policy is missing, or one contradicts the RobotSpec.
        """
        folder = policies if policies is not None else policies_dir()
        self._spec = spec
        self._pattern = PatternPolicy(spec, folder)
        self._walk: walking.VelocityPolicy | None = None
        if walk_policy or (folder / f"{spec.name}-{walking.POLICY}").is_dir():
            self._walk = walking.VelocityPolicy(spec, folder, walk_policy)
        self._driven_gait = _Mode.WALKING if walk_policy else _Mode.FOLLOWING
        self._postures = {
            name.replace("-", "_"): PosturePolicy(spec, name, folder)
            for name in POSTURES
            if (folder / f"{spec.name}-{name}").is_dir()
        }
        self._posture: PosturePolicy | None = None
        self._floor = FloorSkills()
        self._guide: Guide | None = None
        self._armed_now = self._gets_up = False
        self._mode = _Mode.RISING
        self._mode_since_s: float | None = None
        self._rise_s = RISE_S
        self._from = self._target = spec.default.copy()
        self._kp = np.zeros(spec.num_joints)
        self._gait, self._velocity = _Mode.FOLLOWING, Velocity()
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
        """What the policy that bears least was trained with."""
        least = self._pattern.max_delay_s
        return min(least, self._walk.max_delay_s) if self._walk else least

    def accepts(self, subgoal: SubGoal) -> bool:
        """Contact patterns with a velocity; walking and postures that there is a policy for."""
        if subgoal.kind == SubGoalKind.SKILL:
            return subgoal.skill in self._postures or self._walks(subgoal)
        return subgoal.kind == SubGoalKind.CONTACT_PATTERN and subgoal.pattern is not None

    def start(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> None:
        """Walk, follow a pattern or take a posture from the next step on, after rising if needed.

        Without a duration a walk lasts until the next sub-goal, or to its timeout.

        Raises:
            FmrlError: PATTERN_INVALID, ROBOT_FELL or OBSERVATION_STALE.
        """
        self._floor.remember(subgoal, state)
        if subgoal.kind == SubGoalKind.SKILL and not self._walks(subgoal):
            self._pose(subgoal, state)
            return
        rows = STAND if self._walks(subgoal) else rows_of(subgoal.pattern)
        if self._tilted(state) and not (self._gets_up or self._can_get_up):
            raise FmrlError(
                "expected a robot on its feet, got one that lies on its side; have it stand up",
                ErrorCode.ROBOT_FELL,
            )
        guided = self._walks(subgoal) and self._floor.asks(subgoal)
        self._guide = self._floor.guide(subgoal, state, scene) if guided else None
        self._leave_posture()
        if self._walks(subgoal):
            self._gait, endless = _Mode.WALKING, np.inf
        else:
            self._gait, endless = _Mode.FOLLOWING, MOVING_S if steps(rows) else STANDING_S
            self._pattern.follow(rows, loco.heading_of(state))
        self._velocity = subgoal.velocity or Velocity()
        self._driven, self._settling_since_s = False, None
        self._subgoal, self._outcome, self._begun_s = subgoal, None, None
        self._duration_s = subgoal.duration_s or endless

    def _walks(self, subgoal: SubGoal) -> bool:
        return (
            self._walk is not None
            and subgoal.kind == SubGoalKind.SKILL
            and (subgoal.skill == walking.SKILL or self._floor.asks(subgoal))
        )

    def step(self, state: RobotState, scene: Scene | None) -> JointCommand:
        """Answer one observation; raises FmrlError where there is no way to where it is to go."""
        self._now_s = state.stamp_s
        if self._mode_since_s is None or state.stamp_s < self._mode_since_s:
            self._awake(state)
        if self._can_get_up and (self._far(state) or self._tilted(state)):
            self._get_up()
        self._armed_now = False
        if self._mode == _Mode.POSING and self._posture is not None:
            return self._posing(self._posture, state)
        if self._tilted(state):
            return self._fall(state)
        if self._mode == _Mode.FALLEN:
            self._rise(state)
        if self._mode == _Mode.RISING and self._mode_age() >= self._rise_s:
            self._enter(_Mode.RESTING)
        moves = self._subgoal is not None or self._driven
        if moves and self._mode in (_Mode.RESTING, *_GAITS) and self._mode != self._gait:
            self._begin_gait(state)
        if self._mode in _GAITS:
            return self._act(state, scene)
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
        """Share of the way, or of the duration that has passed."""
        if self._guide is not None:
            return self._guide.progress
        if self._begun_s is None or not self._duration_s:
            return 0.0
        return float(np.clip((self._now_s - self._begun_s) / self._duration_s, 0.0, 1.0))

    def hold(self) -> None:
        """Stand from the next step on."""
        self._subgoal, self._begun_s = None, None
        self._stand()

    def passive(self, state: RobotState) -> JointCommand:
        """Bear with firm gains what the motors bear now, and rise from here with the next step."""
        self._now_s = state.stamp_s
        self._subgoal, self._begun_s, self._outcome = None, None, None
        self._driven, self._settling_since_s = False, None
        self._target, self._kp = state.q.copy(), np.zeros_like(self._kp)
        borne = 0.0 if state.tau is None else state.tau / FIRM_KP
        bound = 0.5 * self._spec.step
        command = self._command(state, state.q + np.clip(borne, -bound, bound), FIRM_KP, FIRM_KD)
        self._rise(state)
        self._armed_now, self._gets_up = True, False
        return command

    def drive(self, velocity: Velocity) -> None:
        """Trot or walk at this velocity from the next step on; stand where it is about zero."""
        asked = walking.bounded(velocity, VELOCITY_MAX)
        if max(abs(asked.vx), abs(asked.vy), abs(asked.wz)) < STILL_M_S:
            self._stand()
            return
        if not np.array_equal(trot(), self._pattern.rows):
            self._pattern.switch(trot())
        self._leave_posture()
        self._gait, self._velocity = self._driven_gait, asked
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
        self._rise_s = RISE_S if self._far(state) else STRAIGHTEN_S
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
        self._gets_up = False
        self._enter(_Mode.POSING)

    def _posing(self, posture: PosturePolicy, state: RobotState) -> JointCommand:
        """Let the policy act; it goes on after the end, but a robot that stands is held firmly."""
        target = posture.act(state)
        if self._gets_up and posture.kept(state.stamp_s):
            self._gets_up = False
            self._rise(state)
        elif self._subgoal is not None and not self._gets_up and posture.kept(state.stamp_s):
            self._outcome, self._subgoal = Outcome(success=True), None
            if posture.posture.pitch == 0.0:
                self._rise(state)
        return self._command(state, target, self._spec.kp, self._spec.kd)

    def _leave_posture(self) -> None:
        """Rise with the next step, or lie where the robot is not on its feet."""
        if self._mode == _Mode.POSING and not self._gets_up:
            self._enter(_Mode.FALLEN)

    @property
    def _can_get_up(self) -> bool:
        return self._armed_now and STAND_UP in self._postures

    def _get_up(self) -> None:
        """Stand up without having been told; what is asked for meanwhile waits."""
        self._posture, self._gets_up = self._postures[STAND_UP], True
        self._posture.begin(self._target)
        self._enter(_Mode.POSING)

    # --- gaits ------------------------------------------------------------------------------------

    def _begin_gait(self, state: RobotState) -> None:
        """Hand over to the policy that is to move the robot, which goes on from where it is."""
        self._enter(self._gait)
        if self._gait == _Mode.WALKING and self._walk is not None:
            self._walk.begin(self._target)
        else:
            self._pattern.begin(self._target, loco.heading_of(state))

    def _stand(self) -> None:
        if self._mode in _GAITS and self._settling_since_s is None:
            self._pattern.switch(STAND)
            self._settling_since_s = self._now_s
        self._leave_posture()
        self._driven, self._velocity = False, Velocity()

    def _act(self, state: RobotState, scene: Scene | None) -> JointCommand:
        if self._subgoal is not None:
            if self._begun_s is None:
                self._begun_s = state.stamp_s
            if self._ended(state, scene):
                self._outcome, self._subgoal = Outcome(success=True), None
                self._stand()
        settling = self._settling_since_s
        if settling is not None and self._now_s - settling >= SETTLE_S:
            self._settling_since_s = None
            self._rise(state)
            return self.step(state, None)
        if self._mode == _Mode.WALKING and self._walk is not None:
            target = self._walk.act(state, self._velocity)
            return self._command(state, target, self._walk.kp, self._walk.kd)
        target = self._pattern.act(state, self._velocity)
        return self._command(state, target, self._spec.kp, self._spec.kd)

    def _ended(self, state: RobotState, scene: Scene | None) -> bool:
        """Whether the time is over or, where a guide leads, the robot is there."""
        if self._guide is None:
            return self._elapsed() >= self._duration_s - 1e-6
        led = self._guide.steer(state, scene)
        self._velocity = led or Velocity()
        # The velocity policy, made for rough ground, hardly turns on the spot; a trot does.
        turns = led is not None and not (led.vx or led.vy)
        if turns and self._gait != _Mode.FOLLOWING:
            self._pattern.follow(trot(), loco.heading_of(state))
        self._gait = _Mode.FOLLOWING if turns else _Mode.WALKING
        return led is None

    # --- out --------------------------------------------------------------------------------------

    def _far(self, state: RobotState) -> bool:
        return bool(np.abs(state.q - self._spec.default).max() >= FAR_RAD)

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
