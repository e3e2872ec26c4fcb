"""What a perceiver offers, and which one a robot has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fmrl_robot.perception.camera import CameraView
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Proprioception:
    """Where the robot itself is while the camera looks."""

    q: FloatArray | None = None
    """Joint positions, shape (n,)."""
    tool: FloatArray | None = None
    """Of an arm: the point between the fingertips in the world, m, shape (3,)."""
    base: FloatArray | None = None
    """Of a quadruped: its base in the world, m, shape (3,)."""


class Perceiver(Protocol):
    """Turns frames into scenes; it remembers what it no longer sees."""

    def look(self, view: CameraView, robot: Proprioception, stamp_s: float) -> Scene:
        """Look once."""
        ...


def perceiver_for(spec: RobotSpec) -> Perceiver:
    """Build the perceiver of the scene in which a kind of robot is at home."""
    if spec.kind == "arm":
        from fmrl_robot.perception.tabletop import TabletopPerceiver

        return TabletopPerceiver()
    from fmrl_robot.perception.ground import GroundPerceiver

    return GroundPerceiver()
