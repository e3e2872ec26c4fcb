"""``fmrl doctor``: whether this machine can run the graph; each line is ok or says what to do.

What loads native libraries is tried in a process of its own, because a broken driver may take its
process with it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fmrl_robot.assets import policies_dir
from fmrl_robot.commands.policy import contract_of, mismatches
from fmrl_robot.control import controller_for
from fmrl_robot.errors import FmrlError
from fmrl_robot.files import read_card
from fmrl_robot.robots import robot
from fmrl_robot.runtime.handover import missing_for_ros2
from fmrl_robot.runtime.launch_xml import find_share
from fmrl_robot.runtime.ros_rules import ENV_MIDDLEWARE, missing_middleware

TIMEOUT_S = 60.0
_RENDER = """
import mujoco, numpy as np
from fmrl_sim.gl import offscreen_context
context = offscreen_context(64, 64)
xml = "<mujoco><worldbody><light pos='0 0 3'/><geom size='.2' rgba='1 0 0 1'/></worldbody></mujoco>"
model = mujoco.MjModel.from_xml_string(xml)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
scene = mujoco.MjvScene(model, 10)
gl = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, gl)
camera, view = mujoco.MjvCamera(), mujoco.MjrRect(0, 0, 64, 64)
camera.distance = 1.0
all = mujoco.mjtCatBit.mjCAT_ALL
mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, all, scene)
mujoco.mjr_render(view, scene, gl)
picture = np.zeros((64, 64, 3), np.uint8)
mujoco.mjr_readPixels(picture, None, view, gl)
assert picture.std() > 5.0, "the picture is blank"
print(type(context).__module__.removeprefix("mujoco."))
"""
_ROS = """
import rclpy, fmrl_msgs.msg as fm, tf2_msgs.msg
from rclpy.serialization import deserialize_message, serialize_message
assert deserialize_message(serialize_message(fm.Plan(task_id="x")), fm.Plan).task_id == "x"
print(rclpy.__file__)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    detail: str
    todo: str = ""
    """What to do; empty when all is well."""


def _tried(code: str) -> tuple[str, str]:
    """Run code in a process of its own; return its last word and what went wrong."""
    try:
        done = subprocess.run(  # noqa: S603  (our own code)
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {TIMEOUT_S:.0f} s"
    if done.returncode == 0:
        return (done.stdout.strip().splitlines() or [""])[-1], ""
    last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
    return "", f"{last} (exit code {done.returncode})"


def python() -> Finding:
    """The interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 12)
    return Finding(name="python", detail=found, todo="" if good else "use Python 3.11 or 3.12")


def rendering() -> Finding:
    """A frame without a display."""
    kind, wrong = _tried(_RENDER)
    todo = "apt-get install libegl1 libgl1-mesa-dri, or set MUJOCO_GL=osmesa" if wrong else ""
    return Finding(name="rendering", detail=wrong or f"a frame by {kind}", todo=todo)


def ros() -> Finding:
    """The ROS client library and this project's messages."""
    if missing := missing_middleware():
        return Finding(name="ros", detail=missing, todo=f"unset {ENV_MIDDLEWARE}, or install it")
    place, wrong = _tried(_ROS)
    todo = "make setup, or source a workspace with fmrl_msgs (docs/ros2.md)" if wrong else ""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    if not wrong and "site-packages" in place and any(p.startswith("/opt/ros") for p in prefixes):
        wrong = f"rclpy of pip at {place} beside a sourced /opt/ros"
        todo = "use one of them: pip uninstall ros-rclpy, or a shell without /opt/ros"
    return Finding(name="ros", detail=wrong or place, todo=todo)


def launching() -> Finding:
    """Who would start the graph."""
    missing = missing_for_ros2()
    try:
        share = find_share("fmrl_bringup")
    except FmrlError as error:
        return Finding(name="launching", detail=str(error), todo="make setup, or colcon build")
    by = f"fmrl's own reader ({missing})" if missing else "ros2 launch"
    return Finding(name="launching", detail=f"{share} by {by}")


def policies() -> Finding:
    """The shipped artefacts: those that their cards speak of, and loaded by their controllers."""
    good: list[str] = []
    bad: list[str] = []
    robots: set[str] = set()
    try:
        folders = sorted(p.parent for p in policies_dir().glob("*/card.json"))
    except FmrlError as error:
        return Finding(name="policies", detail=str(error), todo="set FMRL_POLICIES")
    for folder in folders:
        try:
            contract = contract_of(folder)
            robots |= {contract.robot} if contract else set()
            bad += [
                f"{folder.name}: {m}" for m in mismatches(folder, read_card(folder / "card.json"))
            ]
            good.append(folder.name)
        except (ImportError, FmrlError, OSError, ValueError, RuntimeError) as error:
            bad.append(f"{folder.name}: {error}")
    for name in sorted(robots):
        try:
            controller_for(robot(name))
        except (ImportError, FmrlError) as error:
            bad.append(f"{name}: {error}")
    if bad or not good:
        todo = "restore the files (git checkout policies), or train them anew (docs/training.md)"
        return Finding(name="policies", detail="; ".join(bad) or "none", todo=todo)
    return Finding(name="policies", detail=", ".join(good))


def discovery(environment: Mapping[str, str] | None = None) -> Finding:
    """Whom the nodes hear."""
    env = os.environ if environment is None else environment
    scope = env.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    domain = env.get("ROS_DOMAIN_ID", "0")
    detail = f"domain {domain}, range {scope or 'unset (SUBNET)'}"
    todo = ""
    if not domain.isdigit() or not 0 <= int(domain) <= 101:
        todo = "export ROS_DOMAIN_ID as a number from 0 to 101"
    elif scope not in ("", "SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT"):
        todo = "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, or SUBNET"
    elif scope == "OFF":
        todo = "nodes do not find each other: export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST"
    elif scope != "LOCALHOST":
        detail += "; the graph itself stays on this machine unless told otherwise"
    return Finding(name="discovery", detail=detail, todo=todo)


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    rendering,
    ros,
    launching,
    policies,
    discovery,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl doctor``; 0 when every line is ok."""
    parser = argparse.ArgumentParser(prog="fmrl doctor", description="Check this machine.")
    parser.parse_args(arguments)
    ill = 0
    for check in CHECKS:
        found = check()
        ill += bool(found.todo)
        print(f"{'TO DO' if found.todo else 'ok':<7}{found.name:<11}{found.detail}", flush=True)
        if found.todo:
            print(f"{'':<18}-> {found.todo}", flush=True)
    return 1 if ill else 0
