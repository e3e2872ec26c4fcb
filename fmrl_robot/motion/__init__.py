"""Where a hand can go and how it gets there: kinematics, collision, paths and their timing."""

from fmrl_robot.motion.collision import CollisionModel
from fmrl_robot.motion.kinematics import ArmKinematics, Unreachable, tool_down
from fmrl_robot.motion.planner import ArmPlanner, NoPath
from fmrl_robot.motion.servo import resolved_rate
from fmrl_robot.motion.timing import Trajectory, time_path

__all__ = [
    "ArmKinematics",
    "ArmPlanner",
    "CollisionModel",
    "NoPath",
    "Trajectory",
    "Unreachable",
    "resolved_rate",
    "time_path",
    "tool_down",
]
