"""Any task of this project as a gymnasium vector environment, for learners by others.

``make_gym("go2-saytap", num_envs=256)``. Worlds start anew in the step in which they end
(``AutoresetMode.SAME_STEP``); the actor's observations are the observation, the critic's stand in
``info["critic"]``.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv

from fmrl_robot import protocols
from fmrl_robot.registry import TASKS

ACTION_RANGE = 8.0
"""Beyond which no task of ours looks at an action."""


class GymVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """A VecEnv of this project in gymnasium's clothes."""

    def __init__(self, env: protocols.VecEnv) -> None:
        self.env, self.num_envs = env, env.num_envs
        self._first: dict[str, torch.Tensor] | None = env.reset()
        size = self._first["policy"].shape[1]
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.single_action_space = gymnasium.spaces.Box(
            -ACTION_RANGE, ACTION_RANGE, (env.num_actions,), np.float32
        )
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, self.num_envs)
        self.action_space = batch(self.single_action_space, self.num_envs)
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start all worlds; ``seed`` belongs to the task's settings and is not taken here."""
        if seed is not None:
            raise gymnasium.error.Error("expected seed=None; give the seed to make_gym")
        # The constructor's own reset counts, so that one seed means one run.
        obs = self._first if self._first is not None else self.env.reset()
        self._first = None
        return self._seen(obs)

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Step all worlds with actions (num_envs, size)."""
        obs, reward, done, extras = self.env.step(torch.as_tensor(np.asarray(actions, np.float32)))
        seen, info = self._seen(obs)
        time_out = extras["time_outs"].cpu().numpy()
        return seen, reward.cpu().numpy(), done.cpu().numpy() & ~time_out, time_out, info

    def _seen(self, obs: dict[str, torch.Tensor]) -> tuple[np.ndarray, dict[str, Any]]:
        return obs["policy"].cpu().numpy(), {"critic": obs["critic"].cpu().numpy()}


def make_gym(task: str, **settings: Any) -> GymVectorEnv:
    """Build a registered task with its settings (``num_envs``, ``seed``, ...)."""
    return GymVectorEnv(TASKS.load(task)(**settings))
