import shutil

import pytest

from fmrl_robot import cli
from fmrl_robot.assets import policies_dir
from fmrl_robot.commands import doctor


def test_a_good_machine_gets_a_line_a_check_and_code_zero(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, doctor.rendering, doctor.policies))
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", "python"],
        ["ok", "rendering"],
        ["ok", "policies"],
    ]


def test_what_is_wrong_gets_a_line_that_says_what_to_do(capsys, monkeypatch):
    ill = doctor.Finding(name="rendering", detail="no EGL", todo="apt-get install libegl1")
    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, lambda: ill))
    assert cli.main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "TO DO  rendering" in text and "-> apt-get install libegl1" in text


def test_a_renderer_that_takes_its_process_with_it_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "_RENDER", "import os; os.abort()")
    found = doctor.rendering()
    assert "exit code -6" in found.detail and "MUJOCO_GL" in found.todo


def test_ros_is_tried_with_the_messages():
    pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
    assert "rclpy" in doctor.ros().detail


def test_ros_of_two_kinds_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "_tried", lambda _: ("/venv/site-packages/rclpy/__init__.py", ""))
    assert doctor.ros().todo == ""
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/kilted")
    assert "/opt/ros" in doctor.ros().todo


@pytest.mark.parametrize(
    ("environment", "todo"),
    [
        ({}, ""),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": "7"}, ""),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "LOCALHOST"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "localhost"}, "LOCALHOST"),
        ({"ROS_DOMAIN_ID": "500"}, "ROS_DOMAIN_ID"),
        ({"ROS_DOMAIN_ID": "one"}, "ROS_DOMAIN_ID"),
    ],
)
def test_discovery(environment, todo):
    found = doctor.discovery(environment)
    assert todo in found.todo and bool(todo) == bool(found.todo)


def test_a_policy_that_is_not_its_cards_is_told(tmp_path, monkeypatch):
    shutil.copytree(policies_dir(), tmp_path / "policies")
    monkeypatch.setenv("FMRL_POLICIES", str(tmp_path / "policies"))
    assert doctor.policies().todo == ""
    (tmp_path / "policies" / "go2-saytap" / "policy.onnx").write_bytes(b"nothing")
    found = doctor.policies()
    assert "go2-saytap" in found.detail and "git checkout" in found.todo


def test_every_command_of_the_table_can_be_imported_and_has_a_main():
    import importlib

    for name, what in cli.COMMANDS.items():
        assert callable(importlib.import_module(cli.module_of(name)).main), name
        assert what
