"""The robots this project knows; others join through the entry point group ``fmrl.robots``."""

from fmrl_robot.registry import Registry
from fmrl_robot.robots.laws import check_model
from fmrl_robot.robots.panda import PANDA
from fmrl_robot.robots.spec import LegShape, ModelAsset, RobotSpec, StopKind
from fmrl_robot.robots.unitree import GO1, GO2

ROBOTS = Registry(
    "fmrl.robots",
    {
        "panda": "fmrl_robot.robots.panda:PANDA",
        "go2": "fmrl_robot.robots.unitree:GO2",
        "go1": "fmrl_robot.robots.unitree:GO1",
    },
)
"""RobotSpecs by name."""


def robot(name: str) -> RobotSpec:
    """Return the RobotSpec of that name; raises ConfigError listing the known ones."""
    return ROBOTS.load(name)


__all__ = [
    "GO1",
    "GO2",
    "PANDA",
    "ROBOTS",
    "LegShape",
    "ModelAsset",
    "RobotSpec",
    "StopKind",
    "check_model",
    "robot",
]
