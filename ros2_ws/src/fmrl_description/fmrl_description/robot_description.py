"""``robot_description``: prints the URDF of a robot, or writes it, with meshes where asked.

Joints, limits and shapes come from the MuJoCo model that the robot's RobotSpec names, so a viewer
shows what the simulator simulates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fmrl_robot.cli import ended
from fmrl_robot.files import writable_file, writable_folder
from fmrl_robot.robots import ROBOTS, robot
from fmrl_sim.urdf_meshes import describe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``robot_description``; 0 when it was written, 2 when the robot has no model here.

    Exit code 2 also where nothing can be written to the place that was named.
    """
    parser = argparse.ArgumentParser(prog="robot_description", description="Write a robot's URDF.")
    parser.add_argument("robot", help=f"one of {', '.join(ROBOTS.names())}")
    parser.add_argument("--output", type=Path, help="file to write; default: standard output")
    parser.add_argument("--meshes", type=Path, help="folder for its meshes; default: no meshes")
    parser.add_argument("--world", action="store_true", help="fix its base to a link 'world'")
    given = parser.parse_args(arguments)
    return ended("robot_description", lambda: _write(given))


def _write(given: argparse.Namespace) -> int:
    if given.output is not None:
        writable_file(given.output)
    if given.meshes is not None:
        writable_folder(given.meshes)
    text = describe(robot(given.robot), given.meshes, world=given.world)
    if given.output is None:
        print(text)  # noqa: T201
    else:
        given.output.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
