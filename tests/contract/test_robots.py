"""Laws that every RobotSpec obeys, those of users' robots included.

A spec that breaks a law of figures cannot even be made (fmrl_robot/robots/laws.py), so it fails
here where it is loaded; what its model has is known only where that is installed.
"""

import dataclasses
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import mujoco
import numpy as np
import pytest

from fmrl_robot.robots import ROBOTS, check_model, robot
from fmrl_robot.types import SAYTAP_LEGS

TEMPLATE = Path(__file__).parents[2] / "docs" / "templates" / "my_robot.py"
PER_JOINT = (
    *("lower", "upper", "velocity", "effort", "step", "default"),
    *("kp", "kd", "kp_limit", "kd_limit"),
)


def template():
    found = spec_from_file_location("my_robot", TEMPLATE)
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module.MY_ROBOT


@pytest.fixture(params=[*ROBOTS.names(), "template"])
def spec(request):
    return template() if request.param == "template" else robot(request.param)


@pytest.mark.parametrize("name", ROBOTS.names())
def test_its_model_has_what_it_names(name):
    spec = robot(name)
    check_model(spec, mujoco.MjSpec.from_file(str(spec.model.locate())))


def test_every_joint_has_every_figure(spec):
    for field in PER_JOINT:
        values = getattr(spec, field)
        assert values.shape == (spec.num_joints,), field
        assert np.isfinite(values).all(), field


def test_names_are_distinct_and_complete(spec):
    for names in (spec.joint_names, spec.model_joints, spec.model_actuators):
        assert len(names) == len(set(names)) == spec.num_joints


def test_the_default_pose_is_inside_the_limits(spec):
    assert (spec.lower < spec.upper).all()
    assert (spec.lower <= spec.default).all()
    assert (spec.default <= spec.upper).all()


def test_limits_are_positive_and_gains_below_theirs(spec):
    for field in ("velocity", "effort", "step"):
        assert (getattr(spec, field) > 0).all(), field
    assert ((spec.kp > 0) & (spec.kp <= spec.kp_limit)).all()
    assert ((spec.kd >= 0) & (spec.kd <= spec.kd_limit)).all()


def test_rates_fit_each_other(spec):
    assert 0 < spec.command_dt_s <= spec.policy_dt_s


def test_each_kind_has_its_stop_and_its_fields(spec):
    if spec.kind == "arm":
        assert spec.stop_kind == "brake_and_hold"
        assert (spec.workspace_lower < spec.workspace_upper).all()
    else:
        assert spec.stop_kind == "damp_and_sit"
        assert spec.legs == SAYTAP_LEGS
        assert len(set(spec.foot_geoms)) == 4
        assert spec.base_height_m > 0


def test_a_spec_cannot_be_changed(spec):
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"
