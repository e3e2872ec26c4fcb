"""What no node would start with is refused before one is started."""

import os
import subprocess
import sys

import pytest
from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace

from fmrl_robot import cli
from fmrl_robot.commands import doctor
from fmrl_robot.errors import ConfigError
from fmrl_robot.runtime import ros_rules
from fmrl_robot.runtime.handover import launcher_for
from fmrl_robot.runtime.launching import Launcher
from fmrl_robot.runtime.ros_rules import check_namespace, missing_middleware

GOOD = ["robot1", "/robot1", "/", "_", "__a", "a__b", "/lab/robot1", "R2D2", "/" + "x" * 244]
BAD = [
    *("robot-1", "1robot", "/a//b", "//a", "a/", "/a/1", "a b", "~/a", "{a}", "ä", "a\n", "a/\n"),
    *("x" * 245, "/" + "x" * 245, "/a/" + "x" * 243),
]


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_a_namespace_is_refused_where_ros_would_refuse_it(name):
    absolute = name if name.startswith("/") else f"/{name}"
    try:
        taken = validate_namespace(absolute)
    except InvalidNamespaceException:
        taken = False
    assert taken == (name in GOOD)
    if taken:
        assert check_namespace(name) == name
        return
    with pytest.raises(ConfigError, match="expected a namespace") as caught:
        check_namespace(name)
    assert repr(name) in str(caught.value)


@pytest.fixture
def no_process(monkeypatch):
    """Nobody starts anything."""

    def refuse(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(Launcher, "start", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("namespace", "robot-1", "letters, digits and _"),
        ("namespace", "1robot", "digit first"),
        ("namespace", "/a//b", "no part empty"),
        ("robot", "r2d2", "go1, go2, panda"),
        ("scene", "moon", "ground, rough, tabletop"),
        ("body", "metal", "mujoco"),
        ("method", "guess", ", saytap"),
        ("reward", "applause", "vlm_rm"),
        ("language_model", "oracle:x", "embedded, openai"),
        ("params_file", "/none.yaml", "fields with their values in YAML"),
    ],
)
def test_up_says_what_was_expected_and_starts_nothing(capsys, no_process, argument, value, told):
    for launcher in ("own", "auto"):
        assert cli.main(["up", "--launcher", launcher, f"{argument}:={value}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("fmrl up: ") and told in line and value.split(":")[0] in line


@pytest.mark.parametrize("command", [["ask", "stand still"], ["stop"], ["rearm"]])
def test_who_asks_is_told_too(capsys, command):
    assert cli.main([*command, "--namespace", "robot-1"]) == 2
    assert "expected a namespace" in capsys.readouterr().err


def test_what_is_right_is_started():
    given = {"robot": "go2", "namespace": "/lab/robot1", "language_model": "openai:m@http://[::1]/"}
    assert launcher_for(given, "own")._wanted


def test_a_middleware_that_is_not_installed_is_told_by_the_name_of_the_variable(monkeypatch):
    assert missing_middleware({}) == ""
    assert missing_middleware({"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}) == ""
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_nobodys_cpp")
    for said in (doctor.ros().detail, missing_middleware()):
        assert said.startswith("expected RMW_IMPLEMENTATION to be rmw_fastrtps_cpp, got 'rmw_nob")
    assert "unset RMW_IMPLEMENTATION" in doctor.ros().todo
    with pytest.raises(ConfigError, match="RMW_IMPLEMENTATION"):
        launcher_for({})
    monkeypatch.setattr(ros_rules, "prefixes", list)
    assert missing_middleware() == "", "where ROS is not found nobody knows"


@pytest.mark.parametrize(
    ("command", "code"),
    [(["fmrl_robot.cli", "ask", "stand"], 2), (["fmrl_nodes.scene_node"], 1)],
)
def test_processes_say_so_before_ros_ends_them(command, code):
    env = {**os.environ, "RMW_IMPLEMENTATION": "rmw_nobodys_cpp"}
    words = [sys.executable, "-m", *command]
    ran = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60.0)
    assert ran.returncode == code
    assert "expected RMW_IMPLEMENTATION to be" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("text", [None, "a: [1", "a: 1"])
def test_a_node_names_the_file_of_parameters_that_ros_cannot_read(tmp_path, text):
    file = tmp_path / "params.yaml"
    if text is not None:
        file.write_text(text)
    words = [sys.executable, "-m", "fmrl_nodes.scene_node", "--ros-args", "--params-file", file]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60.0)
    assert ran.returncode == 1
    assert "code=500 expected arguments that ROS 2 can read" in ran.stderr
    assert str(file) in ran.stderr
    assert "Traceback" not in ran.stderr
