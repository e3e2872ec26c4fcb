"""Proximal policy optimisation on tensors.

Reference: Schulman et al.: Proximal Policy Optimization Algorithms (2017). Generalised advantages,
clipped surrogate and value, a learning rate steered by the divergence, and ends of time that are
bootstrapped, as in rsl_rl, whose curves it has to match (bench/train.py).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fmrl_robot.settings import Count
from fmrl_robot.train.advantages import advantages, discounts
from fmrl_robot.train.distributions import CategoricalHead, Distribution, GaussianHead, Head
from fmrl_robot.train.learner import Rollout, one_version
from fmrl_robot.train.losses import Loss, Minibatch
from fmrl_robot.train.networks import MLP, Mirror, MirroredMLP, SeeingMLP, mlp
from fmrl_robot.train.rows import in_a_row
from fmrl_robot.train.team import Team

MIN_RATE, MAX_RATE = 1e-5, 1e-2
GROUP = "group/"
"""Before the names of further groups of observations in a minibatch."""
ADMISSIBLE = f"{GROUP}admissible"


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
    """A policy, by default Gaussian with one spread for all states, and a value."""

    def __init__(
        self,
        config: LearnerConfig,
        sizes: tuple[int, int, int],
        mirror: tuple[Mirror, Mirror] | None = None,
        picture: tuple[int, int, int] | None = None,
        *,
        discrete: bool = False,
    ) -> None:
        """Build networks.

        Args:
            config: their hidden layers and first spread.
            sizes: of the actor's observations, the critic's, and actions (or choices).
            mirror: of the actor's observations and actions, where the task has one.
            picture: channels, height and width of one that the actor's observations begin with.
            discrete: whether an action is the number of a choice.
        """
        super().__init__()
        observations, privileged, actions = sizes
        # Before the networks: the order of parameters is that of every checkpoint.
        self.head: GaussianHead | CategoricalHead
        self.head = (
            CategoricalHead(actions) if discrete else GaussianHead(actions, config.initial_std)
        )
        layers = (observations, *config.actor, self.head.outputs)
        self.actor: MLP | MirroredMLP | SeeingMLP
        if picture is not None:
            self.actor = SeeingMLP(picture, layers, last_gain=0.01)
        elif mirror is not None:
            self.actor = MirroredMLP(layers, *mirror, last_gain=0.01)
        else:
            self.actor = mlp(layers, 0.01)
        self.critic = mlp((privileged, *config.critic, 1))
        self.register_load_state_dict_pre_hook(_read_old_names)

    def explore(
        self, observations: Tensor, rng: torch.Generator, admissible: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw actions for observations (n, size); return them and what the actor put out.

        Args:
            observations: of the actor.
            rng: chance.
            admissible: which choices there are, bool (n, choices); None: all.
        """
        output = self.actor(observations)
        return self.head(output, admissible).sample(rng), output

    def plain_actor(self) -> nn.Module:
        """A copy of the actor as an ordinary network; of choices it tells the logits."""
        return self.actor.plain()

    def plain_critic(self) -> nn.Module:
        """A copy of the critic as an ordinary network, from its observations to (n, 1)."""
        return self.critic.plain()

    def value(self, observations: Tensor) -> Tensor:
        """Values of critic observations (..., size), shape (...)."""
        return self.critic(observations).squeeze(-1)


def _read_old_names(_: nn.Module, state: dict[str, Any], *__: Any) -> None:
    """Checkpoints of before there were heads kept the spread beside the networks."""
    if "log_std" in state:
        state["head.log_std"] = state.pop("log_std")


class PPO:
    """Updates an ActorCritic from rollouts."""

    def __init__(
        self,
        config: LearnerConfig,
        networks: ActorCritic,
        seed: int = 0,
        team: Team | None = None,
        losses: Sequence[Loss] = (),
    ) -> None:
        """Prepare.

        Args:
            config: how.
            networks: that learn.
            seed: of the order of what is learned from.
            team: whose gradients are averaged.
            losses: further ones, added to the surrogate's; those that are modules learn as well.
        """
        self.config, self.networks, self._team = config, networks, team or Team()
        self.losses = tuple(losses)
        modules = [loss for loss in self.losses if isinstance(loss, nn.Module)]
        self._own = nn.ModuleList(modules).to(next(networks.parameters()).device)
        parameters = [*networks.parameters(), *self._own.parameters()]
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
        one_version(rollout.version)
        calm = max(0.0, progress - self.config.calm_from) / max(1e-9, 1.0 - self.config.calm_from)
        self._entropy = self.config.entropy * (1.0 - calm)
        self._desired_kl = self.config.desired_kl * (1.0 - 0.75 * calm)
        # What acted, to tell how far the policy moves; what it put out is in the rollout.
        acted = copy.deepcopy(self.networks.head).requires_grad_(False)
        table = self._table(rollout, acted)
        rows = len(table["reward_to_go"])
        size = rows // self.config.mini_batches
        sums: dict[str, Tensor] = {}
        count = 0
        for _ in range(self.config.epochs):
            order = torch.randperm(rows, generator=self.rng, device=self.device)
            shuffled = {key: v.index_select(0, order) for key, v in table.items()}
            for i in range(self.config.mini_batches):
                batch = {key: v[i * size : (i + 1) * size] for key, v in shuffled.items()}
                for key, value in self._step(batch, acted).items():
                    sums[key] = sums.get(key, torch.zeros((), device=self.device)) + value
                count += 1
        curves = {f"loss/{key}": float(value) / count for key, value in sums.items()}
        return {**curves, "learner/rate": self.learning_rate, **self.networks.head.curves()}

    @torch.no_grad()
    def _table(self, rollout: Rollout, acted: Head) -> dict[str, Tensor]:
        """Advantages and returns; everything flat, (steps * n, ...)."""
        config, networks = self.config, self.networks
        values = networks.value(rollout.critic)
        advantage = advantages(
            rollout.reward, values, networks.value(rollout.last), rollout.done, rollout.time_out,
            discount=discounts(config.gamma, rollout.duration), lam=config.lam,
            known=rollout.known,
        )  # fmt: skip
        returns = advantage + values
        moments = torch.stack([advantage.mean(), advantage.square().mean()])
        mean, square = self._team.mean_(moments)
        advantage = (advantage - mean) / ((square - mean.square()).clamp_min(0.0).sqrt() + 1e-8)
        table = {
            "policy": rollout.policy,
            "critic": rollout.critic,
            "output": rollout.output,
            "action": rollout.action,
            "value": values,
            "reward_to_go": returns,
            "advantage": advantage,
            **{f"{GROUP}{name}": group for name, group in rollout.groups.items()},
        }
        table = {key: v.flatten(0, 1) for key, v in table.items()}
        before = acted(table["output"], table.get(ADMISSIBLE))
        return {**table, "log_prob": before.log_prob(table["action"])}

    def _step(self, batch: dict[str, Tensor], acted: Head) -> dict[str, Tensor]:
        config, networks, admissible = self.config, self.networks, batch.get(ADMISSIBLE)
        features = networks.actor.features(batch["policy"])
        policy = networks.head(networks.actor.answer(features), admissible)
        ratio = (policy.log_prob(batch["action"]) - batch["log_prob"]).exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        advantage = batch["advantage"]
        surrogate = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        value, old, target = networks.value(batch["critic"]), batch["value"], batch["reward_to_go"]
        near = old + (value - old).clamp(-config.clip, config.clip)
        value_loss = torch.maximum((value - target).square(), (near - target).square()).mean()
        entropy = policy.entropy().mean()
        loss = surrogate + config.value_loss * value_loss - self._entropy * entropy
        further = self._further(batch, features, policy)
        for _, extra in further:
            loss = loss + extra
        self._message.zero_()
        loss.backward()
        if config.desired_kl:
            before = acted(batch["output"], admissible)
            self._message[-1] = before.divergence(policy.detached()).mean()
        self._team.mean_(self._message)
        self._steer(float(self._message[-1]))
        norm = self._gradient.norm()
        self._gradient.mul_((config.max_grad_norm / (norm + 1e-6)).clamp_max(1.0))
        self.optimiser.step()
        told = {"surrogate": surrogate, "value": value_loss, "entropy": entropy, **dict(further)}
        return {"gradient": norm, **{key: part.detach() for key, part in told.items()}}

    def _further(
        self, batch: dict[str, Tensor], features: Tensor, policy: Distribution
    ) -> list[tuple[str, Tensor]]:
        """Further losses by name."""
        if not self.losses:
            return []
        groups = {k.removeprefix(GROUP): v for k, v in batch.items() if k.startswith(GROUP)}
        seen = Minibatch(
            policy=batch["policy"], features=features, distribution=policy,
            action=batch["action"], groups=groups,
        )  # fmt: skip
        return [(f"further_{i}", loss(seen)) for i, loss in enumerate(self.losses)]

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
        own = {"losses": self._own.state_dict()} if len(self._own) else {}
        return {
            "networks": self.networks.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            **own,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self.networks.load_state_dict(state["networks"])
        if len(self._own):
            self._own.load_state_dict(state["losses"])
        self.optimiser.load_state_dict(state["optimiser"])

    def own_state_dict(self) -> dict[str, Any]:
        """What each of a team has for itself: its chance."""
        return {"rng": self.rng.get_state()}

    def load_own_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``own_state_dict`` was called."""
        self.rng.set_state(state["rng"])
