"""``fmrl up`` hands over to ``ros2 launch`` where it is installed, and judges all the same."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.runtime.handover import PACKAGES, launcher_for, missing_for_ros2

FAKE_ROS2 = """\
#!{python} -S
import json, os, signal, sys, time
ended = []
signal.signal(signal.SIGINT, lambda *_: ended.append("SIGINT"))
with open({heard!r}, "w") as file:
    json.dump(sys.argv[1:], file)
while not ended and not os.environ.get("ROS2_DIES"):
    time.sleep(0.02)
with open({heard!r}, "a") as file:
    file.write("\\n" + "".join(ended))
sys.exit(3 if os.environ.get("ROS2_DIES") else 0)
"""


@pytest.fixture
def ros2(tmp_path, monkeypatch):
    """A ``ros2`` that only notes what it was told; the file it writes to."""
    heard = tmp_path / "heard"
    script = tmp_path / "bin" / "ros2"
    script.parent.mkdir()
    script.write_text(FAKE_ROS2.format(python=sys.executable, heard=str(heard)))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    index = tmp_path / "prefix" / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    for package in PACKAGES:
        (index / package).touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    return heard


@pytest.fixture
def no_graph(tmp_path, monkeypatch):
    """An ``ask`` and a ``judge`` that end with the codes that the environment names."""
    for module in ("fmrl_nodes/ask.py", "fmrl_sim/judge.py"):
        file = tmp_path / "fakes" / module
        file.parent.mkdir(parents=True)
        (file.parent / "__init__.py").touch()
        name = file.stem.upper()
        file.write_text(f"import os, sys\nprint({name!r}, *sys.argv[1:])\n")
        with file.open("a") as more:
            more.write(f"sys.exit(int(os.environ['{name}']))\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'fakes'}{os.pathsep}{os.pathsep.join(sys.path)}")


def up(*words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "fmrl_robot.cli", "up", *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def until(condition, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_starts_the_installed_launch_file_with_every_argument(ros2, tmp_path):
    launcher = launcher_for({"robot": "go2", "namespace": "robot1", "seed": "3"})
    launcher.start()
    until(lambda: ros2.exists() and ros2.read_text())
    began = time.monotonic()
    assert launcher.stop() == {"ros2 launch": 0}
    assert time.monotonic() - began < 3.0
    told, ended = ros2.read_text().split("\n")
    assert json.loads(told) == [
        *("launch", "fmrl_bringup", "sim.launch.xml"),
        *("robot:=go2", "namespace:=robot1", "seed:=3"),
    ]
    assert ended == "SIGINT"


def test_an_argument_that_ros2_launch_would_ignore_is_refused(ros2):
    with pytest.raises(ConfigError, match="robott"):
        launcher_for({"robott": "go2"})
    assert not ros2.exists()


@pytest.mark.parametrize(("done", "code"), [(0, 0), (1, 1), (2, 2)])
def test_with_a_task_the_exit_code_is_the_judges(ros2, no_graph, tmp_path, done, code):
    process = up("--task", "do it", f"run_dir:={tmp_path}/run", ASK="0", JUDGE=str(done))
    out, _ = process.communicate(timeout=60.0)
    assert process.returncode == code
    assert f"JUDGE {tmp_path}/run --instruction do it" in out
    assert ros2.read_text().endswith("\nSIGINT")


def test_where_nobody_answered_the_judge_is_not_asked(ros2, no_graph, tmp_path):
    process = up("--task", "do it", f"run_dir:={tmp_path}/run", ASK="2", JUDGE="0")
    out, _ = process.communicate(timeout=60.0)
    assert process.returncode == 2 and "JUDGE" not in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_without_a_task_it_runs_until_it_is_told(ros2, tmp_path, how):
    process = up(f"run_dir:={tmp_path}/run")
    until(lambda: ros2.exists() and ros2.read_text())
    process.send_signal(how)
    assert process.wait(20.0) == 0
    assert ros2.read_text().endswith("\nSIGINT")


def test_the_end_of_ros2_launch_is_an_error(ros2, tmp_path):
    process = up(f"run_dir:={tmp_path}/run", ROS2_DIES="1")
    assert process.wait(20.0) == 1


def test_what_is_missing_is_named(ros2, tmp_path, monkeypatch):
    assert missing_for_ros2() == ""
    index = tmp_path / "prefix" / "share/ament_index/resource_index/packages"
    (index / "fmrl_nodes").unlink()
    assert "fmrl_nodes" in missing_for_ros2()
    with pytest.raises(ConfigError, match="fmrl_nodes"):
        launcher_for({}, "ros2")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not on the PATH" in missing_for_ros2()


def test_one_may_insist_on_the_own_launcher(ros2):
    names = {process.name for process in launcher_for({}, "own")._wanted}
    assert "sim_node" in names and "ros2 launch" not in names


def test_what_a_killed_child_started_dies_with_it(tmp_path):
    """A launcher that is deaf to every polite request is killed with all that it started."""
    from fmrl_robot.runtime.launch_xml import Process
    from fmrl_robot.runtime.launching import Launcher

    told = tmp_path / "pid"
    code = f"""
        import signal, subprocess, sys, time
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open({str(told)!r}, "w").write(str(child.pid))
        time.sleep(60)
    """
    command = (sys.executable, "-c", textwrap.dedent(code))
    launcher = Launcher([Process(name="deaf", command=command, env={})], grace_s=0.2)
    launcher.start()
    until(lambda: told.exists() and told.read_text())
    assert launcher.stop() == {"deaf": -signal.SIGKILL}
    until(lambda: not os.path.exists(f"/proc/{told.read_text()}"))
