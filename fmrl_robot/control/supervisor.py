"""Runs one sub-goal at a time on a controller and says why it ended.

What every robot has in common stands here, apart from ROS and from any policy: timeouts, giving up,
driving by hand, a world that was reset under the controller's feet. Time is the observations' own.
"""

from __future__ import annotations

from dataclasses import replace

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.protocols import Controller, Drivable
from fmrl_robot.types import JointCommand, Outcome, RobotState, Scene, SubGoal, Velocity

DRIVE_TIMEOUT_S = 0.5
"""A robot driven by hand holds when nobody has spoken for this long."""


class Supervisor:
    """The state between observations: what is being done, since when, and who drives."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._subgoal: SubGoal | None = None
        self._started_s = 0.0
        self._state: RobotState | None = None
        self._driven_s: float | None = None
        self._seq = 0

    @property
    def max_delay_s(self) -> float:
        """From an observation to the command that answers it, the most that is borne; 0: any."""
        return self._controller.max_delay_s

    @property
    def subgoal(self) -> SubGoal | None:
        """What is being done, None when nothing is."""
        return self._subgoal

    @property
    def progress(self) -> float:
        """Of the sub-goal, 0 to 1."""
        return self._controller.progress() if self._subgoal else 0.0

    def begin(self, subgoal: SubGoal, scene: Scene | None) -> None:
        """Start a sub-goal.

        Raises:
            FmrlError: it cannot be started, with a 3xx code; the robot holds.
        """
        if self._state is None:
            raise FmrlError(
                "expected an observation of the robot before a sub-goal, got none; is the body up?",
                ErrorCode.OBSERVATION_STALE,
            )
        if not self._controller.accepts(subgoal):
            raise FmrlError(
                f"expected a sub-goal that a policy of this robot carries out, got "
                f"{subgoal.kind.name} {subgoal.skill!r} {subgoal.target!r}",
                ErrorCode.NO_POLICY_FITS,
            )
        self._driven_s = None
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
        self._state = state
        if self._driven_s is not None and not 0 <= state.stamp_s - self._driven_s < DRIVE_TIMEOUT_S:
            self._driven_s = None
            self._controller.hold()
        try:
            command = self._controller.step(state, scene)
        except FmrlError as error:
            if self._subgoal is None:
                raise
            ended = self.abandon(error.code, str(error))
            command = self._controller.step(state, scene)
        ended = ended or self._check()
        self._seq += 1
        return replace(command, seq=self._seq, observation_stamp_s=state.stamp_s), ended

    def _check(self) -> Outcome | None:
        if self._subgoal is None or self._state is None:
            return None
        outcome = self._controller.outcome()
        if outcome is not None:
            self._subgoal = None
            return outcome
        timeout = self._subgoal.timeout_s
        if 0 < timeout < self._state.stamp_s - self._started_s:
            return self.abandon(
                ErrorCode.SUBGOAL_TIMEOUT, f"not reached within {timeout:.1f} s of its timeout"
            )
        return None

    def abandon(self, code: ErrorCode, message: str) -> Outcome | None:
        """Give up the sub-goal, if any, and hold from the next observation on."""
        had, self._subgoal, self._driven_s = self._subgoal, None, None
        self._controller.hold()
        return Outcome(success=False, error_code=int(code), message=message) if had else None

    def drive(self, velocity: Velocity) -> bool:
        """Follow a person's velocity command; False where a sub-goal or the robot forbids it."""
        if self._subgoal or self._state is None or not isinstance(self._controller, Drivable):
            return False
        self._driven_s = self._state.stamp_s
        self._controller.drive(velocity)
        return True
