"""What is not imported is refused in a sentence: field, expected, got, next step."""

import numpy as np
import onnx
import pytest
from foreign_files import JOINTS, WALK, csv, linear, taken, walk_file, walk_metadata
from onnx import TensorProto

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import PANDA


@pytest.fixture
def policies(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


OTHERS = ",".join(JOINTS[:-1])
METADATA = {
    "an unmeasured term": (
        {"observation_names": ",".join(["base_pos_z", *WALK])},
        "observation_names = .*got 'base_pos_z'; no sensor of the robot measures the height",
    ),
    "a scan of the ground": (
        {"observation_names": ",".join([*WALK, "height_scan"])},
        "got 'height_scan'; no sensor .* ground",
    ),
    "an unknown term": (
        {"observation_names": ",".join([*WALK[:-1], "gait_phase"])},
        "got 'gait_phase'; give it one of these names in the side file",
    ),
    "a term twice": (
        {"observation_names": ",".join([*WALK[:-1], "joint_pos_rel"])},
        "each term once",
    ),
    "a recorded motion": ({"command_names": "motion"}, "got 'motion'; no sub-goal carries"),
    "a command that is not shown": ({"command_names": ""}, "those among the observations"),
    "a missing joint": ({"joint_names": OTHERS}, "every joint of go2, RR_calf_joint too"),
    "a joint twice": ({"joint_names": f"{OTHERS},{JOINTS[0]}"}, "each of them once"),
    "a foreign joint": (
        {"joint_names": f"{OTHERS},RR_wheel_joint"},
        "joints of go2 .*got 'RR_wheel_joint'",
    ),
    "stiffness for eleven": ({"joint_stiffness": csv([20] * 11)}, "12 finite numbers"),
    "stiffness above the limit": (
        {"joint_stiffness": csv([*[20] * 11, 80.1])},
        r"joint_stiffness = '12 values above 0, at most \[80.0.*80.1",
    ),
    "no stiffness": ({"joint_stiffness": "0.000"}, "joint_stiffness = '12 values above 0"),
    "negative damping": ({"joint_damping": "-0.500"}, "joint_damping = '12 values above 0"),
    "damping that is no number": ({"joint_damping": "nan"}, "12 finite numbers"),
    "a pose beyond the limits": (
        {"default_joint_pos": csv([0, 0.9, 1.8] * 4)},
        "FL_calf_joint within .* rad, got 1.8",
    ),
    "no scale": ({"action_scale": "0.000"}, "action_scale in .* numbers above 0"),
    "neither text nor JSON": ({"joint_damping": "[0.5;0.5]"}, "JSON or text between commas"),
    "words for numbers": ({"action_scale": "auto"}, "action_scale in walk.onnx = numbers"),
    "half a frame": (
        {"observation_history_lengths": csv([1.5] * 6)},
        "observation_history_lengths in .* whole numbers",
    ),
    "clips for two": (
        {"observation_terms_clip": "[-5.0, 5.0],[-inf, inf]"},
        "observation_clips in .* one for each of",
    ),
    "another robot": ({"robot": '"go1"'}, "robot in walk.onnx = go2"),
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata_are_refused_in_a_sentence(tmp_path, policies, case):
    changes, sentence = METADATA[case]
    refuses(sentence, lambda: taken(walk_file(tmp_path, **changes), policies), policies)


SIDE = {
    "a period between commands": ({"control_dt": 0.03}, "control_dt = 'a multiple of 0.02 s"),
    "a period of nothing": ({"control_dt": 0.0}, "control_dt = 'a multiple of 0.02 s"),
    "no latency borne": ({"max_action_delay_ms": 0}, "max_action_delay_ms = 'above 0"),
    "a latency beyond the gate": ({"max_action_delay_ms": 101}, "at most 100.0"),
    "too long a history": (
        {"observation_history_lengths": [1, 1, 1, 1, 1, 101]},
        "input of the network",
    ),
    "other sizes": ({"observation_sizes": [3, 3, 4, 12, 12, 12]}, "3 numbers of command, got 4"),
    "scales for five": ({"observation_scales": [1.0] * 5}, "observation_scales in side.yaml"),
    "a scale of two": ({"observation_scales": [[1, 1], 1, 1, 1, 1, 1]}, "1 or 3 numbers for"),
    "legs of another": ({"leg_order": ["A", "B", "C", "D"]}, "leg_order in side.yaml"),
    "an unknown key": ({"joint_stifness": 20}, "expected keys among .*got .'joint_stifness'"),
}


@pytest.mark.parametrize("case", SIDE)
def test_a_side_file_is_refused_in_a_sentence(tmp_path, policies, case):
    side, sentence = SIDE[case]
    refuses(sentence, lambda: taken(walk_file(tmp_path), policies, **side), policies)


@pytest.mark.parametrize(
    "key",
    ["joint_names", "joint_stiffness", "default_joint_pos", "action_scale", "observation_names"],
)
def test_what_nobody_says_is_asked_for(tmp_path, policies, key):
    file = walk_file(tmp_path)
    model = onnx.load(str(file))
    kept = [p for p in model.metadata_props if p.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, str(file))
    refuses(
        f"{key} = a value, got None; write {key} into a side",
        lambda: taken(file, policies),
        policies,
    )


NETWORKS = {
    "too many inputs": ({"inputs": 48}, r"input of the network = FLOAT \[1, 45\] \(base_ang_vel 3"),
    "too few outputs": ({"outputs": 11}, r"output of the network = FLOAT \[1, 12\]"),
    "any number of rows": ({"batch": "batch"}, "input of the network .*fixed batch of one"),
    "two inputs": ({"more_inputs": ("time_step",)}, "inputs of the network = one.*time_step"),
    "double precision": ({"dtype": TensorProto.DOUBLE}, "FLOAT.*DOUBLE"),
    "weights that are none": (
        {"weights": lambda w: np.where(w == w[3, 4], np.nan, w).astype(np.float32)},
        "weights w = finite numbers",
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_a_network_is_refused_in_a_sentence(tmp_path, policies, case):
    changes, sentence = NETWORKS[case]
    sizes = {"inputs": 45, "outputs": 12, **changes}
    file = linear(file=tmp_path / "walk.onnx", metadata=walk_metadata(), **sizes)
    refuses(sentence, lambda: taken(file, policies), policies)


@pytest.mark.parametrize("content", [b"", b"\x00nonsense", b"PK\x03\x04 a checkpoint"])
def test_a_file_that_is_no_onnx_is_refused(tmp_path, policies, content):
    file = tmp_path / "walk.onnx"
    file.write_bytes(content)
    refuses("a whole ONNX model", lambda: taken(file, policies), policies)


def test_an_arm_is_no_quadruped(tmp_path, policies):
    refuses("quadruped", lambda: taken(walk_file(tmp_path), policies, spec=PANDA), policies)


def test_a_file_that_is_not_there_has_its_own_code(tmp_path, policies):
    with pytest.raises(ConfigError) as caught:
        taken(tmp_path / "none.onnx", policies)
    assert caught.value.code is ErrorCode.POLICY_MISSING


def refuses(sentence, attempt, policies):
    with pytest.raises(ConfigError, match=sentence) as caught:
        attempt()
    said = str(caught.value)
    assert said.startswith("expected")
    assert "got" in said
    assert ";" in said, "what to do next"
    assert not list(policies.iterdir()), "nothing is left behind"
