"""Clips, scales and histories of policies trained elsewhere, beside a reference in numpy.

The reference shows the network what its own trainer would: every term clipped, then scaled, its
frames kept, and all laid out term by term or moment by moment. It uses nothing of the import.
"""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from foreign_files import (
    JOINTS,
    LEGS,
    OURS,
    SIZES,
    WALK,
    Convention,
    asked,
    csv,
    linear,
    taken,
    walk_file,
    walk_metadata,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import GO2
from fmrl_robot.train.importing import import_policy

MOMENTS = 12
BASE = dict(zip(JOINTS, GO2.default, strict=True))


@pytest.fixture
def policies(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


# --- the reference ----------------------------------------------------------------------------


def moments(rng):
    """What a robot feels and is told, by its own names; far enough for every bound to bite."""
    for _ in range(MOMENTS):
        yield {
            "ang": rng.normal(size=3) * 5,
            "gravity": rng.normal(size=3),
            "command": rng.normal(size=3) * 2,
            "q": dict(zip(JOINTS, rng.normal(size=12) * 3, strict=True)),
            "dq": dict(zip(JOINTS, rng.normal(size=12) * 10, strict=True)),
            "last": dict(zip(JOINTS, rng.normal(size=12), strict=True)),
            "window": {leg: rng.integers(0, 2, 5).astype(float) for leg in LEGS},
        }


def ours(moment):
    """The terms that this project's controller shows; ``last`` is the last target in rad."""
    return {
        "base_angular_velocity": moment["ang"],
        "projected_gravity": moment["gravity"],
        "velocity_command": moment["command"],
        "joint_position": np.array([moment["q"][j] - BASE[j] for j in JOINTS]),
        "joint_velocity": np.array([moment["dq"][j] for j in JOINTS]),
        "last_action": np.array(
            [(moment["last"][j] - BASE[j]) / loco.ACTION_SCALE for j in JOINTS]
        ),
        "contact_window": np.concatenate([moment["window"][leg] for leg in LEGS]),
    }


def theirs(told, moment):
    """The same in the other project's convention, before clip and scale."""
    default, scale = told.default, told.scale
    return {
        "base_ang_vel": moment["ang"],
        "projected_gravity": moment["gravity"],
        "command": moment["command"],
        "joint_pos": np.array([moment["q"][j] - default[j] for j in told.joints]),
        "joint_vel": np.array([moment["dq"][j] for j in told.joints]),
        "actions": np.array([(moment["last"][j] - default[j]) / scale[j] for j in told.actions]),
        "contact_window": np.concatenate([moment["window"][leg] for leg in told.legs]),
    }


def reference_rows(told, seen, clips, scales, frames, by_frame):
    """Rows of the network's input, shape (MOMENTS, size)."""
    kept = {
        term: [np.clip(theirs(told, m)[term], *clips[term]) * scales[term] for m in seen]
        for term in told.terms
    }
    rows = []
    for now in range(len(seen)):
        at = {t: [max(0, now - back) for back in reversed(range(frames[t]))] for t in told.terms}
        if by_frame:
            depth = frames[told.terms[0]]
            parts = [kept[t][at[t][k]] for k in range(depth) for t in told.terms]
        else:
            parts = [kept[t][k] for t in told.terms for k in at[t]]
        rows.append(np.concatenate(parts))
    return np.array(rows, dtype=np.float32)


def gap(told, file, made, seen, rows):
    """Greatest difference of joint targets in rad between the original and the imported file."""
    shape = onnx.load(str(file)).graph.input[0].type.tensor_type.shape.dim
    rows = rows.reshape(-1, *(d.dim_value for d in shape[1:]))
    want = [
        {j: told.default[j] + told.scale[j] * a for j, a in zip(told.actions, row, strict=True)}
        for row in asked(file, rows)
    ]
    runner = PolicyRunner(made.folder / "policy.onnx", made.contract)
    got = [GO2.default + loco.ACTION_SCALE * runner.act(ours(m)) for m in seen]
    return max(
        abs(w[j] - g[k]) for w, g in zip(want, got, strict=True) for k, j in enumerate(JOINTS)
    )


def spelled(style, values):
    """A list with lists in it, as one exporter or another writes it."""
    if style == "semicolons":
        return csv(values)
    return ",".join(str([float(v) for v in value]) for value in values)


# --- clips, scales and histories --------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    by_frame=st.booleans(),
    as_rows=st.booleans(),
    style=st.sampled_from(["semicolons", "brackets"]),
)
def test_clips_scales_and_histories_give_the_reference_s_targets(
    tmp_path_factory, seed, by_frame, as_rows, style
):
    rng = np.random.default_rng(seed)
    told = replace(Convention.drawn(rng), default=BASE | {"FL_hip_joint": 0.1})
    depth = int(rng.integers(2, 5))
    frames = {t: depth if by_frame else int(rng.integers(1, 4)) for t in told.terms}
    scales = {
        t: np.round(rng.uniform(0.1, 3.0, SIZES[OURS[t]]) * rng.choice([-1, 1]), 3).tolist()
        for t in told.terms
    }
    bounds = [(-2.0, 2.0), (-np.inf, 1.5), (-0.5, np.inf), (-np.inf, np.inf)]
    clips = {t: bounds[int(rng.integers(len(bounds)))] for t in told.terms}
    clips[told.terms[0]] = bounds[0]
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "policies").mkdir()
    size = sum(SIZES[OURS[t]] * frames[t] for t in told.terms)
    metadata = {
        **told.metadata(),
        "observation_terms_scale": spelled(style, [scales[t] for t in told.terms]),
        "observation_terms_clip": spelled(style, [clips[t] for t in told.terms]),
        "observation_terms_history_length": csv([frames[t] for t in told.terms]),
        "observation_terms_flatten_history_dim": csv([not by_frame] * len(told.terms)),
    }
    del metadata["observation_history_lengths"]
    rows = (depth, size // depth) if by_frame and as_rows else ()
    file = linear(size, 12, folder / "their.onnx", metadata, seed, rows=rows)
    side = told.side()
    del side["observation_scales"]
    made = taken(file, folder / "policies", **side)
    seen = list(moments(rng))
    shown = reference_rows(told, seen, clips, scales, frames, by_frame)
    assert gap(told, file, made, seen, shown) < 2e-4
    # What would be lost: the same without clips, and in the other order.
    free = dict.fromkeys(told.terms, (-np.inf, np.inf))
    unclipped = reference_rows(told, seen, free, scales, frames, by_frame)
    assert gap(told, file, made, seen, unclipped) > 1e-2
    if by_frame:
        other = reference_rows(told, seen, clips, scales, frames, False)
        assert gap(told, file, made, seen, other) > 1e-2


def today(**changes):
    """What mjlab writes today for its velocity task without ``base_lin_vel``."""
    metadata = {
        **walk_metadata(),
        "observation_terms_scale": csv([1.0] * 6),
        "observation_terms_flatten_history_dim": csv([True] * 6),
        "observation_terms_history_length": csv([0] * 6),
        "observation_terms_clip": csv([[-np.inf, np.inf]] * 6),
        "observation_terms_sensor_name": "robot/imu_ang_vel,,,,,",
        "observation_terms_sensor_site": "imu,,,,,",
        "observation_terms_sensor_body": "base_link,,,,,",
        **changes,
    }
    del metadata["observation_history_lengths"]
    return metadata


def test_what_mjlab_writes_today_is_read_whole(tmp_path, policies):
    made = taken(linear(45, 12, tmp_path / "walk.onnx", today()), policies)
    assert made.difference_rad < 1e-5
    assert made.read["observation_history_order"] == ("walk.onnx", "by_term")
    assert made.read["observation_clips"] == ("walk.onnx", [[-np.inf, np.inf]] * 6)
    nodes = {node.op_type for node in onnx.load(str(made.folder / "policy.onnx")).graph.node}
    assert not nodes & {"Max", "Min", "Reshape"}, "nothing is clipped, so nothing clips"


def test_five_frames_moment_by_moment_are_not_taken_term_by_term(tmp_path, policies):
    frames = {
        "observation_terms_history_length": csv([5] * 6),
        "observation_terms_flatten_history_dim": csv([False] * 6),
    }
    file = linear(225, 12, tmp_path / "walk.onnx", today(**frames))
    made = taken(file, policies)
    assert made.read["observation_history_order"] == ("walk.onnx", "by_frame")
    told, seen = Convention(terms=WALK), list(moments(np.random.default_rng(0)))
    free, ones = dict.fromkeys(WALK, (-np.inf, np.inf)), dict.fromkeys(WALK, 1.0)
    five = dict.fromkeys(WALK, 5)
    right = reference_rows(told, seen, free, ones, five, True)
    assert gap(told, file, made, seen, right) < 1e-4
    by_term = taken(file, policies, observation_history_order="by_term")
    assert gap(told, file, by_term, seen, right) > 1e-2


def test_an_imported_policy_with_clips_can_be_imported_itself(tmp_path, policies):
    clips = {"observation_terms_clip": csv([[-np.inf, np.inf]] * 4 + [[-np.inf, 2.0]] * 2)}
    made = taken(linear(45, 12, tmp_path / "walk.onnx", today(**clips)), policies)
    again = taken(made.folder / "policy.onnx", policies)
    rows = np.random.default_rng(0).normal(size=(8, 45)).astype(np.float32) * 4
    first, second = (asked(m.folder / "policy.onnx", rows) for m in (made, again))
    assert second == pytest.approx(first, abs=1e-5)


def test_a_side_file_may_say_clips_and_order(tmp_path, policies):
    side = {
        "observation_clips": [None, None, [-1, 1], None, [-5.0, float("inf")], "null"],
        "observation_history_order": "by_frame",
    }
    with pytest.raises(ConfigError, match=r"observation_clips in side.yaml .*for actions"):
        taken(walk_file(tmp_path), policies, **side)
    side["observation_clips"][-1] = None
    made = taken(walk_file(tmp_path), policies, **side)
    assert made.read["observation_clips"][1][2] == [-1.0, 1.0]
    assert made.read["observation_clips"][1][4] == [-5.0, np.inf]


# --- what is refused --------------------------------------------------------------------------

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
