"""``fmrl up`` as a person runs it: six processes, one task, the judge's word as exit code."""

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from fmrl_robot.assets import policies_dir
from fmrl_robot.evaluations.reward_replay import read, replay, same

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

pytestmark = [
    pytest.mark.graph,
    pytest.mark.skipif(
        not (policies_dir() / "lm-embedded").is_dir(), reason="needs the embedded planner"
    ),
]

NODES = {"sim", "scene", "planner", "controller", "reward", "monitor"}


@pytest.fixture
def environment():
    """A domain of one's own, so that no other graph on the machine is heard."""
    domain = random.SystemRandom().randrange(30, 100)
    return {**os.environ, "ROS_DOMAIN_ID": str(domain), "MUJOCO_GL": "egl"}


def up(folder, environment, *words):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "fmrl_robot.cli", "up", *words),
            *(f"run_dir:={folder}", "view_port:=0"),
        ],
        env=environment,
    )


def nodes_below(pid):
    """Names of the node processes that a launcher has."""
    words = [" ".join(p.cmdline()) for p in psutil.Process(pid).children(recursive=True)]
    return {n for n in NODES if any(f"{n}_node" in w for w in words)}


@pytest.mark.parametrize(
    ("robot", "task"),
    [
        ("panda", "put the red cube in the bowl"),
        ("go2", "trot forward slowly, then stand still"),
    ],
)
def test_a_possible_task_is_done_and_leaves_its_traces(tmp_path, environment, robot, task):
    folder = tmp_path / "run"
    process = up(folder, environment, "--robot", robot, "--seed", "1", "--task", task)
    try:
        assert process.wait(240.0) == 0
    finally:
        process.kill()
    report = (folder / "report.html").read_text()
    assert task in report
    assert {"physics.npz", "video.mp4", "run.mcap"} <= {p.name for p in folder.iterdir()}
    if robot == "panda":
        # The quadruped's sub-goals are sentences that the embedded vision model was never taught.
        rewards = read(folder)
        assert len({r.subgoal.text for r in rewards}) == 2
        replayed = replay(same(rewards[0]), rewards)
        assert replayed["values_that_differ"] == replayed["verdicts_that_differ"] == 0, replayed


def test_an_impossible_task_is_not_done_and_the_code_says_so(tmp_path, environment):
    """Nothing can lie on itself: the planner refuses, nothing moves, the judge agrees."""
    folder = tmp_path / "run"
    task = "put the red cube on the red cube"
    process = up(folder, environment, "--robot", "panda", "--task", task)
    try:
        code = process.wait(240.0)
    finally:
        process.kill()
    assert code != 0
    command = [sys.executable, "-m", "fmrl_sim.judge", str(folder), "--instruction", task]
    assert subprocess.run(command, check=False, timeout=60.0).returncode == code


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_graph_comes_up_and_ends_without_a_trace(tmp_path, environment, how):
    process = up(tmp_path / "run", environment, "--robot", "panda", "--ground-truth")
    try:
        end = time.monotonic() + 60.0
        while nodes_below(process.pid) != NODES:
            assert time.monotonic() < end, nodes_below(process.pid)
            time.sleep(0.2)
        time.sleep(3.0)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        began = time.monotonic()
        assert process.wait(15.0) == 0
        assert time.monotonic() - began < 10.0
        _, left = psutil.wait_procs(children, timeout=3.0)
        assert left == []
    finally:
        process.kill()
