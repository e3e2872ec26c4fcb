"""rsl_rl on an environment of ours, with our settings: the yardstick of our learner."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from fmrl_robot.train.ppo import LearnerConfig


class RslEnv(VecEnv):
    """A VecEnv of this project in rsl_rl's clothes."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.num_envs, self.num_actions = env.num_envs, env.num_actions
        self.max_episode_length = env.max_episode_length
        self.device, self.cfg = "cpu", {}
        self.episode_length_buf = torch.zeros(env.num_envs, dtype=torch.long)
        self._last = self._tensors(env.reset())

    def get_observations(self) -> TensorDict:
        """Return the present observations by group."""
        return self._last

    def step(
        self, actions: torch.Tensor
    ) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Step all environments with actions (num_envs, num_actions)."""
        obs, rewards, dones, extras = self.env.step(actions)
        self._last = self._tensors(obs)
        return self._last, rewards, dones.long(), {"time_outs": extras["time_outs"].float()}

    def _tensors(self, obs: dict[str, torch.Tensor]) -> TensorDict:
        return TensorDict(dict(obs), batch_size=[self.num_envs])


class Runner(OnPolicyRunner):
    """Their runner with a clock."""

    class Over(Exception):
        """The time is over."""

    def measure(
        self, seconds: float, hear: Callable[[float, int], None] = lambda *_: None
    ) -> tuple[int, float]:
        """Learn for so long; return environment steps and seconds.

        Args:
            seconds: after which no iteration begins.
            hear: gets seconds and steps after each iteration; the clock stands still meanwhile.
        """
        steps, took = 0, 0.0
        tick = time.perf_counter()

        def log(**_: Any) -> None:
            nonlocal steps, took, tick
            steps += self.cfg["num_steps_per_env"] * self.env.num_envs
            took += time.perf_counter() - tick
            hear(took, steps)
            if took > seconds:
                raise Runner.Over
            tick = time.perf_counter()

        self.logger.log = log
        self.logger.git_status_repos.clear()
        self.save = lambda *_, **__: None
        with contextlib.suppress(Runner.Over):
            self.learn(10**6)
        return steps, took


def build(env: Any, folder: str, config: LearnerConfig, steps: int, seed: int = 0) -> Runner:
    """Their learner with our settings."""
    network = {"class_name": "MLPModel", "activation": "elu"}
    settings = {
        "seed": seed,
        "num_steps_per_env": steps,
        "save_interval": 10**9,
        "obs_groups": {"actor": ["policy"], "critic": ["critic"]},
        "logger": "tensorboard",
        "multi_gpu": None,
        "actor": {
            **network,
            "hidden_dims": list(config.actor),
            "distribution_cfg": {
                "class_name": "GaussianDistribution",
                "init_std": config.initial_std,
                "std_type": "log",
            },
        },
        "critic": {**network, "hidden_dims": list(config.critic)},
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": config.epochs,
            "num_mini_batches": config.mini_batches,
            "learning_rate": config.learning_rate,
            "desired_kl": config.desired_kl,
            "gamma": config.gamma,
            "lam": config.lam,
            "entropy_coef": config.entropy,
            "value_loss_coef": config.value_loss,
            "schedule": "adaptive",
            "rnd_cfg": None,
            "symmetry_cfg": None,
        },
    }
    return Runner(RslEnv(env), settings, log_dir=folder, device="cpu")
