"""stable-baselines3 on an environment of ours, with our settings.

Its critic sees what the actor sees; it has no learning rate that follows the divergence.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from fmrl_robot.train.ppo import LearnerConfig
from fmrl_sim.batched.gym import GymVectorEnv


class Sb3Env(VecEnv):
    """A VecEnv of this project in stable-baselines3's clothes."""

    def __init__(self, env: Any) -> None:
        self._env = GymVectorEnv(env)
        super().__init__(
            env.num_envs, self._env.single_observation_space, self._env.single_action_space
        )

    def reset(self) -> np.ndarray:
        return self._env.reset()[0]

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        seen, reward, terminated, truncated, _ = self._env.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(truncated):
            infos[i] = {"TimeLimit.truncated": True, "terminal_observation": seen[i]}
        return seen, reward, terminated | truncated, infos

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        pass

    def env_method(self, method_name: str, *_: Any, indices: Any = None, **__: Any) -> list[Any]:
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


class Clock(BaseCallback):
    """Ends learning after so many seconds; marks (seconds, steps) after each iteration."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.marks = seconds, list[tuple[float, int]]()

    def _on_training_start(self) -> None:
        self._began = time.perf_counter()

    def _on_rollout_start(self) -> None:
        if self.num_timesteps:
            self.marks.append((time.perf_counter() - self._began, self.num_timesteps))

    def _on_step(self) -> bool:
        return not self.marks or self.marks[-1][0] < self.seconds


def measure(env: Any, config: LearnerConfig, steps: int, seconds: float) -> list[tuple[float, int]]:
    """Learn for so long; return (seconds, environment steps) after each iteration."""
    learner = PPO(
        "MlpPolicy",
        Sb3Env(env),
        n_steps=steps,
        batch_size=env.num_envs * steps // config.mini_batches,
        n_epochs=config.epochs,
        learning_rate=config.learning_rate,
        gamma=config.gamma,
        gae_lambda=config.lam,
        clip_range=config.clip,
        clip_range_vf=config.clip,
        ent_coef=config.entropy,
        vf_coef=config.value_loss,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs={
            "net_arch": {"pi": list(config.actor), "vf": list(config.critic)},
            "activation_fn": torch.nn.ELU,
            "log_std_init": float(np.log(config.initial_std)),
        },
        seed=0,
        device="cpu",
    )
    clock = Clock(seconds)
    learner.learn(10**12, callback=clock)
    return clock.marks
