"""A policy file that does not say, or says otherwise than the RobotSpec, moves nothing."""

import hashlib
import json
from dataclasses import fields

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fmrl_robot.assets import policies_dir
from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import GO2

WANTED = policy_contract(GO2)
WRONG = {
    "robot": "go1",
    "joint_names": list(reversed(WANTED.joint_names)),
    "joint_stiffness": [21.0, *WANTED.joint_stiffness[1:]],
    "joint_damping": [0.6, *WANTED.joint_damping[1:]],
    "default_joint_pos": [0.1, *WANTED.default_joint_pos[1:]],
    "action_scale": [0.25] * 12,
    "observation_names": list(reversed(WANTED.observation_names)),
    "observation_sizes": [4, *WANTED.observation_sizes[1:]],
    "observation_scales": [1.0] * len(WANTED.observation_scales),
    "observation_history_lengths": [2] * len(WANTED.observation_names),
    "command_names": ["velocity_command"],
    "control_dt": 0.01,
    "quaternion_order": "xyzw",
    "leg_order": ["FR", "FL", "RR", "RL"],
    "max_action_delay_ms": 0.0,
}


def write(folder, metadata, inputs=65, outputs=12):
    weights = numpy_helper.from_array(np.zeros((inputs, outputs), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "zero",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    file = folder / "policy.onnx"
    onnx.save(model, str(file))
    return file


def refused(file, field):
    with pytest.raises(ConfigError) as caught:
        PolicyRunner(file, WANTED)
    assert caught.value.code == ErrorCode.POLICY_REFUSED
    assert field in str(caught.value)


def test_the_contract_as_it_should_be_is_accepted(tmp_path):
    runner = PolicyRunner(write(tmp_path, WANTED.to_metadata()), WANTED)
    assert runner.contract == WANTED


def test_every_field_has_a_wrong_value_here():
    assert {f.name for f in fields(PolicyContract)} == {*WRONG, "config_sha256", "evaluation"}


@pytest.mark.parametrize("field", [f.name for f in fields(PolicyContract)])
def test_a_missing_field_is_named(tmp_path, field):
    metadata = WANTED.to_metadata()
    del metadata[field]
    refused(write(tmp_path, metadata), field)


@pytest.mark.parametrize("field", WRONG)
def test_a_contradicting_field_is_named(tmp_path, field):
    metadata = {**WANTED.to_metadata(), field: json.dumps(WRONG[field])}
    refused(write(tmp_path, metadata), field)


@pytest.mark.parametrize("text", ["not json", "null", "true", '{"a": 1}'])
@pytest.mark.parametrize("field", ["robot", "joint_names", "control_dt"])
def test_a_malformed_field_is_named(tmp_path, field, text):
    refused(write(tmp_path, {**WANTED.to_metadata(), field: text}), field)


@pytest.mark.parametrize(("inputs", "outputs"), [(64, 12), (65, 11)])
def test_a_network_of_another_shape_is_refused(tmp_path, inputs, outputs):
    refused(write(tmp_path, WANTED.to_metadata(), inputs, outputs), "shape")


OWN = {
    "joint_stiffness": [30.0] * 12,
    "joint_damping": [1.0] * 12,
    "observation_history_lengths": [1, 1, 1, 1, 1, 1, 1],
    "control_dt": 0.04,
    "max_action_delay_ms": 60.0,
}
BEYOND = {
    "joint_stiffness": [[30.0] * 11, [0.0] * 12, [80.1] * 12, [-1.0] * 12, [1.0] * 12, ["a"] * 12],
    "joint_damping": [[1.0] * 13, [-0.1] * 12, [0.0] * 12, [5.1] * 12, [float("nan")] * 12],
    "observation_history_lengths": [[1] * 6, [0] * 7, [1.5] * 7, [101] * 7],
    "control_dt": [0.03, 0.0, -0.02, 0.01, float("nan"), float("inf")],
    "max_action_delay_ms": [0.0, -1.0, 100.1, float("nan")],
}


@pytest.mark.parametrize("field", OWN)
def test_a_policy_from_elsewhere_may_choose_this_for_itself_and_ours_may_not(tmp_path, field):
    file = write(tmp_path, {**WANTED.to_metadata(), field: json.dumps(OWN[field])})
    runner = PolicyRunner(file, WANTED, trained_elsewhere=GO2)
    found = getattr(runner.contract, field)
    assert (list(found) if isinstance(found, tuple) else found) == OWN[field]
    if OWN[field] != json.loads(WANTED.to_metadata()[field]):
        refused(file, field)


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BEYOND.items() for value in values]
)
def test_its_choices_have_bounds(tmp_path, field, value):
    file = write(tmp_path, {**WANTED.to_metadata(), field: json.dumps(value)})
    with pytest.raises(ConfigError, match=field):
        PolicyRunner(file, WANTED, trained_elsewhere=GO2)


@pytest.mark.parametrize("field", sorted(set(WRONG) - set(OWN)))
def test_in_all_else_it_is_held_to_the_robot(tmp_path, field):
    file = write(tmp_path, {**WANTED.to_metadata(), field: json.dumps(WRONG[field])})
    with pytest.raises(ConfigError, match=field):
        PolicyRunner(file, WANTED, trained_elsewhere=GO2)


def test_a_file_that_is_no_onnx_is_refused(tmp_path):
    file = tmp_path / "policy.onnx"
    file.write_bytes(b"\x00nonsense")
    refused(file, "ONNX")


def test_a_missing_policy_has_its_own_code(tmp_path):
    with pytest.raises(ConfigError) as caught:
        QuadrupedController(GO2, policies=tmp_path)
    assert caught.value.code == ErrorCode.POLICY_MISSING


def test_the_shipped_policy_is_accepted_and_carries_its_recipe_and_figures():
    folder = policies_dir() / "go2-saytap"
    found = PolicyRunner(folder / "policy.onnx", WANTED).contract
    recipe = (folder / "config.yaml").read_bytes()
    card = json.loads((folder / "card.json").read_text())
    assert found.config_sha256 == hashlib.sha256(recipe).hexdigest()
    assert json.loads(found.evaluation) == card["evaluation"]["summary"]
    policy = (folder / "policy.onnx").read_bytes()
    assert card["policy_sha256"] == hashlib.sha256(policy).hexdigest()
