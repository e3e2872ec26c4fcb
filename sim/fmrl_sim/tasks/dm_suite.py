"""The standard tasks of dm_control behind the same VecEnv: cartpole, humanoid, quadruped.

The reward methods were published on these tasks, so they run here as dm_control made them: its
physics, observations, rewards and time limit. Observations are laid out flat in the order of their
names in the task; policy and critic see the same.

Reference: Tunyasuvunakool et al.: dm_control: Software and tasks for continuous control (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np
import torch
from dm_control import suite

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import FloatArray, Image
from fmrl_sim.render import SceneRenderer

if TYPE_CHECKING:
    from fmrl_robot.protocols.reward import Sight

SEEN_SIZE = 128
"""Edge of a frame that is shown to rewards from outside, in pixels."""


class DmSuiteEnv:
    """Copies of one task of the suite; implements VecEnv.

    An episode ends with the task's time limit, and is then bootstrapped, or where the task itself
    ends it. Rewards from outside are shown observations, and frames of the task's first camera.
    """

    sights: tuple[Sight, ...] = ("frame", "state")

    def __init__(self, domain: str, task: str, *, num_envs: int = 8, seed: int = 0) -> None:
        """Build ``num_envs`` copies.

        Raises:
            ConfigError: the suite has no such task.
        """
        if (domain, task) not in suite.ALL_TASKS:
            known = sorted(t for d, t in suite.ALL_TASKS if d == domain)
            raise ConfigError(f"expected a task of {domain!r} {known}, got {task!r}")
        self._envs = [
            suite.load(domain, task, task_kwargs={"random": seed * 100_003 + i})
            for i in range(num_envs)
        ]
        first, actions = self._envs[0], self._envs[0].action_spec()
        self.num_envs, self.num_actions = num_envs, int(np.prod(actions.shape))
        self.control_dt_s = float(first.control_timestep())
        self.max_episode_length = int(first._step_limit)
        self._low, self._high = actions.minimum, actions.maximum
        self._shown: tuple[Sight, ...] = ()
        self._renderer: SceneRenderer | None = None
        self._rows: list[FloatArray] = []

    def reset(self) -> dict[str, torch.Tensor]:
        """Begin an episode in every copy."""
        self._rows = [_flat(env.reset().observation) for env in self._envs]
        return self._seen(self._rows)

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Act; an action of -1 to 1 spans what the actuators take."""
        n, ended = self.num_envs, list[int]()
        unit = np.clip(np.nan_to_num(actions.cpu().numpy().astype(np.float64)), -1.0, 1.0)
        scaled = self._low + 0.5 * (unit + 1.0) * (self._high - self._low)
        rows: list[FloatArray] = []
        reward, done, time_out = np.zeros(n), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        for i, env in enumerate(self._envs):
            step = env.step(scaled[i])
            reward[i] = step.reward
            if step.last():
                done[i], time_out[i] = True, step.discount > 0.0
                ended.append(i)
            rows.append(_flat(step.observation))
        extras: dict[str, Any] = {"time_outs": torch.from_numpy(time_out)}
        self._rows = rows
        if self._shown:
            extras["shown"] = self.look(range(n))
        for i in ended:
            rows[i] = _flat(self._envs[i].reset().observation)
        rewards = torch.tensor(reward, dtype=torch.float32)
        return self._seen(rows), rewards, torch.from_numpy(done), extras

    def show(self, sights: Sequence[Sight]) -> None:
        """Tell under ``shown`` of every step's extras what it led to."""
        self._shown = tuple(sights)

    def look(self, worlds: Sequence[int]) -> dict[Sight, Any]:
        """What ``worlds`` show now; see Sight."""
        told: dict[Sight, Any] = {}
        if "state" in self._shown:
            told["state"] = np.stack([self._rows[w] for w in worlds]).astype(np.float32)
        if "frame" in self._shown:
            told["frame"] = np.stack([self._frame(w)[None] for w in worlds])
        return told

    def _frame(self, env: int) -> Image:
        physics = self._envs[env].physics
        model: mujoco.MjModel = physics.model.ptr
        if self._renderer is None:  # copies of a task have one model
            self._renderer = SceneRenderer(model, width=SEEN_SIZE, height=SEEN_SIZE)
        return self._renderer.rgb(physics.data.ptr, model.camera(0).name)

    def render(self, env: int = 0, size: int = 224, camera: str = "") -> Image:
        """RGB picture of one copy, shape (size, size, 3); the task's first camera by default."""
        physics = self._envs[env].physics
        model: mujoco.MjModel = physics.model.ptr
        with SceneRenderer(model, width=size, height=size) as renderer:
            return renderer.rgb(physics.data.ptr, camera or model.camera(0).name)

    def _seen(self, rows: list[FloatArray]) -> dict[str, torch.Tensor]:
        both = torch.tensor(np.stack(rows), dtype=torch.float32)
        return {"policy": both, "critic": both}


def _flat(observation: Any) -> FloatArray:
    return np.concatenate([np.ravel(value) for value in observation.values()])


def make(
    domain: str, default: str, *, task: str = "", threads: int = 1, **settings: Any
) -> DmSuiteEnv:
    """Build copies of a task of ``domain``; ``threads`` is for others, a copy has one."""
    del threads
    return DmSuiteEnv(domain, task or default, **settings)


make_cartpole = partial(make, "cartpole", "swingup")
make_humanoid = partial(make, "humanoid", "stand")
make_quadruped = partial(make, "quadruped", "walk")
