"""A place that nobody can write to ends a command in one numbered line, before any work."""

import json
import shutil

import pytest
from foreign_files import walk_file

from fmrl_description import robot_description
from fmrl_robot import cli, files
from fmrl_robot.assets import policies_dir
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.cards import note_in_card
from fmrl_sim import urdf_meshes

COMMANDS = {
    "a policy to import": "policy import {walk} --robot go2 --name walk --policies {file}/policies",
    "a training": "train dmc-cartpole --out {file}/run --no-video",
    "a sweep": "train go2-saytap --sweep seed=[0,1] --out {file}/sweep",
    "a language model": "train lm-embedded --out {file}/lm",
    "a vision model": "train clip-embedded --out {file}/clip",
    "its pictures": "train clip-embedded --out {folder}/clip --frames {file}/frames",
    "a card in the way": "eval panda-grasp --folder {policy}",
    "a card of counts": "eval reward --card {file}/card.json",
    "a card of words": "eval language --card {folder}",
    "a card of intents": "eval intent --card {file}/card.json",
    "a card of goals": "eval clip-policy --card {file}/card.json",
    "a card that is none": "eval reward --card {broken}",
    "episodes": "eval spine --out {file}/spine",
    "episodes that are not there": "eval spine --judge {folder}/none",
    "exit codes": "eval exit-codes --out {file}/codes",
    "a video": "play go2-saytap --out {file}/play.mp4",
    "a video in the place of a folder": "play go2-saytap --out {folder}",
    "a graph's record": "up --robot go2 run_dir:={file}/run",
    "a card to print": "policy panda-grasp --policies {cards}",
    "a recipe that is none": "train dmc-cartpole --resume --out {recipe}",
    "a recipe without fields": "eval panda-grasp --folder {list}",
    "a run of a sweep": "train go2-saytap --sweep seed=[0] --out {sweep}",
    "a grid that is none": "train go2-saytap --sweep {broken} --out {folder}/sweep",
    "results that are none": "eval spine --robot panda --judge {results}",
}
WORK = {
    "policy import": "train.importing.adopt.write_model",
    "train dmc-cartpole": "train.trainer._work",
    "train go2-saytap": "train.job_execute.deaf_children",
    "train lm-embedded": "train.recipes.lm_embedded.__main__.train",
    "train clip-embedded": "train.recipes.clip_embedded.__main__.drawn",
    "eval panda-grasp": "train.evaluate.rounded",
    "eval reward": "evaluations.reward_runs.evaluate",
    "eval language": "evaluations.language.load_language_model",
    "eval intent": "evaluations.intent.load_language_model",
    "eval clip-policy": "evaluations.clip_policy.load",
    "eval spine": "evaluations.spine.run_episodes",
    "eval exit-codes": "evaluations.exit_codes.run",
    "play go2-saytap": "view.filming.controller_for",
}
"""What each command must not come to: it is taken away."""


@pytest.fixture
def places(tmp_path):
    """What the commands name: a file where a folder would have to be, and the like."""
    made = {name: tmp_path / name for name in ("file", "folder", "policy", "broken", "cards")}
    made["file"].write_text("in the way")
    made["folder"].mkdir()
    made["broken"].write_text("[1, 2")
    for name, inner, text in (
        ("recipe", "config.yaml", "task: [dmc-cartpole"),
        ("list", "config.yaml", "- task"),
        ("sweep", "seed=0/result.json", '{"state": '),
        ("results", "panda/results.jsonl", '{"success": true}\nnull\n'),
    ):
        made[name] = tmp_path / name
        (made[name] / inner).parent.mkdir(parents=True)
        (made[name] / inner).write_text(text)
    shutil.copytree(policies_dir() / "panda-grasp", made["policy"])
    (made["policy"] / "card.json").unlink()
    (made["policy"] / "card.json").mkdir()
    shutil.copytree(policies_dir() / "panda-grasp", made["cards"] / "panda-grasp")
    (made["cards"] / "panda-grasp" / "card.json").write_text("{")
    return made | {"walk": walk_file(tmp_path)}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_place_that_cannot_be_is_told_in_one_line(places, capsys, monkeypatch, case):
    words = COMMANDS[case].format(**places).split()
    monkeypatch.chdir(places["folder"])
    if (begun := " ".join(words[:2])) in WORK:
        monkeypatch.setattr(f"fmrl_robot.{WORK[begun]}", None)
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    told = err.strip().splitlines()
    assert len(told) == 1, err
    assert told[0].startswith(f"fmrl {words[0]}: 500 expected ")
    assert "got " in told[0]
    assert str(places["file"].parent) in told[0]
    assert not out, "nothing was begun"


@pytest.mark.parametrize(
    ("words", "got"),
    [
        ("--set seed=[1", "'[1'"),
        ("--set seed=2026-13-01", "'2026-13-01'"),
        ("--set =1", "'=1'"),
        ("--sweep seed=[1", "'[1'"),
    ],
)
def test_a_setting_that_is_none_is_told_with_its_option(capsys, words, got):
    assert cli.main(["train", "dmc-cartpole", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("fmrl train: 500 expected ")
    assert words.partition("=")[0] in err
    assert f"got {got}" in err
    assert not out


@pytest.mark.parametrize("option", ["--output", "--meshes"])
def test_a_description_is_not_made_for_such_a_place(places, capsys, monkeypatch, option):
    monkeypatch.setattr(robot_description, "describe", None)
    assert robot_description.main(["go2", option, f"{places['file']}/go2"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("robot_description: 500 expected a folder that can be written to")


def test_what_the_machine_refuses_in_the_middle_is_one_line_too(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(urdf_meshes, "robot_model", full)
    assert robot_description.main(["go2"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "No space left on device" in err
    assert "500 expected" in err


def test_a_fault_of_the_program_is_not_hidden(monkeypatch):
    def fault(*_, **__):
        raise KeyError("foot")

    monkeypatch.setattr(urdf_meshes, "robot_model", fault)
    with pytest.raises(KeyError):
        robot_description.main(["go2"])


def test_a_place_is_looked_at_and_left_as_it_was(tmp_path):
    kept = tmp_path / "card.json"
    kept.write_text('{"name": "x"}')
    assert files.writable_file(kept) == kept
    assert files.writable_file(tmp_path / "new" / "play.mp4").parent.is_dir()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["card.json", "new"]
    note_in_card(kept, "figures", {"a": 1.0})
    assert json.loads(kept.read_text()) == {"name": "x", "figures": {"a": 1.0}}


@pytest.mark.parametrize(
    "read", [files.read_card, files.read_settings, files.read_list, files.read_lines]
)
@pytest.mark.parametrize("text", [b"[1]", b"{", b"\x00", b"\xff", b"2026-13-01", b"\t{}: {"])
def test_a_file_of_something_else_is_refused_by_its_name(tmp_path, read, text):
    (tmp_path / "card.json").write_bytes(text)
    with pytest.raises(ConfigError, match=r"expected .* at .*card\.json, got") as caught:
        read(tmp_path / "card.json")
    assert caught.value.code is ErrorCode.CONFIG_INVALID


def test_what_is_whole_is_read(tmp_path):
    file = tmp_path / "file"
    file.write_text('{"1": [2]}\n')
    assert files.read_card(file) == files.read_settings(file) == {"1": [2]}
    assert files.read_lines(file) == [{"1": [2]}]
    file.write_text('[{"a": 1}]')
    assert files.read_list(file) == [{"a": 1}]
    assert files.yaml_value("[1, a]", "--set x") == [1, "a"]
