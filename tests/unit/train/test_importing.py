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
from foreign_files import JOINTS, OURS, SIZES, Convention, csv, linear, retold
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from fmrl_robot import policy_command
from fmrl_robot.assets import policies_dir
from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.runner import PolicyRunner, open_policy
from fmrl_robot.control.velocity import velocity_contract
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.train.importing import graft, import_policy
from fmrl_robot.train.importing.statement import KEYS

WALK = tuple(term for term in OURS if term != "contact_window")
"""mjlab's velocity task without what no robot measures."""


def side_file(folder, **values):
    file = folder / "side.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


def taken(file, folder, spec=GO2, **side):
    """Import; the folder is new each time."""
    told = side_file(file.parent, **side) if side else None
    return import_policy(file, spec, f"p{len(list(folder.iterdir()))}", folder, side=told)


def asked(file, rows):
    session = open_policy(file)
    name = session.get_inputs()[0].name
    return np.array([session.run(None, {name: row[None]})[0][0] for row in rows])


def walk_metadata(terms=WALK, **changes):
    told = Convention(terms=tuple(terms))
    return {
        **told.metadata(),
        "command_names": "twist" if "command" in terms else "",
        **changes,
    }


def walk_file(folder, terms=WALK, **changes):
    """A random velocity policy of one layer, under mjlab's metadata."""
    size = sum(SIZES[OURS[term]] for term in terms)
    return linear(size, 12, folder / "walk.onnx", walk_metadata(terms, **changes))


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


# --- refusals ---------------------------------------------------------------------------------

OTHERS = ",".join(JOINTS[:-1])
METADATA = {
    "an unmeasured term": (
        {"observation_names": ",".join(["base_lin_vel", *WALK])},
        "observation_names = .*got 'base_lin_vel'; no sensor of the robot measures the speed",
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
    "negative damping": ({"joint_damping": "-0.500"}, "joint_damping = '12 values from 0"),
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
    "clipped terms": (
        {"observation_terms_clip": "[-5.0, 5.0],[-inf, inf]"},
        "clip inside of the network",
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
