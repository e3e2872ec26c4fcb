"""Soft actor-critic on tensors, for tasks where samples count or PPO finds no way.

References: Haarnoja et al.: Soft Actor-Critic Algorithms and Applications (2018): a squashed
Gaussian policy, twin critics of which the lower counts, a temperature steered to an entropy. Many
environments, large batches and windows of several steps as in Seo et al.: FastTD3 (2025). What
differs: the critic may see more than the actor, and windows stop before the end of time (Replay).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fmrl_robot.errors import ConfigError
from fmrl_robot.settings import Count
from fmrl_robot.train.learner import Rollout
from fmrl_robot.train.replay import Replay
from fmrl_robot.train.rows import in_a_row
from fmrl_robot.train.soft_networks import SoftActorCritic
from fmrl_robot.train.team import Team

if TYPE_CHECKING:
    from fmrl_robot.train.outside import Outside


@dataclass(frozen=True, kw_only=True, slots=True)
class SACConfig:
    """How networks are made and updated."""

    actor: tuple[int, ...] = (128, 128)
    """Hidden layers."""
    critic: tuple[int, ...] = (128, 128)
    updates: Count = 32
    """After each rollout."""
    batch: Count = 256
    """Windows of an update; several workers share them."""
    capacity: Count = 500_000
    """Steps that are kept, over all environments and workers."""
    learning_starts: Count = 2_000
    """Steps over all environments before the first update."""
    window: Count = 3
    """Rewards that are added up before the rest is estimated."""
    gamma: float = 0.99
    tau: float = 0.005
    """Share of the new critics in the targets, an update."""
    learning_rate: float = 1e-3
    initial_temperature: float = 0.1
    target_entropy: float = -1.0
    """That the temperature is steered to, nats for each action."""
    action_range: float = 1.0
    """Actions lie within plus and minus this."""
    normalise: bool = True
    """Scale observations by their running mean and spread."""


class SAC:
    """Keeps what was done and updates a SoftActorCritic from it."""

    def __init__(
        self,
        config: SACConfig,
        networks: SoftActorCritic,
        num_envs: int,
        seed: int = 0,
        team: Team | None = None,
        outside: Outside | None = None,
    ) -> None:
        """Prepare for ``num_envs`` environments; a ``team`` averages everybody's gradients.

        What is kept is rewarded anew where ``outside`` has changed.

        Raises:
            ConfigError: the capacity holds no window.
        """
        self.config, self.networks, self._team = config, networks, team or Team()
        steps = config.capacity // (num_envs * self._team.size)
        if steps <= config.window:
            raise ConfigError(
                f"expected sac.capacity above {(config.window + 1) * num_envs * self._team.size}, "
                f"a window of each environment, got {config.capacity}"
            )
        self._outside = outside if outside is not None and outside.config.relabel else None
        mixed = outside is not None and not outside.config.relabel
        self.replay = Replay(steps, window=config.window, gamma=config.gamma, mixed=mixed)
        of_policy = [*networks.actor.parameters(), networks.log_temperature]
        of_critic = [*networks.critic.parameters()]
        self.device = networks.log_temperature.device
        self._parameters = [of_policy, of_critic]
        laid = [in_a_row(p) for p in self._parameters]
        self._rows = [row for _, row in laid]
        self.optimisers = [
            torch.optim.Adam([weights], config.learning_rate, fused=True) for weights, _ in laid
        ]
        self.rng = torch.Generator(self.device).manual_seed(seed + self._team.rank)

    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """Keep a rollout and learn from all that is kept; return curves, means over updates."""
        del progress
        config, networks, size = self.config, self.networks, self._team.size
        self.replay.add(rollout)
        if self._outside is not None:
            self.replay.relabel(self._outside.again, self._outside.number)
        if config.normalise:
            networks.policy_scale.learn(rollout.policy, self._team)
            networks.critic_scale.learn(rollout.critic, self._team)
        if self.replay.transitions * size < config.learning_starts:
            return {}
        sums: dict[str, Tensor] = {}
        for _ in range(config.updates):
            batch = self.replay.sample(max(1, config.batch // size), self.rng)
            for key, value in self._step(batch).items():
                sums[key] = sums.get(key, torch.zeros((), device=self.device)) + value
        return {key: float(value) / config.updates for key, value in sums.items()}

    def _step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One step of the critics, one of policy and temperature, and the targets after them."""
        config, networks = self.config, self.networks
        temperature = networks.log_temperature.detach().exp()
        with torch.no_grad():
            action, density, _ = networks.draw(batch["next_policy"], self.rng)
            after = networks.target(networks.seen(batch["next_critic"], action)).amin(0)
            wanted = batch["reward"] + batch["discount"] * (after - temperature * density)
        value = networks.critic(
            networks.seen(batch["critic"], batch["action"] / config.action_range)
        )
        error = (batch["weight"] * (value - wanted).square()).mean(-1).sum()
        self._descend(1, error)
        action, density, _ = networks.draw(batch["policy"], self.rng)
        worth = networks.critic(networks.seen(batch["critic"], action)).amin(0)
        entropy = -density.mean()
        regret = -worth.mean() - temperature * entropy
        lacking = config.target_entropy * networks.actions - entropy.detach()
        self._descend(0, regret - networks.log_temperature * lacking)
        with torch.no_grad():
            for slow, new in zip(
                networks.target.parameters(), networks.critic.parameters(), strict=True
            ):
                slow.lerp_(new, config.tau)
        return {
            "loss/critic": error.detach(),
            "learner/worth": worth.detach().mean(),
            "learner/entropy": entropy.detach() / networks.actions,
            "learner/temperature": temperature,
        }

    def _descend(self, part: int, loss: Tensor) -> None:
        """Let one of the optimisers step down everybody's mean gradient."""
        self._rows[part].zero_()
        loss.backward(inputs=self._parameters[part])
        self._team.mean_(self._rows[part])
        self.optimisers[part].step()

    def state_dict(self) -> dict[str, Any]:
        """What the next update depends on and everybody of a team has the same of."""
        return {
            "networks": self.networks.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self.networks.load_state_dict(state["networks"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)

    def own_state_dict(self) -> dict[str, Any]:
        """What each of a team has for itself: its chance and what it keeps."""
        return {"rng": self.rng.get_state(), "replay": self.replay.state_dict()}

    def load_own_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``own_state_dict`` was called."""
        self.rng.set_state(state["rng"])
        self.replay.load_state_dict(state["replay"])
