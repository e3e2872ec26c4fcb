"""Learning curves: our PPO beside rsl_rl's on one task, with one network and batch.

``python -m bench.curves [--minutes 3] [--seeds 3]`` trains every learner with every seed, one after
the other, and draws the mean evaluated return against environment steps and against wall time, with
the range over seeds. While a run goes on snapshots of its actor are kept; they are evaluated after
it, all on the same robots, without exploration.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import apart, machine
from bench.learning import EVAL_STEPS, run

LEARNERS = {
    "our PPO, mirrored network": "mirrored",
    "our PPO, plain network": "plain",
    "rsl_rl, plain network": "rsl_rl",
}
GRID = 200
"""Points at which seeds are averaged."""


def draw(curves: dict[str, list[list[dict[str, Any]]]], file: Path) -> None:
    """Write the picture: return against steps and against time, one line a learner."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    across: dict[str, Callable[[dict[str, Any]], float]] = {
        "environment steps, millions": lambda point: point["steps"] / 1e6,
        "wall time, minutes": lambda point: point["seconds"] / 60,
    }
    for axis, (label, of) in zip(axes, across.items(), strict=True):
        for name, seeds in curves.items():
            xs = [[of(point) for point in seed] for seed in seeds]
            ys = [[point["reward"] for point in seed] for seed in seeds]
            grid = np.linspace(max(x[0] for x in xs), min(x[-1] for x in xs), GRID)
            rows = np.array([np.interp(grid, x, y) for x, y in zip(xs, ys, strict=True)])
            (line,) = axis.plot(grid, rows.mean(0), label=name)
            axis.fill_between(grid, rows.min(0), rows.max(0), color=line.get_color(), alpha=0.2)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(f"evaluated return of {EVAL_STEPS} steps")
    axes[1].legend(loc="lower right")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def summary(curves: dict[str, list[list[dict[str, Any]]]]) -> str:
    """A table of where the learners ended."""
    lines = ["| | return at the end, by seed | million steps | env-steps/s |", "|---|---|---|---|"]
    for name, seeds in curves.items():
        ends = [seed[-1] for seed in seeds]
        returns = ", ".join(f"{end['reward']:.1f}" for end in ends)
        steps = np.mean([end["steps"] for end in ends])
        speed = steps / np.mean([end["seconds"] for end in ends])
        lines.append(f"| {name} | {returns} | {steps / 1e6:.1f} | {speed:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Train, evaluate, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--robots", type=int, default=1024)
    parser.add_argument("--minutes", type=float, default=3.0, help="of each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=int, default=15, help="of each curve")
    parser.add_argument("--png", type=Path, default=Path("docs/learning_curves.png"))
    parser.add_argument("--json", type=Path, help="file for every point")
    given = parser.parse_args()
    curves: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in LEARNERS}
    for seed in range(given.seeds):  # turn about, so that a slow minute slows all of them
        for name, learner in LEARNERS.items():
            size = (given.cores, given.robots, given.minutes, given.points)
            curves[name].append(apart(run, learner, seed, *size))
            end = curves[name][-1][-1]
            print(f"{name}, seed {seed}: {end}", flush=True)
    draw(curves, given.png)
    print(summary(curves))
    if given.json:
        told = {"machine": machine(), "curves": curves}
        given.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
