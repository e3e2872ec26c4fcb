"""The networks of soft actor-critic: a squashed Gaussian policy and twin critics.

Observations are scaled by what was seen so far; in the network that is shipped the scaling is
folded into the first layer, so that its contract is that of any other.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from fmrl_robot.train.distributions import SquashedGaussian
from fmrl_robot.train.networks import Mirror, MirroredMLP, mlp
from fmrl_robot.train.team import Team

LOG_STD = (-5.0, 1.0)
"""Least and greatest logarithm of the spread before squashing."""
VARIANCE_FLOOR = 1e-4
"""Of an observation that hardly changes, in its own unit squared."""


class Twins(nn.Module):
    """Two critics in one: (n, inputs) to (2, n)."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        both = [mlp(sizes) for _ in range(2)]
        layers = [[m for m in one if isinstance(m, nn.Linear)] for one in both]
        pairs = list(zip(*layers, strict=True))
        self.weights = nn.ParameterList(
            torch.stack([layer.weight.detach().T for layer in pair]) for pair in pairs
        )
        self.biases = nn.ParameterList(
            torch.stack([layer.bias.detach()[None] for layer in pair]) for pair in pairs
        )

    def forward(self, x: Tensor) -> Tensor:
        """Values of both."""
        x = x.expand(2, *x.shape)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            x = x if i == last else F.relu(x)  # a tenth of what ELU takes
        return x.squeeze(-1)


class Scale(nn.Module):
    """Observations less their running mean, over their running spread."""

    count: Tensor
    moments: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, mirror: Mirror | None = None) -> None:
        super().__init__()
        self._mirror = mirror
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("moments", torch.zeros((2, size), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    def learn(self, seen: Tensor, team: Team) -> None:
        """Count observations (..., size) in."""
        rows = seen.flatten(0, -2).double()
        moments = team.mean_(torch.stack([rows.mean(0), rows.square().mean(0)]))
        if self._mirror is not None:
            sign = moments.new_tensor(self._mirror.sign)
            other = moments[:, list(self._mirror.swap)] * torch.stack([sign, sign.square()])
            moments = (moments + other) / 2
        self.count += len(rows)
        self.moments.lerp_(moments, len(rows) / float(self.count))
        mean, square = self.moments
        self.mean.copy_(mean)
        self.spread.copy_((square - mean.square()).clamp_min(VARIANCE_FLOOR).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """Scale."""
        return (x - self.mean) / self.spread


class SoftActorCritic(nn.Module):
    """A squashed Gaussian policy, twin critics with their slow targets, and a temperature."""

    def __init__(
        self,
        hidden: tuple[tuple[int, ...], tuple[int, ...]],
        sizes: tuple[int, int, int],
        mirror: tuple[Mirror, Mirror] | None = None,
        *,
        action_range: float = 1.0,
        temperature: float = 0.1,
    ) -> None:
        """Build networks.

        Args:
            hidden: layers of the actor and of each critic.
            sizes: of the actor's observations, the critic's, and actions.
            mirror: of the actor's observations and actions, where the task has one.
            action_range: actions lie within plus and minus this.
            temperature: the first one.
        """
        super().__init__()
        observations, privileged, self.actions = sizes
        self.action_range = action_range
        layers = (observations, *hidden[0], 2 * self.actions)
        self.actor: nn.Module = (
            mlp(layers, 0.01)
            if mirror is None
            else MirroredMLP(layers, mirror[0], _with_spreads(mirror[1]), last_gain=0.01)
        )
        self.critic = Twins((privileged + self.actions, *hidden[1], 1))
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))
        self.policy_scale = Scale(observations, mirror[0] if mirror else None)
        self.critic_scale = Scale(privileged)

    def draw(self, observations: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Actions between -1 and 1 for observations (n, size), their log density, and means."""
        mean, raw = self.actor(self.policy_scale(observations)).chunk(2, -1)
        low, high = LOG_STD
        drawn = SquashedGaussian(mean, low + 0.5 * (high - low) * (torch.tanh(raw) + 1.0))
        return *drawn.draw(rng), drawn.mode()

    def explore(
        self, observations: Tensor, rng: torch.Generator, admissible: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw actions for observations (n, size); return them and their middles."""
        del admissible  # numbers, not choices
        action, _, middle = self.draw(observations, rng)
        return self.action_range * action, self.action_range * middle

    def seen(self, observations: Tensor, action: Tensor) -> Tensor:
        """What critics are asked: observations (n, size) with actions between -1 and 1."""
        return torch.cat([self.critic_scale(observations), action], -1)

    @torch.no_grad()
    def plain_actor(self) -> nn.Module:
        """The ordinary network that answers with the squashed mean; scaling is folded into it."""
        actor, scale = self.actor, self.policy_scale
        network = actor.plain() if isinstance(actor, MirroredMLP) else copy.deepcopy(actor)
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        first, last = layers[0], layers[-1]
        first.weight.div_(scale.spread)
        first.bias.sub_(first.weight @ scale.mean)
        last.weight = nn.Parameter(last.weight[: self.actions].clone())
        last.bias = nn.Parameter(last.bias[: self.actions].clone())
        last.out_features = self.actions
        return nn.Sequential(network, nn.Tanh(), Times(self.action_range))

    @torch.no_grad()
    def plain_critic(self) -> nn.Module:
        """From critic observations and an action, as the task takes it, to the lower value."""
        return LowerOfTwins(
            copy.deepcopy(self.critic_scale), copy.deepcopy(self.critic), self.action_range
        )


class LowerOfTwins(nn.Module):
    """Twin critics as one network, from (n, observations + actions) to (n, 1)."""

    def __init__(self, scale: Scale, twins: Twins, action_range: float) -> None:
        super().__init__()
        self.scale, self.twins, self.action_range = scale, twins, action_range
        self.observations = len(scale.mean)

    def forward(self, x: Tensor) -> Tensor:
        """The lower of both values."""
        seen, action = self.scale(x[:, : self.observations]), x[:, self.observations :]
        return self.twins(torch.cat([seen, action / self.action_range], -1)).amin(0)[:, None]


class Times(nn.Module):
    """A number times the input."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Multiply."""
        return self.factor * x


def _with_spreads(mirror: Mirror) -> Mirror:
    """The mirror of actions, for means and the logarithms of their spreads."""
    count = len(mirror.swap)
    swap = (*mirror.swap, *(count + i for i in mirror.swap))
    return Mirror(swap=swap, sign=(*mirror.sign, *[1.0] * count))
