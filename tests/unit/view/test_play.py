import shutil
from dataclasses import replace

import imageio.v3 as iio
import pytest
from foreign_files import WALK, Convention, retold

from fmrl_robot.assets import policies_dir
from fmrl_robot.commands import train as train_command
from fmrl_robot.commands.play import main
from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import GO2
from fmrl_robot.train.importing import import_policy
from fmrl_robot.view import filming
from fmrl_sim.scenes import rough


def test_a_skill_of_the_arm_is_filmed(tmp_path):
    out = tmp_path / "press.mp4"
    assert main(["panda-press", "--out", str(out)]) == 0
    frames = iio.imread(out)
    assert len(frames) > 50
    assert abs(frames[-1].astype(float) - frames[0]).mean() > 1.0


def test_training_leaves_a_video_of_its_own_policy(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("fmrl_robot.train.commands.evaluate", lambda *_: None)
    monkeypatch.setattr(filming, "EPISODES", 1)
    small = ["--set", "imitation_rounds=0", "--set", "task_settings={num_envs: 16, pool: 16}"]
    command = ["panda-push", "--out", str(tmp_path), "--iterations", "1", "--set", "workers=1"]
    assert train_command.main([*command, *small]) == 0
    assert f"video={tmp_path / 'play.mp4'}" in capsys.readouterr().out
    assert len(iio.imread(tmp_path / "play.mp4")) > 20
    # What was filmed is the run's policy: without its file nothing can be.
    (tmp_path / "policy.onnx").unlink()
    with pytest.raises(ConfigError, match="expected a policy at"):
        main(["panda-push", "--folder", str(tmp_path), "--out", str(tmp_path / "no.mp4")])


def test_a_task_is_filmed_from_the_hand_too(tmp_path, monkeypatch):
    monkeypatch.setattr(filming, "EPISODES", 1)
    out = tmp_path / "wrist.mp4"
    assert main(["panda-grasp-wrist", "--out", str(out)]) == 0
    frames = iio.imread(out).astype(float)
    corner = frames[:, :140, -140:]
    assert abs(corner[-1] - corner[0]).mean() > 5.0


def test_an_imported_policy_is_filmed_walking(tmp_path, monkeypatch):
    file = retold(Convention(terms=WALK), tmp_path / "walk.onnx", command_names="twist")
    policies = tmp_path / "policies"
    shutil.copytree(policies_dir() / "go2-saytap", policies / "go2-saytap")
    import_policy(file, GO2, "my-walk", policies)
    shows = {**filming.QUADRUPED_SHOWS}
    shows["walk"] = shows["walk"][:1]
    monkeypatch.setattr(filming, "QUADRUPED_SHOWS", shows)
    out = tmp_path / "walk.mp4"
    assert main(["my-walk", "--policies", str(policies), "--out", str(out)]) == 0
    frames = iio.imread(out)
    assert len(frames) >= 50
    assert abs(frames[-1].astype(float) - frames[0]).mean() > 1.0
    with pytest.raises(ConfigError, match="panda-grasp"):
        main(["another", "--policies", str(policies)])


def test_a_walk_is_filmed_on_rough_ground(tmp_path, monkeypatch):
    text, goal = filming.QUADRUPED_SHOWS["velocity"][0]
    short = ((text, replace(goal, duration_s=1.0)),)
    monkeypatch.setitem(filming.QUADRUPED_SHOWS, "velocity", short)
    asked = []

    def scene(robot):
        asked.append(robot)
        return rough.build(robot)

    out = tmp_path / "walk.mp4"
    with SCENES.lent("rough", scene):
        assert main(["go2-velocity", "--out", str(out)]) == 0
    assert asked == ["go2"]
    frames = iio.imread(out)
    assert len(frames) > 20
    assert abs(frames[-1].astype(float) - frames[0]).mean() > 1.0


@pytest.mark.parametrize("name", ["panda-juggle", "nobody-saytap"])
def test_an_unknown_policy_is_refused_with_those_there_are(name):
    with pytest.raises(ConfigError, match="panda-grasp"):
        main([name])
