"""How soon the quadruped keeps its gaits: realised contact match against wall time, from scratch.

``python -m bench.gaits [--seeds 0 1 2]`` trains go2-saytap by its recipe as ``fmrl train`` does,
once a seed, and keeps snapshots. When training is over each walks through the whole set of gaits
(trot, pace and bound at five speeds, standing, each stand on three legs; 27 random patterns of
each, 540 robots for 10 s at the simulator's own time step, no exploration), and a picture is drawn:
means over the seeds, the range of all commands shaded. Only learning is timed. The folder of a seed
then holds its policy and card as well.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.common import machine
from bench.learning import Keeper, actor_of
from fmrl_robot.train.commands import finish, recipe
from fmrl_robot.train.evaluate import evaluate as write_card
from fmrl_robot.train.trainer import CHECKPOINT, train
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes.ground import PHYSICS_DT_S
from fmrl_sim.tasks import saytap_evaluation as gaits

TASK = "go2-saytap"
GAITS = ("trot", "pace", "bound", "stand", "stand_3legs")
GRID = 200
"""Points at which seeds are averaged."""


@torch.no_grad()
def evaluate(actor: nn.Module, threads: int) -> dict[str, Any]:
    """Contact match by gait and of all, falls, and the worst command's speed error."""

    def act(seen: FloatArray) -> FloatArray:
        return actor(torch.as_tensor(seen).float()).double().numpy()

    commands = gaits.gait_set(np.random.default_rng(0), gaits.GAIT_PATTERNS)
    rows = gaits.evaluate(
        act,
        commands=commands,
        robots=gaits.GAIT_PATTERNS,
        threads=threads,
        physics_dt_s=PHYSICS_DT_S,
    )
    told = gaits.summary(rows)
    keys = ("falls", "vx_rms_error_m_s", "vx_rms_error_stride_m_s")
    match = {gait: round(value, 4) for gait, value in told["contact_match"].items()}
    mean = float(np.mean([row["contact_match"] for row in rows]))
    return {"match": match, "match_mean": round(mean, 4), **{key: told[key] for key in keys}}


def learn(seed: int, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Train with one seed and return its curve, a point a snapshot."""
    changes = {"seed": seed} | ({"minutes": given.minutes} if given.minutes else {})
    config, folder = recipe(TASK, changes=changes), given.out / f"seed{seed}"
    keeper = Keeper(folder / CHECKPOINT, 60 * given.every)
    trainer = train(config, folder, report=print, progress=lambda *_: keeper.look())
    keeper.look(last=True)
    finish(trainer)
    torch.set_num_threads(1)
    points = []
    for seconds, iteration, state in keeper.kept:
        told = evaluate(actor_of(trainer.networks, state), config.workers)
        points.append({"seconds": round(seconds), "iteration": iteration, **told})
        print(json.dumps(points[-1]), flush=True)
    write_card(TASK, folder)
    return points


def draw(curves: list[list[dict[str, Any]]], file: Path) -> None:
    """Write the picture: contact match of each gait and of all against minutes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    minutes = np.linspace(0.0, min(points[-1]["seconds"] for points in curves) / 60, GRID)

    def rows(of: Callable[[dict[str, Any]], float]) -> FloatArray:
        return np.array(
            [np.interp(minutes, [p["seconds"] / 60 for p in c], [of(p) for p in c]) for c in curves]
        )

    for gait in GAITS:
        mean = rows(lambda point, gait=gait: point["match"][gait]).mean(0)
        axis.plot(minutes, mean, lw=1, label=gait.replace("_", " "))
    every = rows(lambda point: point["match_mean"])
    axis.plot(minutes, every.mean(0), lw=3, c="black", label="all commands")
    axis.fill_between(minutes, every.min(0), every.max(0), color="black", alpha=0.2)
    for bar in (0.85, 0.9):
        axis.axhline(bar, c="grey", ls=":", lw=1)
    axis.set(xlabel="wall time, minutes", ylabel="realised contact match", ylim=(0.4, 1.0))
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def main() -> None:
    """Train, evaluate, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="stop training after so long")
    parser.add_argument("--every", type=float, default=2.0, help="minutes between snapshots")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run each")
    parser.add_argument("--out", type=Path, default=Path("runs") / "train" / TASK)
    parser.add_argument("--png", type=Path, default=Path("docs/go2_training.png"))
    parser.add_argument("--json", type=Path, help="file for every point")
    given = parser.parse_args()
    curves = {seed: learn(seed, given) for seed in given.seeds}
    draw(list(curves.values()), given.png)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "seeds": curves}, indent=1) + "\n")


if __name__ == "__main__":
    main()
