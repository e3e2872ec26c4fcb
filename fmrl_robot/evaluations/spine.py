"""``fmrl eval spine``: does the robot do what the sentence says, through the whole graph?

Every node of ``fmrl up`` runs as its own process; object poses come from camera and depth, plans
from the shipped language model. Each episode begins with a reset to its seed. The recorded physics
alone decides: arm by predicates at rest that did not hold at the start, quadruped by feet, speed
and falls against the references of SayTap's test, whatever the plan was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmrl_robot.evaluations import spine_arm, spine_quadruped
from fmrl_robot.evaluations.graph_run import run_episodes
from fmrl_robot.files import read_lines, writable_folder

PARTS: dict[str, Any] = {"panda": spine_arm, "go2": spine_quadruped, "go1": spine_quadruped}
"""What judges each robot."""


def main(arguments: Sequence[str]) -> int:
    """Run the episodes, judge them, print the tables; exit code 0 when every bar holds."""
    parser = argparse.ArgumentParser(prog="fmrl eval spine", description=__doc__)
    parser.add_argument(
        "--robot", nargs="+", choices=tuple(PARTS), default=("panda", "go2"), help="these alone"
    )
    parser.add_argument("--seeds", type=int, default=10, help="of each template of the arm")
    parser.add_argument("--samples", type=int, default=5, help="of each command of the quadruped")
    parser.add_argument("--first-seed", type=int, default=500)
    parser.add_argument("--method", default="", help="of the planner; the graph's own by default")
    parser.add_argument("--factor", type=float, default=1.0, help="simulated seconds a second")
    parser.add_argument("--only", nargs="*", default=[], help="templates or command numbers")
    parser.add_argument("--out", type=Path, help="folder; runs/spine-STAMP")
    parser.add_argument("--judge", type=Path, help="judge the runs of that folder, run nothing")
    given = parser.parse_args(arguments)
    out: Path = given.judge or given.out or Path("runs") / time.strftime("spine-%Y%m%d-%H%M%S")
    writable_folder(out)
    held = True
    report: dict[str, Any] = {}
    for robot in given.robot:
        part, folder = PARTS[robot], out / robot
        if given.judge is None:
            count = given.seeds if part is spine_arm else given.samples
            episodes = part.episodes(count, given.first_seed, given.only)
            launch = {"robot": robot, "real_time_factor": str(given.factor)}
            launch |= {"method": given.method} if given.method else {}
            results = run_episodes(episodes, folder, launch | part.settings(folder), _say)
        else:
            results = read_lines(folder / "results.jsonl")
        judged = part.judged(results, folder)
        figures = part.summary(judged)
        report[robot] = {**figures, "episodes": judged}
        _say(part.table(figures))
        held = held and bool(figures["holds"])
    (out / "spine.json").write_text(json.dumps(report, indent=1) + "\n")
    _say(f"every episode: {out / 'spine.json'}")
    return 0 if held else 1


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
