"""Runs one sub-goal at a time on a controller and says why it ended.

What every robot has in common stands here, apart from ROS and from any policy: timeouts, giving up,
driving by hand, a gate that does not let commands through, a world that was reset under the
controller's feet. Time is the observations' own.
"""

from __future__ import annotations

from dataclasses import replace

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.estimation import LegOdometry
from fmrl_robot.protocols import Controller, Drivable
from fmrl_robot.safety import State, stop_words
from fmrl_robot.safety.stop_words import REMEDY
from fmrl_robot.types import JointCommand, Outcome, RobotState, Scene, SubGoal, Velocity

DRIVE_TIMEOUT_S = 0.5
"""A robot driven by hand holds when nobody has spoken for this long."""


class Supervisor:
    """The state between observations: what is being done, since when, and who drives."""

    def __init__(self, controller: Controller, odometry: LegOdometry | None = None) -> None:
        """Begin without an observation.

        Args:
            controller: what answers observations.
            odometry: adds to them where the robot is; None: it is where it was bolted down.
        """
        self._controller = controller
        self._odometry = odometry
        self._subgoal: SubGoal | None = None
        self._started_s = 0.0
        self._state: RobotState | None = None
        self._driven_s: float | None = None
        self._seq = 0
        self._gate: State | None = None
        self._waits = False

    @property
    def max_delay_s(self) -> float:
        """From an observation to the command that answers it, the most that is borne; 0: any."""
        return self._controller.max_delay_s

    @property
    def subgoal(self) -> SubGoal | None:
        """What is being done, None when nothing is."""
        return self._subgoal

    @property
    def state(self) -> RobotState | None:
        """The last observation, with where the robot believes that it is; None before the first."""
        return self._state

    @property
    def progress(self) -> float:
        """Of the sub-goal, 0 to 1."""
        return self._controller.progress() if self._subgoal and not self._waits else 0.0

    @property
    def silent(self) -> bool:
        """Whether commands are not worth sending: a stopped gate refuses every one."""
        return self._gate is State.STOPPED

    @property
    def followed(self) -> bool:
        """Whether the robot does as it is told; who has heard of no gate takes it for granted."""
        return self._gate in (None, State.ARMED)

    def hear(self, state: State, code: int = 0, reason: str = "") -> Outcome | None:
        """Hear where the gate stands; the outcome of the sub-goal that this ended, if any.

        While the robot does not follow, commands name its measured pose: that is what the gate
        wants to see before it arms, and what the controller has to begin from afterwards.
        """
        before, self._gate = self._gate, state
        if self.followed or state is before:
            return None
        if state is State.DISARMED:
            if self._odometry is not None:
                self._odometry.restart()
            return self.abandon(
                ErrorCode.SUBGOAL_CANCELLED, "the gate is not armed any more: the world was reset"
            )
        return self.abandon(ErrorCode.GATE_STOPPED, stop_words(code, reason))

    def begin(self, subgoal: SubGoal, scene: Scene | None) -> None:
        """Start a sub-goal, or let it wait where the gate is still to be armed.

        Raises:
            FmrlError: it cannot be started, with a 3xx code; the robot holds.
        """
        if self._state is None:
            raise FmrlError(
                "expected an observation of the robot before a sub-goal, got none; is the body up?",
                ErrorCode.OBSERVATION_STALE,
            )
        if self.silent:
            raise FmrlError(
                f"expected an armed gate before a sub-goal, got a stopped one; {REMEDY}",
                ErrorCode.GATE_STOPPED,
            )
        if not self._controller.accepts(subgoal):
            raise FmrlError(
                f"expected a sub-goal that a policy of this robot carries out, got "
                f"{subgoal.kind.name} {subgoal.skill!r} {subgoal.target!r}",
                ErrorCode.NO_POLICY_FITS,
            )
        self._driven_s = None
        self._waits = not self.followed
        if not self._waits:
            try:
                self._controller.start(subgoal, self._state, scene)
            except FmrlError:
                self._controller.hold()
                raise
        self._subgoal, self._started_s = subgoal, self._state.stamp_s

    def tick(self, state: RobotState, scene: Scene | None) -> tuple[JointCommand, Outcome | None]:
        """Answer one observation; the outcome is given once, when the sub-goal has ended."""
        ended = None
        if self._state is not None and state.stamp_s < self._state.stamp_s:
            ended = self.abandon(
                ErrorCode.SUBGOAL_CANCELLED, "time went backwards: the world was reset"
            )
        self._state = state = self._located(state)
        if not self.followed:
            command = self._controller.passive(state)
            return self._numbered(command, state), ended or self._overdue()
        if self._driven_s is not None and not 0 <= state.stamp_s - self._driven_s < DRIVE_TIMEOUT_S:
            self._driven_s = None
            self._controller.hold()
        try:
            if self._waits and self._subgoal is not None:
                self._waits = False
                self._controller.start(self._subgoal, state, scene)
            command = self._controller.step(state, scene)
        except FmrlError as error:
            if self._subgoal is None:
                raise
            ended = self.abandon(error.code, str(error))
            command = self._controller.step(state, scene)
        ended = ended or self._check()
        return self._numbered(command, state), ended

    def _located(self, state: RobotState) -> RobotState:
        return self._odometry.locate(state) if self._odometry is not None else state

    def _numbered(self, command: JointCommand, state: RobotState) -> JointCommand:
        self._seq += 1
        return replace(command, seq=self._seq, observation_stamp_s=state.stamp_s)

    def _check(self) -> Outcome | None:
        if self._subgoal is None or self._state is None:
            return None
        outcome = self._controller.outcome()
        if outcome is not None:
            self._subgoal = None
            return outcome
        return self._overdue()

    def _overdue(self) -> Outcome | None:
        if self._subgoal is None or self._state is None:
            return None
        timeout = self._subgoal.timeout_s
        if 0 < timeout < self._state.stamp_s - self._started_s:
            why = "not reached" if self.followed else "the gate was not armed"
            return self.abandon(
                ErrorCode.SUBGOAL_TIMEOUT, f"{why} within {timeout:.1f} s of its timeout"
            )
        return None

    def abandon(self, code: ErrorCode, message: str) -> Outcome | None:
        """Give up the sub-goal, if any, and hold from the next observation on."""
        had, self._subgoal, self._driven_s = self._subgoal, None, None
        self._controller.hold()
        return Outcome(success=False, error_code=int(code), message=message) if had else None

    def drive(self, velocity: Velocity) -> bool:
        """Follow a person's velocity command; False where a sub-goal or the robot forbids it."""
        if self._subgoal or self._state is None or not self.followed:
            return False
        if not isinstance(self._controller, Drivable):
            return False
        self._driven_s = self._state.stamp_s
        self._controller.drive(velocity)
        return True
