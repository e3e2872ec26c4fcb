import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.runtime.launch_xml import LaunchFile, Process, launch_file
from fmrl_robot.runtime.launching import Launcher


def read(tmp_path, body, **given):
    file = tmp_path / "x.launch.xml"
    file.write_text(f"<launch>{textwrap.dedent(body)}</launch>")
    return LaunchFile(file, given)


def words(process):
    return " ".join(process.command)


@pytest.mark.parametrize("robot", ["panda", "go2"])
def test_the_projects_own_launch_file_starts_six_nodes(robot):
    graph = LaunchFile(launch_file("sim.launch.xml"), {"robot": robot, "namespace": "robot1"})
    names = {"sim_node", "scene_node", "planner_node", "controller_node", "reward_node"}
    assert {p.name for p in graph.processes} == names | {"monitor_node"}
    for process in graph.processes:
        assert f"robot:='{robot}'" in words(process)
        assert "__ns:=/robot1" in words(process)
        assert "use_sim_time:=true" in words(process)
        assert Path(process.env["FASTDDS_DEFAULT_PROFILES_FILE"]).is_file()
    assert [p.name for p in graph.processes if p.shutdown_on_exit] == ["sim_node"]


def test_the_planner_is_told_its_model_cache_and_budget_letter_by_letter():
    given = {
        "language_model": "openai:org/m@http://localhost:8000/v1?total_s=9&attempts=1",
        "fm_cache": "/data/answers",
        "fm_budget": "calls=200,usd=1",
        "trigger": "every_n:2",
        "feedback": "success,person",
        "task_budget": "steps=40,questions=1",
    }
    graph = LaunchFile(launch_file("sim.launch.xml"), {"robot": "panda", **given})
    (planner,) = (p for p in graph.processes if p.name == "planner_node")
    for name, value in given.items():
        assert f"{name}:='{value}'" in words(planner)


def test_arguments_have_defaults_and_can_be_given(tmp_path):
    body = """
        <arg name="who" default="world"/>
        <executable cmd="echo $(var who)" name="hello"/>
    """
    assert read(tmp_path, body).processes[0].command == ("echo", "world")
    assert read(tmp_path, body, who="moon").processes[0].command == ("echo", "moon")


def test_an_unknown_argument_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="robott"):
        read(tmp_path, '<arg name="robot" default=""/>', robott="panda")


def test_a_missing_argument_is_asked_for(tmp_path):
    with pytest.raises(ConfigError, match="robot:="):
        read(tmp_path, '<arg name="robot"/>')


@pytest.mark.parametrize(
    "tag", ["<timer period='1'/>", "<composable_node/>", "<set_use_sim_time value='true'/>"]
)
def test_a_tag_that_is_not_known_is_refused(tmp_path, tag):
    with pytest.raises(ConfigError, match="expected a tag"):
        read(tmp_path, tag)


@pytest.mark.parametrize(("value", "count"), [("true", 1), ("false", 0), ("1", 1)])
def test_conditions(tmp_path, value, count):
    body = f'<executable cmd="echo" if="{value}"/>'
    assert len(read(tmp_path, body).processes) == count
    assert len(read(tmp_path, body.replace("if", "unless")).processes) == 1 - count


def test_a_group_keeps_its_settings_to_itself(tmp_path):
    body = """
        <group><set_env name="A" value="1"/><executable cmd="one"/></group>
        <executable cmd="two"/>
    """
    one, two = read(tmp_path, body).processes
    assert one.env == {"A": "1"}
    assert two.env == {}


def test_an_included_file_inherits_and_overrides(tmp_path):
    (tmp_path / "inner.xml").write_text(
        '<launch><arg name="a" default="0"/><executable cmd="echo $(var a)"/></launch>'
    )
    body = '<include file="$(dirname)/inner.xml"><arg name="a" value="7"/></include>'
    assert read(tmp_path, body).processes[0].command == ("echo", "7")


def python(code):
    return (sys.executable, "-c", code)


def launched(*processes):
    launcher = Launcher(processes)
    launcher.start()
    return launcher


SLEEPER = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"


def test_all_processes_end_with_the_launcher():
    launcher = launched(Process(name="a", command=python(SLEEPER), env={}))
    time.sleep(0.5)
    began = time.monotonic()
    codes = launcher.stop()
    assert codes["a"] == 1 or codes["a"] == -signal.SIGINT
    assert time.monotonic() - began < 3.0


def test_they_hear_sigint_even_where_the_launcher_was_told_to_ignore_it():
    """As a shell does for what a script runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        launcher = launched(Process(name="a", command=python(SLEEPER), env={}))
        time.sleep(0.5)
        assert launcher.stop()["a"] in (1, -signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_one_that_ignores_sigint_is_ended_all_the_same():
    launcher = launched(Process(name="deaf", command=python(DEAF), env={}))
    time.sleep(0.5)
    assert launcher.stop() == {"deaf": -signal.SIGTERM}


@pytest.mark.parametrize(
    ("code", "marked", "fatal"), [(0, True, True), (0, False, False), (3, False, True)]
)
def test_whose_end_ends_the_rest(code, marked, fatal):
    launcher = launched(
        Process(
            name="a",
            command=python(f"raise SystemExit({code})"),
            env={},
            shutdown_on_exit=marked,
        ),
        Process(name="b", command=python(SLEEPER), env={}),
    )
    found = launcher.wait(3.0)
    launcher.stop()
    assert found == ("a" if fatal else None)


def test_children_die_with_a_launcher_that_is_killed(tmp_path):
    import subprocess

    code = f"""
        import sys, time
        from fmrl_robot.runtime.launching import Launcher
        from fmrl_robot.runtime.launch_xml import Process
        command = (sys.executable, "-c", {SLEEPER!r})
        launcher = Launcher([Process(name="a", command=command, env={{}})])
        launcher.start()
        print(launcher.pids["a"], flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(python(textwrap.dedent(code)), stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(5.0)
    end = time.monotonic() + 5.0
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
