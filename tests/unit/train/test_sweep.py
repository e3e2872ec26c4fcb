"""Sweeps: a run that fails ends alone, a sweep that is killed goes on where it was."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from tensorboard.backend.event_processing.event_accumulator import (  # noqa: E402
    EventAccumulator,
)
from terminal import in_a_terminal  # noqa: E402

from fmrl_robot.errors import ConfigError  # noqa: E402
from fmrl_robot.train import job_execute  # noqa: E402
from fmrl_robot.train.commands import recipe  # noqa: E402
from fmrl_robot.train.config import TrainConfig  # noqa: E402
from fmrl_robot.train.job_execute import _needs, here, on_ray  # noqa: E402
from fmrl_robot.train.jobs import RESULT  # noqa: E402
from fmrl_robot.train.state_file import read_state  # noqa: E402
from fmrl_robot.train.sweep import Run, grid_runs, read_grid, sweep  # noqa: E402
from fmrl_robot.train.sweep_table import over_seeds  # noqa: E402
from fmrl_robot.train.trainer import CHECKPOINT  # noqa: E402

TASK = "dmc-cartpole"
TINY = {
    "iterations": 2, "actor": (8,), "critic": (8,), "threads": 1, "save_every": 1,
    "task_settings.num_envs": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 3", "list of values at seed, got 3"),
        ("seed: []", r"list of values at seed, got \[\]"),
        ("seed: [1, 1]", "each value of seed once"),
        ("- seed", "expected fields with their values in YAML"),
        ("{}", "expected fields with lists"),
        ("seed: [1", "expected fields with their values in YAML"),
        ("sed: [1]", "got sed"),
        ("seed: [1, many]", "at seed, got 'many'"),
        ("learning_rate.x: [1]", "learning_rate"),
        ("task_settings.swing: [1]", "swing"),
        ("{task_settings.num_envs.x: [1], task_settings.num_envs: [2]}", "inside of task_settings"),
    ],
)
def test_a_bad_sweep_is_told_by_field(tmp_path, text, told):
    file = tmp_path / "sweep.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        grid_runs(TASK, dict(reversed(read_grid([str(file)]).items())), tmp_path, {})


def test_a_field_of_the_task_itself_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"expected fields of PandaLocalConfig .* got pol$"):
        grid_runs("panda-press", {"task_settings.pol": [1]}, tmp_path, {})


def test_a_grid_is_every_point_each_in_a_folder_of_its_own(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("task_settings.weights.velocity: [1.0, 2.0]\nactor: [[8, 4], [84]]")
    grid = read_grid([str(file), "seed=[0,1,2]"])
    runs = grid_runs("go2-saytap", grid, tmp_path, {"task_settings.num_envs": 2})
    assert len(runs) == len({run.folder for run in runs}) == 12
    assert [run.config.seed for run in runs[:3]] == [0, 1, 2]
    # What else the recipe says of the task stays.
    rest = recipe("go2-saytap").task_settings
    weights = rest.get("weights", {}) | {"velocity": 2.0}
    assert runs[-1].config.task_settings == rest | {"num_envs": 2, "weights": weights}
    assert {run.config.actor for run in runs} == {(8, 4), (84,)}
    assert all("/" not in run.name and " " not in run.name for run in runs)


def test_a_run_that_fails_ends_alone_and_is_tried_again(tmp_path):
    runs = grid_runs(TASK, {"imitation_rounds": [0, 1], "seed": [0]}, tmp_path, TINY)
    lines = []
    rows = sweep(runs, tmp_path, here(2), curves=["loss/value", "no/such"], report=lines.append)
    assert [row["state"] for row in rows] == ["done", "failed"]
    assert "scatter_episodes" in rows[1]["error"] and rows[0]["error"] == ""
    assert rows[0]["loss/value"] > 0.0 and rows[0]["no/such"] is None
    for name in ("config.yaml", CHECKPOINT, "train.log"):
        assert (runs[0].folder / name).is_file()
    table = (tmp_path / "table.md").read_text()
    assert table.count("| done |") == 1 and "no/such" not in table
    kept = json.loads((tmp_path / "table.json").read_text())
    assert kept["runs"] == rows and [group["seeds"] for group in kept["over_seeds"]] == [1]
    assert [r["seed"] for r in csv.DictReader((tmp_path / "table.csv").open())] == list("00")
    tried = []

    def nobody(waiting):
        tried.extend(waiting)
        return []

    sweep(runs, tmp_path, nobody)
    assert tried == runs[1:]


def test_a_process_that_dies_is_a_run_that_failed(tmp_path):
    runs = grid_runs(TASK, {"seed": [0]}, tmp_path, TINY)
    [row] = sweep(runs, tmp_path, lambda waiting: [(waiting[0], "its process ended")])
    assert (row["state"], row["error"]) == ("failed", "its process ended")


def test_a_folder_belongs_to_one_sweep(tmp_path):
    runs = grid_runs(TASK, {"seed": [0]}, tmp_path, TINY)

    def again(waiting):
        with pytest.raises(ConfigError, match="no other sweep"):
            sweep(runs, tmp_path, here())
        return here()(waiting)

    assert sweep(runs, tmp_path, again)[0]["state"] == "done"
    others = grid_runs(TASK, {"seed": [0]}, tmp_path, {**TINY, "gamma": 0.5})
    with pytest.raises(ConfigError, match=r"gamma=0\.99"):
        sweep(others, tmp_path, here())


KILLED = """
from pathlib import Path
from fmrl_robot.train.sweep import grid_runs, sweep
from fmrl_robot.train.job_execute import here

if __name__ == "__main__":
    out = Path({out!r})
    sweep(grid_runs({task!r}, {{"seed": [0, 1]}}, out, {fixed!r}), out, here())
"""


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    fixed = {**TINY, "iterations": 150, "save_every": 3}
    file, out = tmp_path / "killed.py", tmp_path / "out"
    file.write_text(KILLED.format(task=TASK, out=str(out), fixed=fixed))
    first, second = runs = grid_runs(TASK, {"seed": [0, 1]}, out, fixed)
    process = subprocess.Popen([sys.executable, str(file)])
    _until(lambda: (second.folder / CHECKPOINT).is_file())
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)
    whole, begun = _iteration(first), _iteration(second)
    assert whole == 150 and 0 < begun < 150
    time.sleep(1.0)
    assert _iteration(second) == begun, "a run went on without its sweep"
    kept = (first.folder / RESULT).stat().st_mtime_ns
    rows = sweep(runs, out, here())
    assert [row["state"] for row in rows] == ["done", "done"]
    assert (first.folder / RESULT).stat().st_mtime_ns == kept
    lines = (second.folder / "train.log").read_text().splitlines()
    assert sum("iteration=1/" in line for line in lines) == 1, "begun anew"
    events = EventAccumulator(str(second.folder), size_guidance={"scalars": 0})
    events.Reload()
    assert [row.step for row in events.Scalars("loss/value")] == list(range(1, 151))


def test_ctrl_c_in_a_terminal_ends_every_run_and_says_how_to_go_on(tmp_path):
    """Every process of the command gets it, as a terminal sends it; that of each run is deaf."""
    words = ["train", TASK, "--sweep", "seed=[0, 1, 2]", "--jobs", "2", "--out", str(tmp_path)]
    for field, value in {**TINY, "iterations": 10**6, "save_every": 10**6}.items():
        words += ["--set", f"{field}={list(value) if isinstance(value, tuple) else value}"]
    logs = [tmp_path / f"seed={seed}" / Run.log for seed in (0, 1, 2)]
    with in_a_terminal(words) as process:
        _until(lambda: all(f.is_file() and "iteration=1/" in f.read_text() for f in logs[:2]))
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30.0)
        _until(lambda: _empty(process.pid), 10.0)
    assert process.returncode == 130
    assert out.splitlines()[1:] == ["stopped; the same command goes on with the sweep"]
    assert not err, "one line is enough"
    saved = [_checkpoint(file.parent) for file in logs[:2]]
    assert all(0 < iteration < 10**6 for iteration in saved), "long before save_every"
    assert not logs[2].exists()
    assert not any("Traceback" in file.read_text() for file in logs[:2]), "a run heard it itself"


def _empty(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


class Stubborn:
    """A process that ends by nothing but a kill, and cannot be waited for twice."""

    def __init__(self):
        self.said = []

    def terminate(self):
        self.said.append("terminate")

    def join(self, timeout=None):
        self.said.append("join")
        if timeout is not None:
            raise KeyboardInterrupt

    def kill(self):
        self.said.append("kill")


def test_a_second_ctrl_c_kills_those_that_still_save():
    processes = [Stubborn(), Stubborn()]
    with pytest.raises(KeyboardInterrupt):
        job_execute._end(processes)
    assert [p.said[0] for p in processes] == ["terminate"] * 2
    assert [p.said[-2:] for p in processes] == [["kill", "join"]] * 2


def _until(done, wait_s=180.0):
    end = time.monotonic() + wait_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def _iteration(run):
    return _checkpoint(run.folder)


def _checkpoint(folder):
    return read_state(folder / CHECKPOINT)["iteration"]


def test_seeds_are_told_by_mean_and_interval():
    def row(rate, seed, value, state="done"):
        of = {"run": f"{rate}{seed}", "rate": rate, "seed": seed, "state": state}
        return {**of, "episode/return": value, "seconds": 2.0}

    rows = [row(1, 0, 1.0), row(1, 1, 3.0), row(2, 0, 5.0), row(2, 1, None, "failed")]
    best, other = over_seeds(rows, ["episode/return"])
    assert (best["rate"], best["seeds"], best["episode/return +-"]) == (2, 1, None)
    # Two values one off their mean: half an interval is t(.975, 1) = 12.7062 times 1.
    assert other["episode/return"] == 2.0
    assert other["episode/return +-"] == pytest.approx(12.7062, abs=1e-4)
    assert over_seeds([{"run": "a", "rate": 1, "state": "done"}], []) == []


def test_a_run_asks_ray_for_no_more_than_a_machine_has(tmp_path):
    def needs(**of):
        run = Run(name="run", folder=tmp_path, settings={}, config=TrainConfig(**of))
        return _needs(run, [{"Resources": {"CPU": 2.0}}, {"Resources": {"CPU": 8.0}}])

    assert needs(workers=4) == {"num_cpus": 4.0, "num_gpus": 0.0}
    on_gpu = needs(threads=16, task_settings={"engine": "warp:cuda"})
    assert on_gpu == {"num_cpus": 8.0, "num_gpus": 1.0}


def test_ray_carries_runs_out(tmp_path):
    runs = grid_runs(TASK, {"imitation_rounds": [0, 1]}, tmp_path, TINY)
    rows = sweep(runs, tmp_path, on_ray("local", 2))
    assert [row["state"] for row in rows] == ["done", "failed"]
    assert "scatter_episodes" in rows[1]["error"]


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"\[sweep\]"):
        on_ray("local")
