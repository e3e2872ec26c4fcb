"""Distributions of actions, as parts: a head turns what a network puts out into one.

A learner asks for samples, log-probabilities, entropy and divergence and never for what kind it is.
Functions over plain tensors, because ``torch.distributions`` checks and expands in every call: a
fifth of the time of a small update.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

LOG_2PI = math.log(2.0 * math.pi)


class Distribution(Protocol):
    """Of the actions for n observations."""

    def sample(self, rng: torch.Generator) -> Tensor:
        """Draw one action each, (n, ...)."""
        ...

    def mode(self) -> Tensor:
        """The likeliest actions, (n, ...)."""
        ...

    def log_prob(self, action: Tensor) -> Tensor:
        """Of given actions, up to a constant, (n,)."""
        ...

    def entropy(self) -> Tensor:
        """In nats, (n,), or () where it is the same for all observations."""
        ...

    def divergence(self, other: Self) -> Tensor:
        """Kullback-Leibler divergence of this from another of its kind, in nats, (n,)."""
        ...

    def detached(self) -> Self:
        """The same without gradients."""
        ...


class Head(Protocol):
    """From the last layer's numbers to a distribution; a module, for it may have parameters."""

    @property
    def outputs(self) -> int:
        """Numbers that the network has to put out."""
        ...

    def __call__(self, outputs: Tensor, admissible: Tensor | None = None) -> Distribution:
        """From (n, outputs).

        Args:
            outputs: of the network.
            admissible: which of a list of choices there are, bool (n, choices); None: all.
        """
        ...

    def curves(self) -> dict[str, float]:
        """What of its parameters is worth a curve."""
        ...


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Independent normal actions with one spread for all observations."""

    mean: Tensor
    """(n, actions)."""
    log_std: Tensor
    """(actions,)."""
    std: Tensor

    def sample(self, rng: torch.Generator) -> Tensor:
        """Draw one action each, (n, actions)."""
        noise = torch.randn(self.mean.shape, generator=rng, device=self.mean.device)
        return self.mean + self.std * noise

    def mode(self) -> Tensor:
        """The means."""
        return self.mean

    def log_prob(self, action: Tensor) -> Tensor:
        """Log density without its constant, (n,)."""
        return -0.5 * ((action - self.mean) / self.std).square().sum(-1) - self.std.log().sum()

    def entropy(self) -> Tensor:
        """In nats, ()."""
        return self.log_std.sum() + 0.5 * self.log_std.numel() * (1.0 + LOG_2PI)

    def divergence(self, other: Gaussian) -> Tensor:
        """Of this from another Gaussian, (n,)."""
        moved = (self.std.square() + (self.mean - other.mean).square()) / (2.0 * other.std.square())
        return ((other.std / self.std).log() - 0.5 + moved).sum(-1)

    def detached(self) -> Gaussian:
        """The same without gradients."""
        return Gaussian(self.mean.detach(), self.log_std.detach(), self.std.detach())


class GaussianHead(nn.Module):
    """A spread for each action that does not depend on the observation."""

    def __init__(self, actions: int, initial_std: float) -> None:
        super().__init__()
        self.outputs = actions
        self.log_std = nn.Parameter(torch.full((actions,), initial_std).log())

    def forward(self, outputs: Tensor, admissible: Tensor | None = None) -> Gaussian:
        """From means (n, actions); any action is admissible."""
        del admissible
        return Gaussian(outputs, self.log_std, self.log_std.exp())

    def curves(self) -> dict[str, float]:
        """The mean spread."""
        return {"learner/std": float(self.log_std.detach().exp().mean())}


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of a list of choices."""

    log_probs: Tensor
    """Normalised, (n, choices); what is not admissible has a very low one, which is finite."""

    def sample(self, rng: torch.Generator) -> Tensor:
        """Draw the number of a choice each, int64 (n,)."""
        return torch.multinomial(self.log_probs.exp(), 1, generator=rng)[:, 0]

    def mode(self) -> Tensor:
        """The likeliest choices, int64 (n,)."""
        return self.log_probs.argmax(-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """Of choices, int64 (n,), in nats."""
        return self.log_probs.gather(-1, action[:, None])[:, 0]

    def entropy(self) -> Tensor:
        """In nats, (n,); what is not admissible adds nothing."""
        return -(self.log_probs.exp() * self.log_probs).sum(-1)

    def divergence(self, other: Categorical) -> Tensor:
        """Of this from another over the same choices, (n,)."""
        return (self.log_probs.exp() * (self.log_probs - other.log_probs)).sum(-1)

    def detached(self) -> Categorical:
        """The same without gradients."""
        return Categorical(self.log_probs.detach())


def masked_categorical(logits: Tensor, admissible: Tensor | None = None) -> Categorical:
    """From logits (n, choices) to a distribution over those that are admissible, bool (n, choices).

    Raises:
        ValueError: of some observation no choice is.
    """
    if admissible is not None:
        if not bool(admissible.any(-1).all()):
            raise ValueError(
                "expected at least one admissible choice of each observation, got none of "
                f"{int((~admissible.any(-1)).sum())}; end the episode where nothing can be done"
            )
        # The lowest finite number: infinities would make the entropy's 0 times log 0 no number.
        logits = logits.masked_fill(~admissible, torch.finfo(logits.dtype).min)
    return Categorical(F.log_softmax(logits, dim=-1))


class CategoricalHead(nn.Module):
    """One of ``choices``, of which some may not be admissible now."""

    def __init__(self, choices: int) -> None:
        super().__init__()
        self.outputs = choices

    def forward(self, outputs: Tensor, admissible: Tensor | None = None) -> Categorical:
        """From logits (n, choices)."""
        return masked_categorical(outputs, admissible)

    def curves(self) -> dict[str, float]:
        """It has no parameters."""
        return {}


@dataclass(frozen=True, slots=True)
class SquashedGaussian:
    """Normal numbers with a spread for each observation, squashed by tanh to between -1 and 1."""

    mean: Tensor
    """Before squashing, (n, actions)."""
    log_std: Tensor

    def draw(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Actions (n, actions) and their log density (n,); gradients flow through both."""
        noise = torch.randn(self.mean.shape, generator=rng, device=self.mean.device)
        before = self.mean + self.log_std.exp() * noise
        # The logarithm of the slope of tanh, in a form that does not overflow.
        slope = 2.0 * (math.log(2.0) - before - F.softplus(-2.0 * before))
        density = -0.5 * noise.square() - self.log_std - 0.5 * LOG_2PI - slope
        return torch.tanh(before), density.sum(-1)

    def mode(self) -> Tensor:
        """The squashed means, (n, actions)."""
        return torch.tanh(self.mean)
