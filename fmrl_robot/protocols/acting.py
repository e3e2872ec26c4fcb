"""What moves the robot: controllers, motion planners and bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from fmrl_robot.types import (
        FloatArray,
        JointCommand,
        Outcome,
        Pose,
        RobotState,
        Scene,
        SubGoal,
        Velocity,
    )


class Controller(Protocol):
    """Carries out sub-goals of the kinds it accepts, one at a time.

    It is called from the loop that keeps the robot alive, so every method returns within a fraction
    of ``RobotSpec.command_dt_s``: what takes longer (a motion plan) runs in a thread of its own
    while ``step`` holds. ``seq``, ``stamp_s`` and ``lease`` of a command are filled in by the
    caller.
    """

    @property
    def max_delay_s(self) -> float:
        """From an observation to the command that answers it, the most that is borne; 0: any."""
        ...

    def accepts(self, subgoal: SubGoal) -> bool:
        """Whether this controller can carry it out."""
        ...

    def start(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> None:
        """Begin; raises FmrlError with a 3xx code when it cannot."""
        ...

    def step(self, state: RobotState, scene: Scene | None) -> JointCommand:
        """One control tick; always returns a safe command, also before the first ``start``."""
        ...

    def outcome(self) -> Outcome | None:
        """None while running."""
        ...

    def progress(self) -> float:
        """From 0 to 1."""
        ...

    def hold(self) -> None:
        """Give up the sub-goal and hold (arm) or stand (quadruped) from the next step on."""
        ...

    def passive(self, state: RobotState) -> JointCommand:
        """One tick while the robot follows nobody: it is stopped, or not armed yet.

        Commands the pose that was just measured, gives up whatever was under way, and lets the next
        ``step`` begin from there. Where a robot was when it was last followed says nothing of where
        it is now.
        """
        ...


@runtime_checkable
class Drivable(Protocol):
    """A controller that a person can drive."""

    def drive(self, velocity: Velocity) -> None:
        """Move at this velocity from the next step on, until the next call, start or hold."""
        ...


class MotionPlanner(Protocol):
    """Finds a collision-free path in joint space."""

    def plan(
        self, q_start: FloatArray, goal: Pose, scene: Scene, held: str | None = None
    ) -> FloatArray:
        """Return waypoints, shape (steps, joints). Raises FmrlError(NO_PATH)."""
        ...


class Body(Protocol):
    """A simulated or physical robot below the gate."""

    def read(self) -> RobotState:
        """Measure."""
        ...

    def send(self, command: JointCommand) -> None:
        """Apply a command that the gate let through."""
        ...

    def stop(self) -> None:
        """Apply the robot's stop kind."""
        ...
