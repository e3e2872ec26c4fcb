"""Further losses of a policy, each a function that PPO adds to its own: teachers and side tasks.

A loss is any callable of a ``Minibatch``; what it needs besides stands in the groups that the task
puts into its observations. One with parameters of its own is a module, and learns with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from fmrl_robot.train.distributions import Distribution


@dataclass(frozen=True, kw_only=True, slots=True)
class Minibatch:
    """What a loss may look at; first axes (n,)."""

    policy: Tensor
    """Observations of the actor."""
    features: Tensor
    """What the actor's last layer reads for them, with gradients."""
    distribution: Distribution
    """Of the actions now, with gradients."""
    action: Tensor
    """What was done."""
    groups: Mapping[str, Tensor]
    """Further groups of observations that the task gave."""


class Loss(Protocol):
    """What is to be minimised beside the surrogate, weighted already."""

    def __call__(self, batch: Minibatch) -> Tensor:
        """A mean over the batch, ()."""
        ...


@dataclass(frozen=True, kw_only=True)
class TeacherCrossEntropy:
    """Do what a teacher does: the negative log-probability of its actions."""

    weight: float
    teacher: Callable[[Minibatch], Tensor]
    """Actions, as the distribution takes them."""

    def __call__(self, batch: Minibatch) -> Tensor:
        """Weighted cross-entropy, ()."""
        with torch.no_grad():
            wanted = self.teacher(batch)
        return -self.weight * batch.distribution.log_prob(wanted).mean()


@dataclass(frozen=True, kw_only=True)
class TeacherDivergence:
    """Stay near a teacher that tells its distribution: its divergence from the policy."""

    weight: float
    teacher: Callable[[Minibatch], Distribution]

    def __call__(self, batch: Minibatch) -> Tensor:
        """Weighted divergence of the teacher from the policy, ()."""
        with torch.no_grad():
            wanted = self.teacher(batch)
        return self.weight * wanted.divergence(batch.distribution).mean()


class Auxiliary(nn.Module):
    """Predict a group of the observations from the actor's last hidden layer, by a linear layer."""

    def __init__(self, group: str, features: int, size: int, weight: float) -> None:
        """Learn to tell ``group`` (n, size) from ``features`` units."""
        super().__init__()
        self.group, self.weight = group, weight
        self.head = nn.Linear(features, size)

    def forward(self, batch: Minibatch) -> Tensor:
        """Weighted mean squared error, ()."""
        told = batch.groups[self.group].float()
        return self.weight * (self.head(batch.features) - told).square().mean()
