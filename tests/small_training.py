"""Training that takes a second: a few robots with tiny networks, and a world of one number."""

import numpy as np
import torch

from fmrl_robot.train.config import TrainConfig

SMALL = {"num_envs": 8, "threads": 1}
TINY = TrainConfig(task_settings=SMALL, iterations=2, actor=(16,), critic=(16,), threads=1)


class Reach:
    """One number to be moved to a goal that is seen: learnable in seconds."""

    num_envs, num_actions, control_dt_s, max_episode_length = 64, 1, 0.02, 10

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.age = np.zeros(64, int)
        self.goal = np.zeros((64, 1))

    def observe(self):
        goal = torch.tensor(self.goal, dtype=torch.float32)
        return {"policy": goal, "critic": goal}

    def reset(self):
        self.goal = self.rng.uniform(-1, 1, (64, 1))
        return self.observe()

    def step(self, actions):
        reward = -np.abs(actions.numpy() - self.goal)[:, 0]
        self.age += 1
        done = self.age >= self.max_episode_length
        self.age[done] = 0
        self.goal = self.rng.uniform(-1, 1, (64, 1))
        log = {"miss": float(-reward.mean())}
        done = torch.from_numpy(done)
        extras = {"time_outs": done, "log": log}
        return self.observe(), torch.tensor(reward, dtype=torch.float32), done, extras


REACH = f"{__name__}:Reach"
"""As the registry names it."""


def values(config):
    """A configuration's fields, to be changed."""
    return {name: getattr(config, name) for name in TrainConfig.__dataclass_fields__}
