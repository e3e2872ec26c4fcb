"""Proximal policy optimisation on tensors.

Reference: Schulman et al.: Proximal Policy Optimization Algorithms (2017). Generalised advantages,
clipped surrogate and value, a learning rate steered by the divergence, and ends of time that are
bootstrapped, as in rsl_rl, whose curves it has to match (bench/train.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fmrl_robot.settings import Count
from fmrl_robot.train.learner import Rollout
from fmrl_robot.train.networks import MLP, Mirror, MirroredMLP, SeeingMLP, mlp
from fmrl_robot.train.rows import in_a_row
from fmrl_robot.train.team import Team

MIN_RATE, MAX_RATE = 1e-5, 1e-2


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnerConfig:
    """How networks are made and updated."""

    actor: tuple[int, ...] = (256, 128, 64)
    """Hidden layers."""
    critic: tuple[int, ...] = (128, 128)
    epochs: Count = 4
    mini_batches: Count = 4
    learning_rate: float = 1e-3
    desired_kl: float = 0.01
    """Divergence of one update that the learning rate is steered to; 0: the rate stays."""
    gamma: float = 0.99
    lam: float = 0.95
    entropy: float = 0.004
    initial_std: float = 0.8
    value_loss: float = 1.0
    clip: float = 0.2
    max_grad_norm: float = 1.0
    calm_from: float = 1.0
    """Share of a run after which entropy and desired_kl fall linearly, to 0 and a quarter."""


class ActorCritic(nn.Module):
    """A Gaussian policy of one spread for all states, and a value."""

    def __init__(
        self,
        config: LearnerConfig,
        sizes: tuple[int, int, int],
        mirror: tuple[Mirror, Mirror] | None = None,
        picture: tuple[int, int, int] | None = None,
    ) -> None:
        """Build networks.

        Args:
            config: their hidden layers and first spread.
            sizes: of the actor's observations, the critic's, and actions.
            mirror: of the actor's observations and actions, where the task has one.
            picture: channels, height and width of one that the actor's observations begin with.
        """
        super().__init__()
        observations, privileged, actions = sizes
        layers = (observations, *config.actor, actions)
        self.actor: MLP | MirroredMLP | SeeingMLP
        if picture is not None:
            self.actor = SeeingMLP(picture, layers, last_gain=0.01)
        elif mirror is not None:
            self.actor = MirroredMLP(layers, *mirror, last_gain=0.01)
        else:
            self.actor = mlp(layers, 0.01)
        self.critic = mlp((privileged, *config.critic, 1))
        self.log_std = nn.Parameter(torch.full((actions,), config.initial_std).log())

    def explore(self, observations: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw actions for observations (n, size); return them and their means."""
        mean = self.actor(observations)
        noise = torch.randn(mean.shape, generator=rng, device=mean.device)
        return mean + self.log_std.exp() * noise, mean

    def plain_actor(self) -> nn.Module:
        """A copy of the actor as an ordinary network."""
        return self.actor.plain()

    def value(self, observations: Tensor) -> Tensor:
        """Values of critic observations (..., size), shape (...)."""
        return self.critic(observations).squeeze(-1)


def log_prob(mean: Tensor, std: Tensor, action: Tensor) -> Tensor:
    """Log density of a diagonal Gaussian without its constant, shape (...)."""
    return -0.5 * ((action - mean) / std).square().sum(-1) - std.log().sum()


def _divergence(old_mean: Tensor, old_std: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Mean divergence of the old policy from the new one, in nats."""
    moved = (old_std.square() + (old_mean - mean).square()) / (2.0 * std.square())
    return ((std / old_std).log() - 0.5 + moved).sum(-1).mean()


class PPO:
    """Updates an ActorCritic from rollouts."""

    def __init__(
        self,
        config: LearnerConfig,
        networks: ActorCritic,
        seed: int = 0,
        team: Team | None = None,
    ) -> None:
        """Prepare; with a ``team``, everybody's gradients are averaged."""
        self.config, self.networks, self._team = config, networks, team or Team()
        parameters = [*networks.parameters()]
        self.device = parameters[0].device
        self.rng = torch.Generator(self.device).manual_seed(seed + self._team.rank)
        self._entropy, self._desired_kl = config.entropy, config.desired_kl
        # The divergence stands behind the gradients.
        weights, self._message = in_a_row(parameters, 1)
        self._gradient = self._message[:-1]
        self.optimiser = torch.optim.Adam([weights], config.learning_rate, fused=True)

    @property
    def learning_rate(self) -> float:
        """The present one."""
        return self.optimiser.param_groups[0]["lr"]

    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """Learn from one rollout; return curves, means over its mini-batches.

        Args:
            rollout: what the present policy has done.
            progress: share of the run that is over.
        """
        calm = max(0.0, progress - self.config.calm_from) / max(1e-9, 1.0 - self.config.calm_from)
        self._entropy = self.config.entropy * (1.0 - calm)
        self._desired_kl = self.config.desired_kl * (1.0 - 0.75 * calm)
        std = self.networks.log_std.detach().exp()
        table = self._table(rollout, std)
        rows = len(table["reward_to_go"])
        size = rows // self.config.mini_batches
        sums: dict[str, Tensor] = {}
        count = 0
        for _ in range(self.config.epochs):
            order = torch.randperm(rows, generator=self.rng, device=self.device)
            shuffled = {key: v.index_select(0, order) for key, v in table.items()}
            for i in range(self.config.mini_batches):
                batch = {key: v[i * size : (i + 1) * size] for key, v in shuffled.items()}
                for key, value in self._step(batch, std).items():
                    sums[key] = sums.get(key, torch.zeros((), device=self.device)) + value
                count += 1
        curves = {f"loss/{key}": float(value) / count for key, value in sums.items()}
        spread = float(self.networks.log_std.detach().exp().mean())
        return {**curves, "learner/rate": self.learning_rate, "learner/std": spread}

    @torch.no_grad()
    def _table(self, rollout: Rollout, std: Tensor) -> dict[str, Tensor]:
        """Advantages and returns; everything flat, (steps * n, ...)."""
        config, networks = self.config, self.networks
        values = networks.value(rollout.critic)
        after = networks.value(rollout.last)
        reward = rollout.reward + config.gamma * values * rollout.time_out
        goes_on = (~rollout.done).float()
        advantage = torch.zeros_like(reward)
        running = torch.zeros_like(after)
        for t in reversed(range(len(reward))):
            delta = reward[t] + config.gamma * goes_on[t] * after - values[t]
            running = delta + config.gamma * config.lam * goes_on[t] * running
            advantage[t], after = running, values[t]
        returns = advantage + values
        moments = torch.stack([advantage.mean(), advantage.square().mean()])
        mean, square = self._team.mean_(moments)
        advantage = (advantage - mean) / ((square - mean.square()).clamp_min(0.0).sqrt() + 1e-8)
        table = {
            "policy": rollout.policy,
            "critic": rollout.critic,
            "mean": rollout.mean,
            "action": rollout.action,
            "log_prob": log_prob(rollout.mean, std, rollout.action),
            "value": values,
            "reward_to_go": returns,
            "advantage": advantage,
        }
        return {key: v.flatten(0, 1) for key, v in table.items()}

    def _step(self, batch: dict[str, Tensor], old_std: Tensor) -> dict[str, Tensor]:
        config, networks = self.config, self.networks
        mean, std = networks.actor(batch["policy"]), networks.log_std.exp()
        ratio = (log_prob(mean, std, batch["action"]) - batch["log_prob"]).exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        advantage = batch["advantage"]
        surrogate = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        value, old, target = networks.value(batch["critic"]), batch["value"], batch["reward_to_go"]
        near = old + (value - old).clamp(-config.clip, config.clip)
        value_loss = torch.maximum((value - target).square(), (near - target).square()).mean()
        loss = surrogate + config.value_loss * value_loss - self._entropy * networks.log_std.sum()
        self._message.zero_()
        loss.backward()
        if config.desired_kl:
            self._message[-1] = _divergence(batch["mean"], old_std, mean.detach(), std.detach())
        self._team.mean_(self._message)
        self._steer(float(self._message[-1]))
        norm = self._gradient.norm()
        self._gradient.mul_((config.max_grad_norm / (norm + 1e-6)).clamp_max(1.0))
        self.optimiser.step()
        return {"surrogate": surrogate.detach(), "value": value_loss.detach(), "gradient": norm}

    def _steer(self, divergence: float) -> None:
        """Raise or lower the learning rate by how far the policy has moved."""
        rate, wanted = self.learning_rate, self._desired_kl
        if divergence > 2.0 * wanted:
            rate = max(MIN_RATE, rate / 1.5)
        elif 0.0 < divergence < 0.5 * wanted:
            rate = min(MAX_RATE, rate * 1.5)
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """What the next update depends on and everybody of a team has the same of."""
        return {
            "networks": self.networks.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self.networks.load_state_dict(state["networks"])
        self.optimiser.load_state_dict(state["optimiser"])

    def own_state_dict(self) -> dict[str, Any]:
        """What each of a team has for itself: its chance."""
        return {"rng": self.rng.get_state()}

    def load_own_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``own_state_dict`` was called."""
        self.rng.set_state(state["rng"])
