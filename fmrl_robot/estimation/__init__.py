"""What a robot believes of its own motion, from its sensors alone. numpy only, no clock."""

from fmrl_robot.estimation.leg_kinematics import feet_in_base, shanks_in_base
from fmrl_robot.estimation.leg_odometry import LegOdometry, rotation
from fmrl_robot.robots import RobotSpec


def odometry_for(spec: RobotSpec) -> LegOdometry | None:
    """What tells a robot where it is; None: it is bolted down, or its legs are unknown."""
    return LegOdometry(spec.leg_shape) if spec.leg_shape is not None else None


__all__ = ["LegOdometry", "feet_in_base", "odometry_for", "rotation", "shanks_in_base"]
