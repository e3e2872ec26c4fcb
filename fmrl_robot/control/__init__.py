"""Controllers: what turns a sub-goal and an observation into a joint command, fifty times a second.

A controller is found by the kind of its robot, so that a new kind of robot is one registered name.
"""

from __future__ import annotations

from pathlib import Path

from fmrl_robot.protocols import Controller
from fmrl_robot.registry import CONTROLLERS
from fmrl_robot.robots import RobotSpec


def controller_for(spec: RobotSpec, policies: Path | None = None) -> Controller:
    """Build the controller of a robot, its policies loaded and checked against the contract.

    Args:
        spec: the robot.
        policies: folder that holds the policies; None: the one shipped with this project.

    Raises:
        ConfigError: no controller of this kind, or a policy is missing or refused.
    """
    return CONTROLLERS.load(spec.kind)(spec, policies=policies)


__all__ = ["controller_for"]
