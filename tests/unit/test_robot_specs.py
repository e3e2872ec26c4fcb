"""RobotSpecs that break a law do not come into being, and say which."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from fmrl_robot.cli import main
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import Registry
from fmrl_robot.robots import GO2, PANDA, ROBOTS, check_model
from fmrl_robot.types import SAYTAP_LEGS, UNITREE_LEGS, Leg
from fmrl_sim.scenes.ground import quadruped_spec


def but(values, index, value):
    """A copy of an array or tuple with one element changed."""
    changed = list(values)
    changed[index] = value
    return tuple(changed) if isinstance(values, tuple) else np.array(changed)


BROKEN = {
    "negative damping": (GO2, "kd", but(GO2.kd, 3, -0.5), "at least 0"),
    "no stiffness": (GO2, "kp", but(GO2.kp, 3, 0.0), "above 0"),
    "stiffness above its limit": (GO2, "kp", but(GO2.kp, 3, 81.0), "at most kp_limit"),
    "damping above its limit": (PANDA, "kd", 2 * PANDA.kd, "at most kd_limit"),
    "limits that are not finite": (GO2, "upper", but(GO2.upper, 0, np.inf), "12 finite numbers"),
    "gains that are none": (GO2, "kp", but(GO2.kp, 0, np.nan), "12 finite numbers"),
    "limits upside down": (GO2, "upper", GO2.lower - 1.0, "above lower"),
    "a pose beyond the limits": (GO2, "default", but(GO2.default, 2, 1.0), "from lower to upper"),
    "no speed": (GO2, "velocity", but(GO2.velocity, 2, 0.0), "above 0"),
    "a negative effort": (PANDA, "effort", -PANDA.effort, "above 0"),
    "no step": (PANDA, "step", 0 * PANDA.step, "above 0"),
    "figures for eleven": (GO2, "effort", GO2.effort[:-1], "12 finite numbers"),
    "a list": (GO2, "kd", [0.5] * 12, "an array"),
    "true for a number": (GO2, "step", np.ones(12, dtype=bool), "12 finite numbers"),
    "a joint twice": (
        *(GO2, "joint_names", but(GO2.joint_names, 1, GO2.joint_names[0])),
        "each of them once",
    ),
    "a joint of the model twice": (
        *(GO2, "model_joints", but(GO2.model_joints, 1, GO2.model_joints[0])),
        "12 names, each of them once",
    ),
    "actuators for eleven": (GO2, "model_actuators", GO2.model_actuators[:-1], "12 names"),
    "a leg twice": (GO2, "legs", (Leg.FL, Leg.FL, Leg.RL, Leg.RR), "the order of every array"),
    "legs in the motors' order": (GO2, "legs", UNITREE_LEGS, "the order of every array"),
    "no legs": (GO2, "legs", (), "the order of every array"),
    "no feet": (GO2, "foot_geoms", (), "4 names"),
    "a foot twice": (GO2, "foot_geoms", ("FL", "FL", "RL", "RR"), "4 names, each of them once"),
    "no height": (GO2, "base_height_m", 0.0, "above 0 m"),
    "a height that is none": (GO2, "base_height_m", np.nan, "above 0 m"),
    "negative viscosity": (GO2, "viscosity", -0.2, "at least 0"),
    "a foot of no size": (
        *(GO2, "leg_shape", replace(GO2.leg_shape, foot_radius_m=0.0), "radius above 0 m"),
    ),
    "the other kind's stop": (GO2, "stop_kind", "brake_and_hold", "'damp_and_sit'"),
    "another kind": (GO2, "kind", "humanoid", "one of arm, quadruped"),
    "no base": (PANDA, "base_body", "", "a body of the model"),
    "no workspace": (PANDA, "workspace_lower", None, "3 finite numbers"),
    "a workspace inside out": (PANDA, "workspace_upper", np.zeros(3), "above workspace_lower"),
    "commands slower than decisions": (PANDA, "command_dt_s", 0.06, "at most policy_dt_s"),
    "a period of nothing": (PANDA, "command_dt_s", 0.0, "above 0 s"),
    "a period that is none": (PANDA, "policy_dt_s", np.nan, "at most policy_dt_s"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_spec_that_breaks_a_law_is_refused_by_its_field(case):
    spec, field, value, law = BROKEN[case]
    with pytest.raises(ConfigError) as caught:
        replace(spec, **{field: value})
    said = str(caught.value)
    told = "command_dt_s" if field == "policy_dt_s" else field
    assert said.startswith(f"expected {told} = ")
    assert law in said
    assert f"RobotSpec of '{spec.name}'" in said
    assert "docs/your_robot.md" in said
    assert caught.value.code is ErrorCode.CONFIG_INVALID


MISSING = {
    "a joint": ("model_joints", but(GO2.model_joints, 4, "FR_wheel_joint")),
    "an actuator": ("model_actuators", but(GO2.model_actuators, 4, "FR_wheel")),
    "two actuators in each other's place": (
        *("model_actuators", ("FL_thigh", "FL_hip", *GO2.model_actuators[2:])),
    ),
    "the base": ("base_body", "pelvis"),
    "a foot": ("foot_geoms", ("FL", "FR", "RL", "HL")),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_the_model_has_not_is_refused_by_its_field(case):
    field, value = MISSING[case]
    spec = replace(GO2, **{field: value})
    with pytest.raises(ConfigError, match=f"expected {field} = .* 'go2'") as caught:
        quadruped_spec(spec)
    assert caught.value.code is ErrorCode.CONFIG_INVALID
    model = mujoco.MjSpec.from_file(str(spec.model.locate()))
    with pytest.raises(ConfigError, match=field):
        check_model(spec, model)
    check_model(GO2, model)


def test_a_robot_that_breaks_a_law_ends_a_command_in_one_line(capsys, monkeypatch):
    """As where the user's package is imported when the robot is first asked for."""

    class Broken(Registry):
        def load(self, name):
            return replace(GO2, kd=-GO2.kd)

    monkeypatch.setattr(ROBOTS, "load", Broken("fmrl.robots", {}).load)
    assert main(["policy", "import", "walk.onnx", "--robot", "mine", "--name", "walk"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("fmrl policy: 500 expected kd = at least 0 for every joint")


def test_the_order_of_legs_is_the_one_of_every_array():
    assert GO2.legs == SAYTAP_LEGS
    assert [name[:2] for name in GO2.joint_names[::3]] == list(SAYTAP_LEGS)
