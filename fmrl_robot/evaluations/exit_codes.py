"""``fmrl eval exit-codes``: does the exit code of ``fmrl up --task`` tell the truth?

Twenty graphs are started, each for one task of its own seed: ten that can be done, ten that cannot.
A judge who was not there reads the recorded physics afterwards, by goal predicates where they can
say it; the exit code is 0 if and only if that judge finds the task done.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.files import writable_folder

PATIENCE_S = 300.0
POSSIBLE_WANTED = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One task."""

    says: str
    possible: bool
    goal: tuple[str, ...] = ()
    """Predicates for the judge; empty: it reads the instruction by its templates."""
    robot: str = "panda"
    far: tuple[str, ...] = ()
    """Cubes out of the arm's reach."""


CASES: tuple[Case, ...] = (
    Case(says="put the red cube in the bowl", possible=True, goal=("in(red_cube, bowl)",)),
    Case(says="put the green cube in the bin", possible=True, goal=("in(green_cube, bin)",)),
    Case(
        says="stack the blue cube on the yellow cube",
        possible=True,
        goal=("on(blue_cube, yellow_cube)",),
    ),
    Case(says="open the drawer", possible=True, goal=("open(drawer)",)),
    Case(says="press the button", possible=True, goal=("pressed(button)",)),
    Case(
        says="put the yellow cube into the drawer and close it",
        possible=True,
        goal=("in(yellow_cube, drawer)", "closed(drawer)"),
    ),
    Case(says="pick up the blue cube", possible=True, goal=("held(blue_cube)",)),
    Case(says="trot forward slowly, then stand still", possible=True, robot="go2"),
    Case(says="pace in place", possible=True, robot="go2"),
    Case(says="lift the front left leg", possible=True, robot="go2"),
    Case(says="put the purple cube in the bowl", possible=False),
    Case(says="put the red cube on the red cube", possible=False, goal=("on(red_cube, red_cube)",)),
    Case(
        says="put the red cube in the bowl",
        possible=False,
        goal=("in(red_cube, bowl)",),
        far=("red_cube",),
    ),
    Case(
        says="put the blue cube in the bin",
        possible=False,
        goal=("in(blue_cube, bin)",),
        far=("blue_cube",),
    ),
    Case(
        says="stack the red cube on the green cube",
        possible=False,
        goal=("on(red_cube, green_cube)",),
        far=("green_cube",),
    ),
    Case(
        says="put the yellow cube into the drawer and close it",
        possible=False,
        goal=("in(yellow_cube, drawer)", "closed(drawer)"),
        far=("yellow_cube",),
    ),
    Case(says="paint the table green", possible=False),
    Case(says="fly to the moon", possible=False),
    Case(says="climb the ladder", possible=False, robot="go2"),
    Case(says="open the door with your hand", possible=False, robot="go2"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a case."""

    says: str
    robot: str
    seed: int
    possible: bool
    code: int
    """Of ``fmrl up --task``."""
    verdict: int
    """Of the judge: 0 done, 1 not done, 2 it cannot tell."""

    @property
    def agree(self) -> bool:
        """Whether the code says 0 exactly where the judge does."""
        return (self.code == 0) == (self.verdict == 0)


def run(case: Case, seed: int, folder: Path) -> Answer:
    """Start a graph for one task, wait for its end, and ask the judge."""
    folder.mkdir(parents=True)
    words = ["up", "--robot", case.robot, "--seed", str(seed), "--task", case.says]
    words += [f"run_dir:={folder}", "view_port:=0"]
    if case.far:
        file = folder / "params.yaml"
        options = {"scene_options": json.dumps({"far": case.far})}
        file.write_text(yaml.safe_dump({"/**/sim_node": {"ros__parameters": options}}))
        words.append(f"params_file:={file}")
    code = _call("fmrl_robot.cli", *words)
    how = ("--goal", *case.goal) if case.goal else ("--instruction", case.says)
    verdict = _call("fmrl_sim.judge", str(folder), *how)
    return Answer(
        says=case.says,
        robot=case.robot,
        seed=seed,
        possible=case.possible,
        code=code,
        verdict=verdict,
    )


def _call(module: str, *words: str) -> int:
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, check=False, timeout=PATIENCE_S).returncode  # noqa: S603


def summary(answers: Sequence[Answer]) -> dict[str, Any]:
    """Count agreement and successes."""
    possible = [a for a in answers if a.possible]
    impossible = [a for a in answers if not a.possible]
    agree = sum(a.agree for a in answers)
    done = sum(a.verdict == 0 for a in possible)
    return {
        "runs": len(answers),
        "code_equals_verdict": agree,
        "possible": len(possible),
        "possible_done": done,
        "impossible": len(impossible),
        "impossible_done": sum(a.verdict == 0 for a in impossible),
        "holds": agree == len(answers) and done >= POSSIBLE_WANTED * len(possible),
    }


def main(arguments: Sequence[str]) -> int:
    """Run the cases and print the counts; exit code 0 when every code told the truth."""
    parser = argparse.ArgumentParser(prog="fmrl eval exit-codes", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=300)
    parser.add_argument("--out", type=Path, help="folder that keeps the runs")
    given = parser.parse_args(arguments)
    if given.out is not None:
        writable_folder(given.out)
    answers: list[Answer] = []
    with tempfile.TemporaryDirectory() as temporary:
        for number, case in enumerate(CASES):
            folder = (given.out or Path(temporary)) / f"{number:02d}"
            answers.append(run(case, given.first_seed + number, folder))
            _say(json.dumps(asdict(answers[-1])))
    counts = summary(answers)
    _say(json.dumps(counts, indent=2))
    return 0 if counts["holds"] else 1


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
