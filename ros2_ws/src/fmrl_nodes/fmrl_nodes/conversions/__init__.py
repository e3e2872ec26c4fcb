"""The only place where library types and ROS messages turn into each other.

What a message cannot express (no pose, no termination) is told by an empty name, as fmrl_msgs says.
A message that means nothing (not finite, of lengths that do not fit, of an unknown kind) raises
BadMessage, so that no value of the library holds such things.
"""

from fmrl_nodes.conversions.geometry import (
    header,
    pose_from_msg,
    pose_to_msg,
    quaternion_from_msg,
    quaternion_to_msg,
    time_from_msg,
    time_to_msg,
    vector_from_msg,
    velocity_from_msg,
    velocity_to_msg,
)
from fmrl_nodes.conversions.images import (
    check_color,
    check_depth,
    color_from_msg,
    depth_from_msg,
    image_to_msg,
    intrinsics_from_msg,
    is_depth,
)
from fmrl_nodes.conversions.plans import (
    pattern_from_msg,
    pattern_to_msg,
    plan_from_msg,
    plan_to_msg,
    predicate_from_msg,
    predicate_to_msg,
    predicates_from_msg,
    predicates_to_msg,
    subgoal_from_msg,
    subgoal_to_msg,
)
from fmrl_nodes.conversions.robot import (
    command_from_msg,
    command_to_msg,
    contacts_from_msg,
    contacts_to_msg,
    gate_from_msg,
    imu_from_msg,
    imu_to_msg,
    joint_state_from_msg,
    joint_state_to_msg,
)
from fmrl_nodes.conversions.scene import (
    reward_from_msg,
    reward_to_msg,
    scene_from_msg,
    scene_to_msg,
    usage_from_msg,
    usage_to_msg,
)

__all__ = [
    "check_color",
    "check_depth",
    "color_from_msg",
    "command_from_msg",
    "command_to_msg",
    "contacts_from_msg",
    "contacts_to_msg",
    "depth_from_msg",
    "gate_from_msg",
    "header",
    "image_to_msg",
    "imu_from_msg",
    "imu_to_msg",
    "intrinsics_from_msg",
    "is_depth",
    "joint_state_from_msg",
    "joint_state_to_msg",
    "pattern_from_msg",
    "pattern_to_msg",
    "plan_from_msg",
    "plan_to_msg",
    "pose_from_msg",
    "pose_to_msg",
    "predicate_from_msg",
    "predicate_to_msg",
    "predicates_from_msg",
    "predicates_to_msg",
    "quaternion_from_msg",
    "quaternion_to_msg",
    "reward_from_msg",
    "reward_to_msg",
    "scene_from_msg",
    "scene_to_msg",
    "subgoal_from_msg",
    "subgoal_to_msg",
    "time_from_msg",
    "time_to_msg",
    "usage_from_msg",
    "usage_to_msg",
    "vector_from_msg",
    "velocity_from_msg",
    "velocity_to_msg",
]
