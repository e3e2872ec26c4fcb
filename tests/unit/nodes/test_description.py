"""The descriptions of the robots, and the package that hands them to viewers."""

import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import mujoco
import numpy as np
import pytest

from fmrl_description.robot_description import main
from fmrl_robot.motion.visuals import RobotVisuals
from fmrl_robot.robots import robot
from fmrl_sim.urdf_meshes import describe

PACKAGE = Path(__file__).parents[3] / "ros2_ws" / "src" / "fmrl_description"


@pytest.fixture(params=["panda", "go2", "go1"])
def spec(request):
    return robot(request.param)


def children(document, tag):
    return {e.get("name"): e for e in document.findall(tag)}


def test_its_joints_are_the_robots_and_make_one_tree(spec):
    document = Xml.fromstring(describe(spec))
    links, joints = children(document, "link"), children(document, "joint")
    assert set(spec.joint_names) <= set(joints)
    parents = {j.find("child").get("link"): j.find("parent").get("link") for j in joints.values()}
    roots = set(links) - set(parents)
    assert len(roots) == 1 and set(parents.values()) <= set(links)
    for name, lower, upper in zip(spec.joint_names, spec.lower, spec.upper, strict=True):
        limit = joints[name].find("limit")
        assert float(limit.get("lower")) <= lower + 1e-3
        assert float(limit.get("upper")) >= upper - 1e-3


def test_a_world_link_can_be_asked_for(spec):
    document = Xml.fromstring(describe(spec, world=True))
    first = next(iter(document.findall("joint")))
    assert first.find("parent").get("link") == "world" and first.get("type") == "fixed"


def test_the_meshes_are_those_of_the_model(spec, tmp_path):
    document = Xml.fromstring(describe(spec, tmp_path))
    files = [m.get("filename") for m in document.iter("mesh")]
    shapes = RobotVisuals(spec).shapes()
    assert len(files) == len(set(files)) == len(shapes)
    for uri, shape in zip(files, shapes, strict=True):
        content = Path(uri.removeprefix("file://")).read_bytes()
        count = int(np.frombuffer(content[80:84], "<u4")[0])
        assert count == len(shape.faces) and len(content) == 84 + 50 * count


def test_mujoco_reads_it_back_with_the_same_kinematics(spec):
    """A reader of URDF that is not ours puts the links where the model has them."""
    # Links without mass may not move there; the tree is what is compared.
    text = describe(spec).replace(
        f'<robot name="{spec.name}">',
        f'<robot name="{spec.name}"><mujoco><compiler boundmass="1" boundinertia="1" '
        'fusestatic="false" discardvisual="false"/></mujoco>',
    )
    model = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(model)
    for name, value in zip(spec.joint_names, spec.default, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = value
    mujoco.mj_kinematics(model, data)
    visuals = RobotVisuals(spec)
    poses = visuals.poses(spec.default, (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])))
    last = spec.joint_names[-2 if spec.kind == "arm" else -1]
    link = model.body(model.joint(last).bodyid[0]).name
    body = link.removeprefix(f"{spec.name}_") if spec.kind == "arm" else link
    base = poses[spec.base_body][0]
    np.testing.assert_allclose(data.body(link).xpos, poses[body][0] - base, atol=1e-4)


def test_the_second_finger_follows_the_first():
    joints = children(Xml.fromstring(describe(robot("panda"))), "joint")
    follower = joints["panda_finger_joint2"].find("mimic")
    assert follower.get("joint") == robot("panda").joint_names[-1]


def test_the_command_prints_and_writes(tmp_path, capsys):
    assert main(["go2"]) == 0
    printed = capsys.readouterr().out
    assert main(["go2", "--output", str(tmp_path / "a" / "go2.urdf")]) == 0
    assert (tmp_path / "a" / "go2.urdf").read_text().strip() == printed.strip()


def test_an_unknown_robot_is_refused_by_name(capsys):
    assert main(["my_robot"]) == 2
    assert "my_robot" in capsys.readouterr().err


def test_the_executable_that_launch_files_start_runs():
    stub = PACKAGE / "stubs" / "robot_description"
    ran = subprocess.run(
        [sys.executable, stub, "panda"],
        capture_output=True,
        text=True,
        timeout=60.0,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
        check=True,
    )
    assert Xml.fromstring(ran.stdout).get("name") == "panda"


def test_the_package_holds_no_model_of_anybody():
    kept = {p.suffix for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert not kept & {".urdf", ".xacro", ".stl", ".obj", ".dae", ".mjcf"}
