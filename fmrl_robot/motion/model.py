"""A robot's own MuJoCo model, which has all that its RobotSpec names."""

from __future__ import annotations

from pathlib import Path

import mujoco

from fmrl_robot.robots import RobotSpec, check_model


def robot_model(robot: RobotSpec, menagerie: Path | None = None) -> mujoco.MjSpec:
    """Return the model of a robot as its MJCF file has it, to be changed and compiled.

    Args:
        robot: whose.
        menagerie: folder of a MuJoCo Menagerie; None: the installed package.

    Raises:
        ConfigError: ASSET_MISSING where there is no file; CONFIG_INVALID where it has not what the
            RobotSpec names.
    """
    model = mujoco.MjSpec.from_file(str(robot.model.locate(menagerie)))
    check_model(robot, model)
    return model
