"""Policies trained elsewhere: the same joint targets, or a refusal in one sentence."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from foreign_files import (
    JOINTS,
    OURS,
    SIZES,
    WALK,
    Convention,
    asked,
    csv,
    linear,
    retold,
    taken,
    walk_file,
    walk_metadata,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fmrl_robot.assets import policies_dir
from fmrl_robot.commands import policy as policy_command
from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.control.velocity import VelocityPolicy, velocity_contract
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError
from fmrl_robot.robots import GO2
from fmrl_robot.train.importing import graft, import_policy
from fmrl_robot.train.importing.statement import KEYS
from fmrl_robot.types import RobotState, Velocity


@pytest.fixture
def policies(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


# --- the same policy --------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_retold_policy_gives_the_very_actions_of_the_one_it_was_told_from(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("retold")
    (folder / "policies").mkdir()
    told = Convention.drawn(rng)
    file = retold(told, folder / "their.onnx")
    made = taken(file, folder / "policies", **told.side())
    rows = rng.normal(size=(32, 65)).astype(np.float32)
    want = asked(policies_dir() / "go2-saytap" / "policy.onnx", rows)
    assert np.abs(asked(made.folder / "policy.onnx", rows) - want).max() < 1e-4
    assert made.difference_rad < 1e-4
    PolicyRunner(made.folder / "policy.onnx", policy_contract(GO2))


@settings(max_examples=20, deadline=None)
@given(
    terms=st.permutations(list(OURS)).flatmap(
        lambda names: st.integers(1, len(names)).map(lambda n: tuple(names[:n]))
    ),
    seed=st.integers(0, 999),
)
def test_terms_may_be_left_out_and_have_histories(tmp_path_factory, terms, seed):
    """The proof inside of the import builds every number by name; here it has to agree."""
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("terms")
    told = replace(Convention.drawn(rng), terms=terms)
    frames = rng.integers(1, 4, len(terms)).tolist()
    size = sum(SIZES[OURS[t]] * n for t, n in zip(terms, frames, strict=True))
    commands = [c for c in ("command", "contact_window") if c in terms]
    metadata = {
        **told.metadata(),
        "command_names": ",".join(commands).replace("command", "twist"),
        "observation_history_lengths": csv(frames),
    }
    file = linear(size, 12, folder / "their.onnx", metadata, seed)
    (folder / "policies").mkdir()
    made = taken(file, folder / "policies", **told.side())
    assert made.difference_rad < 1e-5
    found = dict(
        zip(
            made.contract.observation_names,
            made.contract.observation_history_lengths,
            strict=True,
        )
    )
    assert {OURS[t]: n for t, n in zip(terms, frames, strict=True)}.items() <= found.items()


@pytest.mark.parametrize("spoil", ["observation_map", "action_map"])
def test_the_proof_sees_two_numbers_that_changed_places(tmp_path, policies, monkeypatch, spoil):
    right = getattr(graft, spoil)

    def wrong(*arguments):
        found = right(*arguments)
        found.pick[[7, 10]] = found.pick[[10, 7]]
        return found

    monkeypatch.setattr(graft, spoil, wrong)
    with pytest.raises(ConfigError, match="joint targets"):
        taken(walk_file(tmp_path), policies)
    assert not list(policies.iterdir())


def test_scales_may_differ_within_a_term(tmp_path, policies):
    side = {"observation_scales": [1.0, 1.0, [2.0, 2.0, 0.25], 1.0, 0.05, 1.0]}
    plain = taken(walk_file(tmp_path), policies)
    scaled = taken(walk_file(tmp_path), policies, **side)
    contract = velocity_contract(GO2)
    row = np.zeros((1, 45), dtype=np.float32)
    row[0, 6:9] = 1.0 * contract.observation_scales[2]
    at = {"plain": plain, "scaled": scaled}
    base = {k: asked(m.folder / "policy.onnx", 0 * row) for k, m in at.items()}
    moved = {k: asked(m.folder / "policy.onnx", row) - base[k] for k, m in at.items()}
    weights = onnx.numpy_helper.to_array(
        onnx.load(str(tmp_path / "walk.onnx")).graph.initializer[0]
    )
    for name, scale in (("plain", [1, 1, 1]), ("scaled", [2, 2, 0.25])):
        want = (0.25 / 0.3) * np.array(scale) @ weights[6:9]
        assert moved[name][0] == pytest.approx(want, abs=1e-5)


def test_a_policy_that_is_told_the_speed_of_its_base_walks_with_what_odometry_makes_of_it(
    tmp_path, policies
):
    terms = ("base_lin_vel", *WALK)
    metadata = walk_metadata(WALK, observation_names=",".join(terms))
    metadata["observation_history_lengths"] = csv([1] * len(terms))
    made = taken(linear(48, 12, tmp_path / "walk.onnx", metadata), policies)
    assert made.contract.observation_names[0] == "base_linear_velocity"
    assert made.difference_rad < 1e-5
    policy = VelocityPolicy(GO2, policies, made.folder.name)
    policy.begin(GO2.default)
    state = RobotState(
        stamp_s=0.0,
        q=GO2.default,
        dq=np.zeros(12),
        quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
        angular_velocity=np.zeros(3),
        linear_velocity=np.zeros(3),
    )
    still = policy.act(state, Velocity())
    policy.begin(GO2.default)
    moving = policy.act(replace(state, linear_velocity=np.array([0.5, 0.0, 0.0])), Velocity())
    assert np.abs(still - moving).max() > 1e-4
    with pytest.raises(FmrlError, match="leg_shape") as caught:
        policy.act(replace(state, linear_velocity=None), Velocity())
    assert caught.value.code is ErrorCode.OBSERVATION_STALE


# --- what is written --------------------------------------------------------------------------


def test_the_file_keeps_its_gains_and_only_who_asks_for_it_may_have_them(tmp_path, policies):
    file = walk_file(tmp_path, joint_stiffness=csv(np.arange(20, 32)), joint_damping="0.700")
    made = taken(file, policies, max_action_delay_ms=40)
    policy, base = made.folder / "policy.onnx", velocity_contract(GO2)
    with pytest.raises(ConfigError, match="joint_stiffness"):
        PolicyRunner(policy, base)
    found = PolicyRunner(policy, base, trained_elsewhere=GO2).contract
    assert found == made.contract
    assert found.joint_stiffness == tuple(range(20, 32))
    assert found.joint_damping == (0.7,) * 12
    assert found.max_action_delay_ms == 40.0
    assert (
        replace(
            found,
            joint_stiffness=base.joint_stiffness,
            joint_damping=base.joint_damping,
            max_action_delay_ms=20.0,
            config_sha256="",
        )
        == base
    )


def test_gains_follow_their_joints(tmp_path, policies):
    told = Convention(joints=tuple(reversed(JOINTS)), terms=WALK)
    metadata = {
        **told.metadata(),
        "command_names": "twist",
        "joint_stiffness": csv(np.arange(20, 32)),
    }
    made = taken(linear(45, 12, tmp_path / "walk.onnx", metadata), policies)
    assert made.contract.joint_stiffness == tuple(range(31, 19, -1))


def test_newer_metadata_and_this_projects_own_are_read_too(tmp_path, policies):
    newer = walk_file(
        tmp_path,
        observation_terms_scale="1.000,1.000,[2.0, 2.0, 0.25],1.000,0.050,1.000",
        observation_terms_history_length="0.000,0.000,0.000,0.000,0.000,2.000",
        observation_terms_clip=",".join(["[-inf, inf]"] * 6),
        observation_history_lengths="",
    )
    with pytest.raises(ConfigError, match=r"input of the network = FLOAT \[1, 57\]"):
        taken(newer, policies)
    ours = policies_dir() / "go2-saytap" / "policy.onnx"
    made = taken(ours, policies)
    rows = np.random.default_rng(0).normal(size=(8, 65)).astype(np.float32)
    assert asked(made.folder / "policy.onnx", rows) == pytest.approx(asked(ours, rows), abs=1e-5)


def test_weights_in_a_file_of_their_own_come_along_or_the_file_is_refused(tmp_path, policies):
    file = walk_file(tmp_path)
    onnx.save(
        onnx.load(str(file)),
        str(file),
        save_as_external_data=True,
        location="w.data",
        size_threshold=0,
    )
    made = taken(file, policies)
    (tmp_path / "w.data").unlink()
    assert np.isfinite(asked(made.folder / "policy.onnx", np.ones((1, 45), np.float32))).all()
    with pytest.raises(ConfigError, match="beside it"):
        taken(file, policies)


def test_the_command_tells_what_it_read_and_the_folder_says_where_it_is_from(
    tmp_path, policies, capsys
):
    file = walk_file(tmp_path)
    words = [str(file), "--robot", "go2", "--name", "my-walk", "--policies", str(policies)]
    assert policy_command.main(["import", *words]) == 0
    told = capsys.readouterr().out
    assert "control_dt (default): 0.02" in told
    assert "joint_stiffness (walk.onnx): [20.0" in told
    assert "base_ang_vel as base_angular_velocity" in told
    card = json.loads((policies / "my-walk" / "card.json").read_text())
    assert card["imported"]["file"] == "walk.onnx"
    assert card["imported"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert policy_command.main(["my-walk", "--policies", str(policies)]) == 0
    told = capsys.readouterr().out
    assert "evaluation: not evaluated" in told
    assert "the files are those" in told


def test_a_name_is_taken_once_and_again_only_by_force(tmp_path, policies):
    file = walk_file(tmp_path)
    import_policy(file, GO2, "mine", policies)
    before = (policies / "mine" / "policy.onnx").read_bytes()
    other = linear(45, 12, tmp_path / "other.onnx", walk_metadata(), seed=1)
    with pytest.raises(ConfigError, match="--force"):
        import_policy(other, GO2, "mine", policies)
    assert (policies / "mine" / "policy.onnx").read_bytes() == before
    import_policy(other, GO2, "mine", policies, force=True)
    assert (policies / "mine" / "policy.onnx").read_bytes() != before
    assert [path.name for path in policies.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["../mine", "", ".hidden", "Mine", "a/b"])
def test_a_name_stays_within_the_folder(tmp_path, policies, name):
    with pytest.raises(ConfigError, match="--name"):
        import_policy(walk_file(tmp_path), GO2, name, policies)


def test_a_bare_network_is_imported_with_its_side_file_alone(tmp_path, policies):
    bare = linear(45, 12, tmp_path / "bare.onnx", {})
    said = {**walk_metadata(), "joint_stiffness": 20, "observation_names": list(WALK)}
    del said["run_path"]
    made = taken(bare, policies, **said)
    assert made.difference_rad < 1e-5
    assert {who for who, _ in made.read.values()} == {"side.yaml", "default"}


def test_the_side_file_of_the_docs_is_one(tmp_path, policies):
    page = (Path(__file__).parents[3] / "docs/policies.md").read_text()
    said = yaml.safe_load(page.split("```yaml")[1].split("```")[0])
    made = taken(linear(45, 12, tmp_path / "bare.onnx", {}), policies, **said)
    assert made.difference_rad < 1e-5
    told = re.findall(r"^\| `(.*?)` \|", page.split("| this project")[0], re.MULTILINE)
    assert {key for row in told for key in row.split("`, `")} == set(KEYS)
