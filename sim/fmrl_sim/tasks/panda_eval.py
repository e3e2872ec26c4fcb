"""How often a local policy succeeds, counted over fresh starts at the simulator's own step.

The environment is the training one with another seed and the simulator's physics step, because
training takes a coarser one; the policy is the exported file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from fmrl_robot.control import local_skill as ls
from fmrl_robot.shares import wilson
from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.scenes.tabletop import PHYSICS_DT_S
from fmrl_sim.tasks.panda_local import PandaLocalConfig, PandaLocalEnv

SEED = 20261121


def rollout(
    act: Callable[[FloatArray], FloatArray], config: PandaLocalConfig
) -> tuple[BoolArray, BoolArray]:
    """Run once from each start; return where the condition held ever and at the end, shape (n,)."""
    env = PandaLocalEnv(config)
    env.reset()
    ever = np.zeros(config.num_envs, dtype=np.bool_)
    last = ever
    for _ in range(env.max_episode_length):
        action = act(ls.scaled(env.terms())).astype(np.float32)
        last = env.step(torch.from_numpy(action))[3]["success"].numpy()
        ever |= last
    return ever, last


def report(
    act: Callable[[FloatArray], FloatArray],
    skill: str,
    starts: int = 1024,
    seed: int = SEED,
    physics_dt_s: float = PHYSICS_DT_S,
) -> dict[str, Any]:
    """Return the figures of a card: share of starts that reach, and keep, the termination."""
    config = PandaLocalConfig(
        skill=skill,
        num_envs=starts,
        pool=starts,
        seed=seed,
        physics_dt_s=physics_dt_s,
        scatter_episodes=False,
    )
    ever, last = rollout(act, config)
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
            "cube_mass_factor": [0.6, 1.6],
            "cube_friction": [0.6, 1.1],
        },
    }
