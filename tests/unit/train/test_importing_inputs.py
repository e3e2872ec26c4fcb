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
    today,
    walk_file,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ConfigError
from fmrl_robot.robots import GO2

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
