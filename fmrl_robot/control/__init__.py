"""Controllers: what turns a sub-goal and an observation into a joint command, fifty times a second.

A controller is found by the kind of its robot, so that a new kind of robot is one registered name.
"""

from __future__ import annotations

from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.protocols import Controller
from fmrl_robot.registry import CONTROLLERS
from fmrl_robot.robots import RobotSpec


def controller_for(
    spec: RobotSpec, policies: Path | None = None, walk_policy: str = ""
) -> Controller:
    """Build the controller of a robot, its policies loaded and checked against the contract.

    Args:
        spec: the robot.
        policies: folder that holds the policies; None: the one shipped with this project.
        walk_policy: of a quadruped, an imported velocity policy to walk with, a name in that folder
            or a path; empty: the robot's own.

    Raises:
        ConfigError: no controller of this kind, or a policy is missing or refused.
    """
    controller = CONTROLLERS.load(spec.kind)
    if not walk_policy:
        return controller(spec, policies=policies)
    if spec.kind != "quadruped":
        raise ConfigError(
            f"expected a quadruped to walk with {walk_policy!r}, got {spec.name!r}; leave "
            "walk_policy empty",
            ErrorCode.NO_POLICY_FITS,
        )
    return controller(spec, policies=policies, walk_policy=walk_policy)


__all__ = ["controller_for"]
