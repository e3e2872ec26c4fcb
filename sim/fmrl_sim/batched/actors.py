"""Quadrupeds that a policy moves: what their tasks share, whatever is asked of them.

A task adds what it wants of them: its own terms of observation, its rewards, its starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor

from fmrl_robot.control import locomotion as loco
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.settings import Count
from fmrl_sim.batched.env import BatchedEnv
from fmrl_sim.batched.quadrupeds import Quadrupeds
from fmrl_sim.batched.randomisation import Randomisation
from fmrl_sim.scenes.terrain import Terrain

ACTION_MAX = 8.0
"""Actions beyond it are cut off."""
NOISE = {
    "base_angular_velocity": 0.15,
    "projected_gravity": 0.03,
    "joint_position": 0.01,
    "joint_velocity": 1.0,
}
"""Half width of the uniform noise on each observation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorsConfig:
    """Settings that every task of quadrupeds has."""

    robot: str
    engine: str = "cpu"
    num_envs: Count = 512
    seed: int = 0
    threads: int = 2
    physics_dt_s: float = 0.02 / 3
    episode_steps: int = 1000
    reward_scale: float = 0.1
    """Keeps returns near 10, where the critic learns fast."""
    randomisation: Randomisation = field(default_factory=Randomisation)


class Actors(Quadrupeds):
    """Quadrupeds that remember what their policy did and say what their sensors tell it."""

    observations: loco.Observations
    """What the policy sees."""

    def __init__(
        self, config: ActorsConfig, *, terrain: Terrain | None = None, whole: bool = False
    ) -> None:
        super().__init__(
            find_robot(config.robot),
            config.num_envs,
            engine=config.engine,
            threads=config.threads,
            randomisation=config.randomisation,
            seed=config.seed,
            physics_dt_s=config.physics_dt_s,
            terrain=terrain,
            whole=whole,
        )
        self._scales = self._tensor(loco.scales_of(self.observations))
        self.action = torch.zeros((self.count, 12), device=self.device)
        self.action_before = self.action

    def set_controls(self, actions: Tensor) -> None:
        """See World."""
        self.action_before, self.action = self.action, actions.clamp(-ACTION_MAX, ACTION_MAX)
        super().set_controls(self.action)

    def restart(self, ids: Tensor, spread: float | Tensor = 1.0) -> None:
        """See World."""
        super().restart(ids, spread)
        # A new tensor: the one before is somebody's observation.
        self.action = self.action.index_fill(0, ids, 0.0)

    def wishes(self) -> dict[str, Tensor]:
        """Terms that say what is wanted of the robots."""
        return {}

    def sense(self, noise: float) -> Tensor:
        """What the policy sees, scaled, with ``noise`` times NOISE on it, (n, size)."""
        terms: dict[str, Tensor] = {
            "base_angular_velocity": self.omega,
            "projected_gravity": self.gravity,
            "joint_position": self.q - self._default,
            "joint_velocity": self.dq,
            "last_action": self.action,
            **self.wishes(),
        }
        if noise:
            for name, width in NOISE.items():
                term = terms[name]
                terms[name] = term + self.uniform(-noise * width, noise * width, *term.shape)
        return loco.observe(terms, self._scales, self.observations)

    def privileged(self) -> list[Tensor]:
        """What the policy sees without noise, and what only a simulator knows; (n, ...) each."""
        return [
            self.sense(0.0),
            2.0 * self.velocity,
            5.0 * (self.height[:, None] - self.robot.base_height_m),
            self.contacts.float(),
            10.0 * self.foot_height,
            self.friction[:, None],
            self.latency[:, None] / self.substeps,
        ]


A = TypeVar("A", bound=Actors)


def policy(w: Actors) -> Tensor:
    """What the robots sense, (n, size)."""
    return w.sense(w.randomisation.noise)


def critic(*parts: Tensor) -> Tensor:
    """What a critic is told, in one row and within bounds, (n, size)."""
    return torch.cat(parts, dim=1).clamp(-20, 20)


class ActorsEnv(BatchedEnv[A], Generic[A]):
    """Their loop; implements VecEnv."""

    def mirror(self) -> dict[str, list[float]]:
        """Swaps and signs that reflect observations and actions left to right."""
        o_swap, o_sign = loco.mirror_observation(self.world.observations)
        a_swap, a_sign = loco.mirror_action()
        return {
            "observation_swap": o_swap.tolist(),
            "observation_sign": o_sign.tolist(),
            "action_swap": a_swap.tolist(),
            "action_sign": a_sign.tolist(),
        }
