"""The arm's controller after PSL: a planned transit to the region, then a local policy, then proof.

Every sub-goal runs through the same phases: *plan* (in a worker thread, the arm holding), *transit*
(a timed path at the command rate), *local* (the policy at its own rate), *retreat* (let go where
that belongs to the skill, straight up) and *verify* (the termination condition, as camera and
fingers show it). What failed is tried once more from what the camera shows then.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

import numpy as np

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.arm_skill import arm_skills, policy_of, proved
from fmrl_robot.control.arm_transit import Transit
from fmrl_robot.control.local_policy import LocalPolicy
from fmrl_robot.control.local_run import HOLDING_M, LocalRun, holds, tool_state
from fmrl_robot.control.regions import SKILLS, Held, region
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.motion.kinematics import ARM_JOINTS, ArmKinematics
from fmrl_robot.motion.planner import ArmPlanner
from fmrl_robot.motion.servo import resolved_rate
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import (
    FloatArray,
    JointCommand,
    Outcome,
    RobotState,
    Scene,
    SubGoal,
    SubGoalKind,
)

_MOVED_RAD = 0.05
"""A holding arm this far from its command was moved by someone else; below the gate's step."""
_RETREAT_M, _RETREAT_SPEED = 0.12, 0.20
_RELEASE_S, _RELEASE_LIMIT_S = 0.25, 1.0
_RELEASED_M = 0.030
_VERIFY_S = 2.0
_ATTEMPTS = 2
_PROGRESS = {"PLAN": 0.0, "TRANSIT": 0.1, "LOCAL": 0.5, "RETREAT": 0.8, "VERIFY": 0.9}


class _Phase(Enum):
    HOLD = auto()
    PLAN = auto()
    TRANSIT = auto()
    LOCAL = auto()
    RETREAT = auto()
    VERIFY = auto()


class ArmController:
    """Carries out REGION sub-goals; implements Controller."""

    def __init__(
        self,
        spec: RobotSpec,
        *,
        policies: Path | None = None,
        menagerie: Path | None = None,
        plan_inline: bool = False,
    ) -> None:
        """Load policies and models.

        Args:
            spec: the robot.
            policies: folder of the policies; None: the shipped one.
            menagerie: folder of a MuJoCo Menagerie checkout; None: the installed model.
            plan_inline: plan in the caller's thread, for simulations in lockstep, where a worker
                would make runs differ.

        Raises:
            ConfigError: a policy is missing or contradicts the robot.
        """
        folder = policies or policies_dir()
        self._spec = spec
        self._pieces = arm_skills(spec)
        self._policies = {
            **{name: LocalPolicy(spec, ls.SKILLS[name], folder) for name in SKILLS},
            **{name: policy_of(piece, spec, folder) for name, piece in self._pieces.items()},
        }
        self._kinematics = ArmKinematics(spec, menagerie)
        planner = ArmPlanner(spec, menagerie)
        self._transit = Transit(spec, planner, self._kinematics, inline=plan_inline)
        self._phase = _Phase.HOLD
        self._subgoal: SubGoal | None = None
        self._skill = ""
        self._outcome: Outcome | None = None
        self._held: Held | None = None
        self._q_command: FloatArray | None = None
        self._closed = False
        self._open_m = float(spec.upper[-1])
        self._since_s, self._ticks = 0.0, 0

    # --- Controller --------------------------------------------------------------------------

    @property
    def max_delay_s(self) -> float:
        """Any: an arm on servos waits where it is."""
        return 0.0

    def accepts(self, subgoal: SubGoal) -> bool:
        """Whether it is a region with one of the local skills and a termination condition."""
        return (
            subgoal.kind in {SubGoalKind.REGION, SubGoalKind.SKILL}
            and subgoal.skill in self._policies
            and subgoal.termination is not None
        )

    def start(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> None:
        """Begin with a plan of the transit."""
        if scene is None:
            raise FmrlError(
                f"expected a scene that shows {subgoal.target!r}, got none; is perception up?",
                ErrorCode.TARGET_NOT_SEEN,
            )
        self._subgoal, self._outcome, self._attempt = subgoal, None, 0
        self._skill = subgoal.skill
        self._local_skill = self._policies[self._skill].skill
        self._failed_yaw: float | None = None
        self._open_m = self._local_skill.open_m
        self._before = scene
        self._anchor(state)
        if subgoal.skill != "place":
            self._held = None
        elif self._held is None and self._holding(state) and subgoal.termination is not None:
            # Grasped in another life (a restart, a person): take it as centred.
            self._held = Held(name=subgoal.termination.args[0], offset=np.zeros(3))
        self._begin_plan(state, scene)

    def step(self, state: RobotState, scene: Scene | None) -> JointCommand:
        """Advance the current phase by one command period."""
        before = self._q_command
        self._anchor(state)
        assert self._q_command is not None  # noqa: S101  (set by _anchor)
        before = self._q_command.copy() if before is None else before.copy()
        try:
            self._advance(state, scene)
        except FmrlError as error:
            self._finish(error.code, str(error))
        self._ticks += 1
        return self._command(state, before)

    def outcome(self) -> Outcome | None:
        """None while running."""
        return self._outcome

    def progress(self) -> float:
        """By phase."""
        if self._outcome is not None:
            return 1.0 if self._outcome.success else 0.0
        return _PROGRESS.get(self._phase.name, 0.0)

    def hold(self) -> None:
        """Stay where the arm is, keep what it holds."""
        self._phase, self._subgoal = _Phase.HOLD, None

    def passive(self, state: RobotState) -> JointCommand:
        """Stay where the arm is now; the fingers go on doing what they did."""
        self.hold()
        self._anchor(state)
        self._q_command = np.clip(state.q, self._spec.lower, self._spec.upper)
        return self._command(state, self._q_command.copy())

    # --- phases ------------------------------------------------------------------------------

    def _advance(self, state: RobotState, scene: Scene | None) -> None:
        match self._phase:
            case _Phase.HOLD:
                pass
            case _Phase.PLAN:
                self._plan(state)
                self._transit.look(scene)
            case _Phase.TRANSIT:
                self._follow(state)
                self._transit.look(scene)
            case _Phase.LOCAL:
                self._local(state)
            case _Phase.RETREAT:
                self._retreat(state)
            case _Phase.VERIFY:
                self._verify(state, scene)

    def _enter(self, phase: _Phase, now: float) -> None:
        self._phase, self._since_s, self._ticks = phase, now, 0

    def _begin_plan(self, state: RobotState, scene: Scene) -> None:
        assert self._subgoal is not None and self._q_command is not None  # noqa: S101
        goal = self._subgoal
        piece = self._pieces.get(goal.skill)
        known = (goal.skill, goal.target, scene, self._held)
        options = region(*known) if piece is None else piece.region(goal, scene)
        held = self._held.name if self._held else None
        q = self._q_command.copy()
        if held is None:
            # The fingers move while the arm does; what matters is how they arrive.
            q[-1] = 0.0 if self._local_skill.starts_closed else self._open_m
        self._transit.begin(
            q, options.without(self._failed_yaw), scene, seen=goal.target, held=held
        )
        self._enter(_Phase.PLAN, state.stamp_s)

    def _plan(self, state: RobotState) -> None:
        if self._transit.planned():
            if self._held is None:
                self._closed = self._local_skill.starts_closed
            self._enter(_Phase.TRANSIT, state.stamp_s)

    def _follow(self, state: RobotState) -> None:
        assert self._q_command is not None  # noqa: S101
        self._q_command[:ARM_JOINTS] = self._transit.at(self._ticks)
        off = np.abs(state.q - self._q_command)[:ARM_JOINTS].max()
        if not self._transit.arrived(self._ticks, off):
            return
        if self._held is not None and not self._holding(state):
            self._held = None
            raise FmrlError(
                "expected the object between the fingers, it was lost on the way; grasp again",
                ErrorCode.SUBGOAL_FAILED,
            )
        self._transit.refine()
        policy, target = self._policies[self._skill], self._transit.target
        self._run = LocalRun(self._kinematics, policy, target, self._closed)
        self._enter(_Phase.LOCAL, state.stamp_s)

    def _local(self, state: RobotState) -> None:
        assert self._q_command is not None  # noqa: S101
        velocity = self._run.tick(state, self._q_command)
        self._closed = self._run.closed
        if velocity is not None:
            self._servo(state, velocity)
            return
        self._retreat_from = self._kinematics.tool(state.q)[0]
        self._rising = False
        self._relax(state)
        self._enter(_Phase.RETREAT, state.stamp_s)

    def _servo(self, state: RobotState, velocity: FloatArray) -> None:
        assert self._q_command is not None  # noqa: S101
        spec = self._spec
        self._q_command[:ARM_JOINTS] = ls.advance(
            self._q_command[None, :ARM_JOINTS],
            state.q[None, :ARM_JOINTS],
            velocity[None],
            spec.command_dt_s,
            spec.lower,
            spec.upper,
            spec.step,
        )[0]

    def _holding(self, state: RobotState) -> bool:
        return self._closed and holds(state)

    def _relax(self, state: RobotState) -> None:
        """Stop pushing: fingers under load do not open, and a loaded hand does not lift."""
        assert self._q_command is not None  # noqa: S101
        self._q_command[:ARM_JOINTS] = state.q[:ARM_JOINTS]

    def _retreat(self, state: RobotState) -> None:
        """Let go where the skill ends so, then straight up."""
        elapsed = self._ticks * self._spec.command_dt_s
        if self._local_skill.releases:
            self._closed = False
            opened = float(state.q[-1]) > _RELEASED_M and elapsed >= _RELEASE_S
            if not opened and not self._rising and elapsed < _RELEASE_LIMIT_S:
                self._relax(state)
                return
        if not self._rising:
            self._rising, self._ticks, elapsed = True, 0, 0.0
        tool = tool_state(self._kinematics, state.q)
        risen = tool.position[0, 2] - self._retreat_from[2]
        if risen >= _RETREAT_M or elapsed > 2 * _RETREAT_M / _RETREAT_SPEED:
            self._enter(_Phase.VERIFY, state.stamp_s)
            return
        up = np.array([[0.0, 0.0, _RETREAT_SPEED]])
        self._servo(state, resolved_rate(tool.jacobian, tool.rotation, up, np.zeros(1))[0])

    def _verify(self, state: RobotState, scene: Scene | None) -> None:
        """Succeed on proof; after waiting in vain try again or give up."""
        assert self._subgoal is not None and self._subgoal.termination is not None  # noqa: S101
        if self._skill == "grasp":
            if self._holding(state):
                grip = self._run.grip
                offset = np.zeros(3) if grip is None else np.clip(grip, -0.015, 0.015)
                # Closing fingers centre the object between them.
                offset[1] = 0.0
                self._held = Held(name=self._subgoal.target, offset=offset)
                self._finish(ErrorCode.OK, "")
                return
            self._again(state, scene, "the fingers closed on nothing")
            return
        if self._skill == "place":
            self._held = None
        fresh = scene is not None and scene.stamp_s > self._since_s
        piece = self._pieces.get(self._skill)
        if fresh and scene is not None and proved(piece, self._subgoal, self._before, scene):
            self._finish(ErrorCode.OK, "")
        elif state.stamp_s - self._since_s > _VERIFY_S:
            self._again(state, scene, f"{self._subgoal.termination} was not seen to hold")

    def _again(self, state: RobotState, scene: Scene | None, why: str) -> None:
        """Try once more from what is seen now, where the skill can be repeated."""
        self._attempt += 1
        if self._attempt >= _ATTEMPTS or self._skill == "place" or scene is None:
            raise FmrlError(
                f"expected {self._skill} at {self._subgoal.target if self._subgoal else ''!r} to "
                f"succeed within {self._attempt} attempts, but {why}; plan again",
                ErrorCode.SUBGOAL_FAILED,
            )
        self._closed = False
        self._failed_yaw = float(self._transit.target[3])
        self._begin_plan(state, scene)

    def _finish(self, code: int, message: str) -> None:
        self._outcome = Outcome(success=code == ErrorCode.OK, error_code=int(code), message=message)
        self._phase = _Phase.HOLD

    # --- commands ----------------------------------------------------------------------------

    def _anchor(self, state: RobotState) -> None:
        """Take the measured pose as the last command where there is none or it is far away.

        Far away means that someone else moved the arm: the gate's brake, a reset, a person.
        """
        if self._q_command is None:
            self._q_command = np.clip(state.q, self._spec.lower, self._spec.upper)
            self._closed = float(state.q[-1]) < HOLDING_M[1]
            return
        off = np.abs(state.q - self._q_command)[:ARM_JOINTS].max()
        if self._phase is _Phase.HOLD and off > _MOVED_RAD:
            self._q_command = np.clip(state.q, self._spec.lower, self._spec.upper)

    def _command(self, state: RobotState, before: FloatArray) -> JointCommand:
        """Bring the targets within the gate's step and add the velocity that they imply."""
        assert self._q_command is not None  # noqa: S101
        spec = self._spec
        self._q_command[-1] = 0.0 if self._closed else self._open_m
        bound = 0.98 * spec.step
        change = np.clip(self._q_command - before, -bound, bound)
        self._q_command = np.clip(before + change, spec.lower, spec.upper)
        velocity = (self._q_command - before) / spec.command_dt_s
        velocity[-1] = 0.0
        return JointCommand(
            seq=0,
            stamp_s=state.stamp_s,
            observation_stamp_s=state.stamp_s,
            lease="",
            names=spec.joint_names,
            position=self._q_command.copy(),
            velocity=np.clip(velocity, -spec.velocity, spec.velocity),
            effort=np.zeros(spec.num_joints),
            kp=spec.kp,
            kd=spec.kd,
        )
