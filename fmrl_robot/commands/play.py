"""``fmrl play NAME``: a video of a robot's policy at work, behind its gate, without ROS."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Read the command line and film."""
    parser = argparse.ArgumentParser(prog="fmrl play", description=__doc__)
    parser.add_argument(
        "name", help="a policy, such as go2-saytap or panda-grasp, or an imported one"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/play.mp4"))
    parser.add_argument("--policies", type=Path, help="folder of policies; the shipped one")
    parser.add_argument("--folder", type=Path, help="of a run, whose policy is filmed instead")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    from fmrl_robot.view.filming import film

    film(given.name, given.out, policies=given.policies, folder=given.folder, seed=given.seed)
    print(f"video={given.out}")
    return 0
