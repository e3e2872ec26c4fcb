"""Ctrl-C while training by hand: saved, one line, how to go on; and what going on may change."""

import io
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import yaml

torch = pytest.importorskip("torch")

from small_training import REACH, SMALL, TINY, values  # noqa: E402
from terminal import in_a_terminal  # noqa: E402

from fmrl_robot.commands import train as train_command  # noqa: E402
from fmrl_robot.errors import ConfigError, ErrorCode  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_robot.train import commands, interrupts  # noqa: E402
from fmrl_robot.train.config import TrainConfig  # noqa: E402
from fmrl_robot.train.state_file import read_plain  # noqa: E402
from fmrl_robot.train.trainer import CHECKPOINT, Trainer, train  # noqa: E402

SHORT = {"actor": (8,), "critic": (8,), "threads": 1, "steps_per_env": 4}


@pytest.fixture(autouse=True)
def reach(monkeypatch):
    monkeypatch.setitem(TASKS._builtin, "test-reach", REACH)
    # Whoever runs the tests in the background of a script leaves it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(times=1, at=3):
    """A progress that gets so many Ctrl-C in iteration ``at``."""

    def progress(iteration, *_):
        for _ in range(times if iteration == at else 0):
            signal.raise_signal(signal.SIGINT)

    return progress


def saved(folder):
    return read_plain(folder / CHECKPOINT)["iteration"]


def test_one_press_ends_the_run_at_the_end_of_an_iteration_and_saves_it(tmp_path):
    config = TrainConfig(task="test-reach", iterations=1000, **SHORT)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path, progress=press())
    assert saved(tmp_path) == 4, "long before save_every"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    more = TrainConfig(task="test-reach", iterations=6, **SHORT)
    assert train(more, tmp_path, resume=True).iteration == 6


def test_a_second_press_ends_it_at_once(tmp_path):
    config = TrainConfig(task="test-reach", iterations=1000, **SHORT)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path, progress=press(times=2))
    assert not (tmp_path / CHECKPOINT).exists()


def test_who_is_told_to_end_by_the_system_saves_as_well(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from fmrl_robot.train.trainer import train
from fmrl_robot.train.config import OutsideConfig, SACConfig, TrainConfig
config = TrainConfig(**{ {**values(TINY), "iterations": 1000}!r})
train(config, Path({str(tmp_path)!r}), progress=lambda *_: os.kill(os.getpid(), signal.SIGTERM))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60.0)
    assert ran.returncode == -signal.SIGTERM and "Traceback" not in ran.stderr
    assert saved(tmp_path) == 2


def test_ctrl_c_in_a_terminal_ends_a_whole_team_with_one_line(tmp_path):
    """Every process of the command gets it, as a terminal sends it."""
    folder = tmp_path / "a run"
    words = ["train", "go2-saytap", "--out", str(folder), "--set", "actor=[8]"]
    for setting in ("critic=[8]", "steps_per_env=4", "workers=2", "task_settings.num_envs=4"):
        words += ["--set", setting]
    words += ["--set", "save_every=900"]
    with in_a_terminal(words) as process:
        assert "iteration=1/" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60.0)
    assert process.returncode == train_command.STOPPED == 130
    assert err.splitlines() == [interrupts.NOTICE.decode().strip()]
    count = saved(folder)
    assert 1 < count < 900
    assert out.splitlines()[-1] == (
        f"stopped; iteration={count} is saved in {folder}; "
        f"go on with: fmrl train go2-saytap --out '{folder}' --resume"
    )


def test_before_anything_was_learned_it_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / CHECKPOINT).write_bytes(b"of another run, of yesterday")
    os.utime(tmp_path / CHECKPOINT, (1, 1))

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "train_policy", stopped)
    assert train_command.main(["go2-saytap", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().out == "stopped; nothing was learned yet that could be saved\n"


def test_going_on_takes_the_settings_of_the_run(tmp_path):
    begun = {**SHORT, "iterations": 2, "learning_rate": 0.01}
    commands.train_policy("test-reach", tmp_path, settings=begun)
    commands.train_policy("test-reach", tmp_path, resume=True, settings={"iterations": 3})
    assert saved(tmp_path) == 3
    kept = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert (kept["actor"], kept["learning_rate"], kept["iterations"]) == ([8], 0.01, 3)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"iterations": 2}, "iteration=2 of 2, minutes="),
        ({"minutes": 0.002, "iterations": 10**6}, "of 0.002"),
    ],
)
def test_a_run_at_its_end_says_so_and_how_to_go_on(tmp_path, limit, told):
    lines = []
    commands.train_policy("test-reach", tmp_path, settings={**SHORT, **limit})
    commands.train_policy("test-reach", tmp_path, resume=True, report=lines.append)
    assert told in lines[0] and "go on with a greater --iterations or --minutes" in lines[0]


@pytest.mark.parametrize(
    ("changes", "had", "got"),
    [
        ({"task_settings": {**SMALL, "num_envs": 16}}, "num_envs=8", "num_envs=16"),
        ({"task_settings": {"threads": 1}}, "num_envs=8", "num_envs="),
        ({"algorithm": "sac"}, "algorithm='ppo'", "algorithm='sac'"),
        ({"actor": (32,)}, r"actor=\[16\]", r"actor=\[32\]"),
        ({"workers": 2}, "workers=1", "workers=2"),
        ({"mirror": False}, "mirror=True", "mirror=False"),
        ({"task": "go1-saytap"}, "task='go2-saytap'", "task='go1-saytap'"),
    ],
)
def test_a_run_of_another_shape_is_refused_with_both_and_stays_as_it_is(
    tmp_path, monkeypatch, changes, had, got
):
    train(TINY, tmp_path)
    before = {
        p: p.read_bytes() for p in tmp_path.iterdir() if p.suffix in (".yaml", ".safetensors")
    }
    monkeypatch.setattr("fmrl_robot.train.team.Helpers.__init__", None)  # no worker is started
    with pytest.raises(ConfigError, match=f"{had}.*got.*{got}") as caught:
        train(TrainConfig(**{**values(TINY), **changes, "iterations": 4}), tmp_path, resume=True)
    assert caught.value.code == ErrorCode.CONFIG_INVALID
    assert {p: p.read_bytes() for p in before} == before


def test_what_does_not_fit_for_another_reason_is_told_too(tmp_path, monkeypatch):
    train(TINY, tmp_path)
    monkeypatch.setattr(Trainer, "_learner", _narrow(Trainer._learner))
    with pytest.raises(ConfigError, match=r"fits the settings, got one that does not: .*size"):
        train(TINY, tmp_path, resume=True)


def _narrow(make):
    """As if the task had another number of observations now."""
    return lambda self, sizes: make(self, (sizes[0], sizes[1] - 1, sizes[2]))


def test_the_time_left_ends_with_the_minutes(tmp_path, monkeypatch, capsys):
    heard = []
    config = TrainConfig(task="test-reach", iterations=10**6, minutes=0.02, **SHORT)
    train(config, tmp_path, progress=lambda *told: heard.append((time.monotonic(), *told)))
    for (since, *_), (_, iteration, iterations, left_s, _) in pairwise(heard):
        assert 0.0 <= left_s <= 60.0 * config.minutes - (since - heard[0][0])
        assert iteration <= iterations
    assert heard[-1][2] < 10 * len(heard), "what will be done is told by the pace"
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    with train_command._Bar() as bar:
        bar.progress(10, 40, 83.0, {"episode/return": 1.0})
    shown = screen.getvalue().split("\r")[-1]
    assert "25%" in shown and "10/40" in shown and "left=01:23" in shown
