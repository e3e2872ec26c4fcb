"""Metadata that cannot be read whole: refused by name, or set aside by a side file that says so."""

import onnx
import pytest
from foreign_files import csv, linear, taken, today, walk_file

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import GO2
from fmrl_robot.train.importing import import_policy


@pytest.fixture
def policies(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


OTHER = {
    "a clip that is one number": ({"observation_terms_clip": csv([5.0] * 6)}, "clips.*upper bound"),
    "a clip upside down": (
        {"observation_terms_clip": csv([[1.0, -1.0]] + [[-5, 5]] * 5)},
        "clips.*base_ang_vel",
    ),
    "a clip that is no number": (
        {"observation_terms_clip": "nan;1.000" + ",-1.000;1.000" * 5},
        "clips.*base_ang_vel",
    ),
    "clips for five": ({"observation_terms_clip": csv([[-5, 5]] * 5)}, "one for each of"),
    "clips under their first name": (
        {"observation_term_clip": csv([[-5, 5]] * 6)},
        "observation_clips .* one value",
    ),
    "a scale of nothing": (
        {"observation_terms_scale": csv([1, 1, 1, 1, 0.0004, 1])},
        "other than 0 for joint_vel",
    ),
    "a scale of two": ({"observation_terms_scale": csv([1, 1, [2, 2], 1, 1, 1])}, "1 or 3 numbers"),
    "a scale that is true": (
        {"observation_terms_scale": "true" + ",1.000" * 5},
        "1 or 3 numbers for base_ang_vel, got True",
    ),
    "half a history": (
        {
            "observation_terms_history_length": csv([5] * 6),
            "observation_terms_flatten_history_dim": csv([1, 1, 1, 0, 0, 0]),
        },
        "observation_terms_flatten_history_dim.*one order.*observation_history_order",
    ),
    "histories of two lengths": (
        {
            "observation_terms_history_length": csv([5, 5, 5, 5, 5, 3]),
            "observation_terms_flatten_history_dim": csv([0] * 6),
        },
        "one length of history",
    ),
    "an order that is none": (
        {"observation_terms_flatten_history_dim": csv([2] * 6)},
        "6 times 0 or 1",
    ),
    "an order for five": (
        {"observation_terms_flatten_history_dim": csv([1] * 5)},
        "6 times 0 or 1",
    ),
    "a sensor elsewhere": (
        {"observation_terms_sensor_body": "torso_link,,,,,"},
        "the base of go2 .base, base_link, trunk. for base_ang_vel, got 'torso_link'.*ignore",
    ),
    "bodies for five": ({"observation_terms_sensor_body": "base,,,,"}, "one for each of"),
}
UNREAD = {
    "action_clip": "-1.000;1.000",
    "action_offset": "0.100",
    "clip_actions": "100.0",
    "observation_terms_delay": "1.000",
    "observation_normalizer": "running",
    "excluded_joint_names": "FL_hip_joint",
    "student_history_order": "newest_to_oldest",
    "use_gym_history": "true",
    "command_ranges": "1;2",
}


@pytest.mark.parametrize("case", OTHER)
def test_what_cannot_be_read_is_refused_and_never_a_default(tmp_path, policies, case):
    changes, sentence = OTHER[case]
    metadata = today(observation_terms_clip=csv([[-9, 9]] * 6)) | changes
    refuses(sentence, policies, linear(45, 12, tmp_path / "walk.onnx", metadata))


@pytest.mark.parametrize("key", UNREAD)
def test_a_key_that_nobody_reads_is_refused_by_name_and_can_be_set_aside(tmp_path, policies, key):
    file = linear(45, 12, tmp_path / "walk.onnx", today(**{key: UNREAD[key]}))
    refuses(f"{key} in walk.onnx = nothing.*under ignore in a side file", policies, file)
    made = taken(file, policies, ignore=[key])
    assert made.read["ignore"] == ("side.yaml", [key])
    assert made.difference_rad < 1e-5


def test_an_empty_value_and_where_a_file_is_from_are_no_reason(tmp_path, policies):
    free = {"excluded_joint_names": "", "task_id": "Go2-Flat", "pkg.torch.onnx.x": "y"}
    assert taken(linear(45, 12, tmp_path / "walk.onnx", today(**free)), policies).folder.is_dir()


def test_a_key_that_is_read_cannot_be_set_aside(tmp_path, policies):
    file = linear(45, 12, tmp_path / "walk.onnx", today())
    with pytest.raises(ConfigError, match=r"observation_terms_clip.*right value") as caught:
        taken(file, policies, ignore=["observation_terms_clip"])
    assert caught.value.code is ErrorCode.CONFIG_INVALID
    elsewhere = today(observation_terms_sensor_body="torso,,,,,")
    file = linear(45, 12, tmp_path / "walk.onnx", elsewhere)
    made = taken(file, policies, ignore=["observation_terms_sensor_body"])
    assert made.folder.is_dir()


def test_two_names_of_a_key_say_the_same_or_a_side_file_decides(tmp_path, policies):
    both = {**today(), "observation_scales": csv([2.0] * 6)}
    file = linear(45, 12, tmp_path / "walk.onnx", both)
    refuses("observation_scales in walk.onnx = one value", policies, file)
    made = taken(file, policies, observation_scales=[2.0] * 6)
    assert made.read["observation_scales"][1][0] == [2.0, 2.0, 2.0]
    both["observation_scales"] = both["observation_terms_scale"]
    assert taken(linear(45, 12, tmp_path / "walk.onnx", both), policies).folder.is_dir()


def test_a_key_that_stands_twice_is_refused(tmp_path, policies):
    file = linear(45, 12, tmp_path / "walk.onnx", today())
    model = onnx.load(str(file))
    model.metadata_props.add(key="joint_stiffness", value=csv([25.0] * 12))
    onnx.save(model, str(file))
    refuses("duplicate keys", policies, file)


def test_a_side_file_says_a_key_once(tmp_path, policies):
    side = tmp_path / "side.yaml"
    side.write_text("joint_stiffness: 20\njoint_damping: 0.5\njoint_stiffness: 40\n")
    with pytest.raises(ConfigError, match="found a key twice"):
        import_policy(walk_file(tmp_path), GO2, "walk", policies, side=side)


GAINS = {
    "stiffness of a torque motor": (
        "1.000,-0.000",
        "joint_stiffness.*not all of them 1, which exp.*write what it was trained with into a side",
    ),
    "all damping at nothing": ("20.000,-0.000", "joint_damping = '12 values above 0"),
    "damping lost in rounding": ("20.000,0.000", "joint_damping = '12 values above 0"),
    "negative stiffness": ("-20.000,0.500", "joint_stiffness = '12 values above 0"),
    "stiffness that is true": ("true,0.5", "joint_stiffness in walk.onnx = numbers"),
}


@pytest.mark.parametrize("case", GAINS)
def test_gains_that_no_trainer_uses_are_refused_by_name(tmp_path, policies, case):
    (kp, kd), sentence = GAINS[case][0].split(","), GAINS[case][1]
    gains = {"joint_stiffness": ",".join([kp] * 12), "joint_damping": ",".join([kd] * 12)}
    refuses(sentence, policies, linear(45, 12, tmp_path / "walk.onnx", today(**gains)))


def test_damping_of_one_is_a_gain_like_any_other(tmp_path, policies):
    gains = {"joint_damping": csv([1.0] * 12), "joint_stiffness": csv([1.0] * 3 + [25.0] * 9)}
    made = taken(linear(45, 12, tmp_path / "walk.onnx", today(**gains)), policies)
    assert made.contract.joint_damping == (1.0,) * 12


def test_one_pose_does_not_stand_for_twelve(tmp_path, policies):
    refuses(
        "default_joint_pos in walk.onnx = 12 finite numbers",
        policies,
        linear(45, 12, tmp_path / "walk.onnx", today(default_joint_pos="-0.850")),
    )


def refuses(sentence, policies, file):
    with pytest.raises(ConfigError, match=sentence) as caught:
        taken(file, policies)
    assert caught.value.code is ErrorCode.POLICY_REFUSED
    assert not list(policies.iterdir()), "nothing is left behind"
