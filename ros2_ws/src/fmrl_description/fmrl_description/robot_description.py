"""``robot_description``: prints the URDF of a robot, or writes it, with meshes where asked.

Joints, limits and shapes come from the MuJoCo model that the robot's RobotSpec names, so a viewer
shows what the simulator simulates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fmrl_robot.errors import FmrlError
from fmrl_robot.robots import ROBOTS, robot
from fmrl_sim.urdf_meshes import describe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``robot_description``; 0 when it was written, 2 when the robot has no model here."""
    parser = argparse.ArgumentParser(prog="robot_description", description="Write a robot's URDF.")
    parser.add_argument("robot", help=f"one of {', '.join(ROBOTS.names())}")
    parser.add_argument("--output", type=Path, help="file to write; default: standard output")
    parser.add_argument("--meshes", type=Path, help="folder for its meshes; default: no meshes")
    parser.add_argument("--world", action="store_true", help="fix its base to a link 'world'")
    given = parser.parse_args(arguments)
    try:
        text = describe(robot(given.robot), given.meshes, world=given.world)
    except FmrlError as error:
        print(f"robot_description: {int(error.code)} {error}", file=sys.stderr)  # noqa: T201
        return 2
    if given.output is None:
        print(text)  # noqa: T201
    else:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
