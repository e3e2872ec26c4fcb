"""What a learner is to the trainer: a policy that explores, and updates from what it has done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from fmrl_robot.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """What ``steps`` steps of n environments gave; first axes (steps, n)."""

    policy: Tensor
    """Observations of the actor."""
    critic: Tensor
    """Observations of the critic."""
    output: Tensor
    """What the actor put out: means, or logits of choices."""
    action: Tensor
    reward: Tensor
    done: Tensor
    time_out: Tensor
    """Ends that are only the end of time; done as well."""
    last: Tensor
    """The critic's observations after the last step, (n, size)."""
    duration: Tensor | None = None
    """Steps of control that each action took; None: one each."""
    groups: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Further groups of observations; ``admissible`` among them says which choices there were."""
    known: Tensor | None = None
    """Whether anything is known of each reward, bool; None: of all."""
    version: Tensor | None = None
    """Of each reward from outside, int64; None: all are the task's own."""
    outside: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """What rewards from outside are made of, by name, to make them anew."""


def one_version(version: Tensor | None) -> None:
    """Refuse to learn from rewards of several versions.

    Raises:
        ConfigError: there are several.
    """
    if version is not None and bool((version != version.flatten()[0]).any()):
        raise ConfigError(
            f"expected rewards of one version, got {version.unique().tolist()!r}; relabel what is "
            "kept when the reward has changed (outside.relabel=true)"
        )


class Policy(Protocol):
    """The networks of a learner."""

    def explore(
        self, observations: Tensor, rng: torch.Generator, admissible: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw actions; return them and what the actor put out.

        Args:
            observations: of the actor, (n, size).
            rng: chance.
            admissible: which choices there are, bool (n, choices); None: all.
        """
        ...

    def plain_actor(self) -> nn.Module:
        """An ordinary network from observations to the actions that are shipped."""
        ...

    def plain_critic(self) -> nn.Module:
        """An ordinary network from what the critic reads to values (n, 1)."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Parameters and buffers by name."""
        ...


class Learner(Protocol):
    """Updates its networks from rollouts."""

    @property
    def networks(self) -> Policy:
        """What acts."""
        ...

    def update(self, rollout: Rollout, progress: float) -> dict[str, float]:
        """Learn from one rollout, ``progress`` of the run being over; return curves by name."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What the next update depends on and everybody of a team has the same of."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        ...

    def own_state_dict(self) -> dict[str, Any]:
        """What the next update depends on and each of a team has for itself."""
        ...

    def load_own_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``own_state_dict`` was called."""
        ...
