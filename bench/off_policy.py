"""PPO and SAC on one task for the same wall time: ``python -m bench.off_policy``.

Both learn at once, one thread each, seed after seed, so that a slow minute slows both. What is told
is the return of the deterministic policy over fresh episodes, started from seeds that nobody
trained on. Settings other than those named here are the defaults.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from fmrl_robot.registry import TASKS
from fmrl_robot.train.commands import recipe
from fmrl_robot.train.trainer import Trainer, train

EPISODES, EVALUATION_SEED = 20, 10_000
LEARNERS: dict[str, dict[str, Any]] = {
    "PPO, 8 environments": {},
    "PPO, 64 environments": {"task_settings.num_envs": 64},
    "SAC, 16 environments": {
        "algorithm": "sac",
        "task_settings.num_envs": 16,
        "steps_per_env": 8,
        "sac.actor": (64, 64),
        "sac.critic": (64, 64),
        "sac.batch": 128,
        "sac.updates": 24,
    },
}
"""What differs from the defaults."""


def learn(task: str, name: str, seed: int, minutes: float, folder: str) -> None:
    """Train one; the top of a process of its own."""
    own = {"seed": seed, "minutes": minutes, "iterations": 10**9, "save_every": 10**9}
    config = recipe(task, changes={**LEARNERS[name], **own, "threads": 1})
    train(config, Path(folder))


def played(task: str, folder: Path) -> tuple[float, int]:
    """Mean return of the deterministic policy, and the steps it was trained for."""
    trainer = Trainer(recipe(task, folder), folder)
    trainer.load()
    actor = trainer.networks.plain_actor()
    settings = {**trainer.config.task_settings, "num_envs": EPISODES, "seed": EVALUATION_SEED}
    env = TASKS.load(task)(**settings)
    seen, total = env.reset()["policy"], torch.zeros(EPISODES)
    running = torch.ones(EPISODES, dtype=torch.bool)
    with torch.no_grad():
        while running.any():
            obs, reward, done, _ = env.step(actor(seen))
            seen, total = obs["policy"], total + reward * running
            running &= ~done
    steps = trainer.iteration * trainer.config.steps_per_env * trainer.num_envs
    return float(total.mean()), steps


def main() -> None:
    """Train, play, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="dmc-cartpole")
    parser.add_argument("--minutes", type=float, default=4.0, help="of each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learners", nargs="*", default=list(LEARNERS), choices=list(LEARNERS))
    parser.add_argument("--out", type=Path, default=Path("runs/bench/off_policy"))
    given = parser.parse_args()
    results: dict[str, list[tuple[float, int]]] = {name: [] for name in given.learners}
    for seed in range(given.seeds):
        folders = {name: given.out / name.replace(", ", "-").replace(" ", "-") / str(seed)
                   for name in given.learners}  # fmt: skip
        going = [
            subprocess.Popen(
                [sys.executable, "-c", "from bench import off_policy; off_policy.learn"
                 f"({given.task!r}, {name!r}, {seed}, {given.minutes}, {str(folder)!r})"]
            )
            for name, folder in folders.items()
        ]  # fmt: skip
        if any([process.wait() for process in going]):
            sys.exit("a run failed")
        for name, folder in folders.items():
            results[name].append(played(given.task, folder))
            print(f"seed={seed} {name} return={results[name][-1][0]:.1f}", flush=True)
    print(f"load={os.getloadavg()[2]:.1f}\n| learner | return (min, max) | steps |\n|---|---|---|")
    for name, told in results.items():
        returns = [value for value, _ in told]
        spread = f"{fmean(returns):.0f} ({min(returns):.0f}, {max(returns):.0f})"
        print(f"| {name} | {spread} | {fmean(steps for _, steps in told):,.0f} |")


if __name__ == "__main__":
    main()
