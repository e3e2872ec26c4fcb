"""Template of a robot of your own: copy it into your package and declare an entry point."""

import numpy as np

from fmrl_robot.robots import ModelAsset, RobotSpec

MY_ROBOT = RobotSpec(
    name="my_robot",
    kind="arm",
    joint_names=("shoulder", "elbow", "gripper"),
    model_joints=("shoulder", "elbow", "gripper"),
    model_actuators=("shoulder", "elbow", "gripper"),
    lower=np.array([-3.0, -2.5, 0.0]),
    upper=np.array([3.0, 2.5, 0.04]),
    velocity=np.array([2.0, 2.0, 0.2]),
    effort=np.array([60.0, 40.0, 50.0]),
    step=np.array([0.06, 0.06, 0.04]),
    default=np.array([0.0, 1.2, 0.04]),
    kp=np.array([800.0, 600.0, 100.0]),
    kd=np.array([80.0, 60.0, 10.0]),
    kp_limit=np.array([800.0, 600.0, 100.0]),
    kd_limit=np.array([80.0, 60.0, 10.0]),
    policy_dt_s=0.05,
    stop_kind="brake_and_hold",
    model=ModelAsset(
        distribution="my-robot-models",
        package="my_robot_models",
        path="my_robot.xml",
        menagerie="my_robot/my_robot.xml",
    ),
    base_body="base",
    workspace_lower=np.array([0.1, -0.4, 0.0]),
    workspace_upper=np.array([0.7, 0.4, 0.6]),
)
