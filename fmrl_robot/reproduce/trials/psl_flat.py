"""PSL's flat baseline: one policy learns grasp and place from home, without plan or transit.

It learns by the learner and networks of the local policies, and for as many environment steps as
grasp and place took together, demonstrations included; it has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.ablation import Budget, Curve, Measured
from fmrl_robot.registry import TASKS as TRAINED

TASK, CURVE = "panda-flat", "episode/success"
ENVS, STEPS = 512, 24
"""Environments, and steps of each in an iteration, as of the local policies."""
EVAL_SEED = 777
POINTS = 50
"""Of the learning curve."""


def flat(seed: int, budget: Budget) -> Measured:
    """Train, or go on, then count successes at the end of fresh episodes.

    Amounts: ``flat_steps`` of training, ``flat_envs`` it is done in, ``flat_starts`` of the count.
    """
    import torch

    from fmrl_robot.train.commands import recipe
    from fmrl_robot.train.trainer import CHECKPOINT, train

    torch.set_num_threads(budget.threads)
    envs = int(budget.amounts["flat_envs"])
    changes = {
        "actor": (128, 128), "critic": (128, 128), "learning_rate": 3e-4, "desired_kl": 0.008,
        "gamma": 0.98, "entropy": 0.002, "calm_from": 0.5, "steps_per_env": STEPS, "seed": seed,
        "threads": budget.threads, "save_every": 10, "task_settings.num_envs": envs,
        "iterations": max(1, round(int(budget.amounts["flat_steps"]) / (envs * STEPS))),
    }  # fmt: skip
    folder = budget.folder / "training"
    folder.mkdir(exist_ok=True)
    begun = (folder / CHECKPOINT).is_file()
    trainer = train(recipe(TASK, changes=changes), folder, resume=begun, report=budget.report)
    actor = trainer.networks.plain_actor()
    starts = int(budget.amounts["flat_starts"])
    done = success(actor, starts, EVAL_SEED + seed)
    return Measured(
        scores={"success": {"bowl": done}, "bowl": done},
        curves={"success of flat RL while it learns": curve(folder, envs * STEPS)},
    )


def success(actor: object, starts: int, seed: int) -> float:
    """Share of ``starts`` at whose end the cube lies in the bowl, at the simulator's own step."""
    import torch

    from fmrl_sim.scenes.tabletop import PHYSICS_DT_S

    env = TRAINED.load(TASK)(
        num_envs=starts, seed=seed, physics_dt_s=PHYSICS_DT_S, scatter_episodes=False
    )
    seen, last = env.reset()["policy"], np.zeros(starts, dtype=np.bool_)
    with torch.no_grad():
        for _ in range(env.max_episode_length):
            obs, _, _, extras = env.step(actor(seen))  # pyright: ignore[reportCallIssue]
            seen, last = obs["policy"], extras["success"].numpy()
    return float(last.mean())


def curve(folder: Path, steps_each: int) -> Curve:
    """Success by environment steps, from the training's log; flat at 0 where none ended."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    told: Any = events.Tags()["scalars"]
    if CURVE not in told:
        return Curve(x=(0.0, 1.0), y=(0.0, 0.0))
    rows = events.Scalars(CURVE)
    kept = rows[:: max(1, len(rows) // POINTS)]
    return Curve(
        x=tuple(float(row.step * steps_each) for row in kept), y=tuple(row.value for row in kept)
    )
