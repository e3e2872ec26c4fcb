"""How often a local policy succeeds, counted over fresh starts at the simulator's own step.

The environment is the training one with another seed and the simulator's physics step, because
training takes a coarser one; the policy is the exported file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fmrl_robot.shares import wilson
from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.scenes.tabletop import PHYSICS_DT_S

if TYPE_CHECKING:
    from fmrl_sim.tasks.panda_local import PandaLocalEnv

SEED = 20261121


def rollout(
    act: Callable[[FloatArray], FloatArray], env: PandaLocalEnv
) -> tuple[BoolArray, BoolArray]:
    """Run once from each start; return where the condition held ever and at the end, shape (n,)."""
    seen = env.reset()["policy"]
    ever = np.zeros(env.num_envs, dtype=np.bool_)
    last = ever
    for _ in range(env.max_episode_length):
        action = act(seen.double().numpy()).astype(np.float32)
        obs, _, _, extras = env.step(torch.from_numpy(action))
        seen, last = obs["policy"], extras["success"].numpy()
        ever = ever | last
    return ever, last


def report(
    act: Callable[[FloatArray], FloatArray],
    env: PandaLocalEnv,
    starts: int = 1024,
    seed: int = SEED,
    physics_dt_s: float = PHYSICS_DT_S,
) -> dict[str, Any]:
    """Return the figures of a card: share of starts that reach, and keep, the termination.

    Args:
        act: the policy.
        env: of its task; evaluated is one like it with other starts.
        starts: how many.
        seed: theirs.
        physics_dt_s: of the evaluation.
    """
    config = replace(
        env.config,
        num_envs=starts,
        pool=starts,
        seed=seed,
        physics_dt_s=physics_dt_s,
        scatter_episodes=False,
    )
    ever, last = rollout(act, type(env)(config))
    low, high = wilson(int(ever.sum()), starts)
    return {
        "summary": {
            "starts": starts,
            "success": float(ever.mean()),
            "wilson95_low": low,
            "wilson95_high": high,
            "kept_to_the_end": float(last.mean()),
        },
        "conditions": {
            "what": "fresh starts near random regions; termination condition by ground truth",
            "seed": seed,
            "physics_dt_s": physics_dt_s,
            "position_noise_m": config.position_noise_m,
            "yaw_noise_rad": config.yaw_noise_rad,
            "hand_spread_m": config.hand_spread_m,
            "mass_factor": [0.6, 1.6],
            "friction_factor": [0.65, 1.2],
        },
    }
