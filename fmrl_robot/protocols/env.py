"""Worlds in which something learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

    from fmrl_robot.types import (
        Image,
        SkillStep,
        SubGoal,
    )


class VecEnv(Protocol):
    """Many copies of one task stepped together; tensors in, tensors out, reset by itself.

    A task may offer more, which learners look for by name: ``discrete = True`` where an action is
    the number of a choice (int64, ``num_actions`` of them), and then a group ``admissible`` (bool)
    among its observations; ``duration`` among the extras, the steps of control that each action
    took (its reward is discounted among them already); further groups of observations for losses;
    ``mirror``, ``picture``, ``texts``. For rewards from outside: ``sights``, what it can show
    (protocols/reward.py: Sight); ``show(sights)``, after which the extras of every step tell under
    ``shown`` what it led to, before anything began anew; and ``look(worlds)``, what those worlds
    show now.
    """

    num_envs: int
    num_actions: int
    control_dt_s: float
    max_episode_length: int

    def reset(self) -> dict[str, torch.Tensor]:
        """Reset every environment; return observations by group (``policy``, ``critic``)."""
        ...

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Return observations by group (``policy``, ``critic``), rewards, dones and extras."""
        ...


EnvFactory = Callable[..., VecEnv]


class SkillEnv(Protocol):
    """Many worlds in which a choice is a skill that takes its time: a semi-MDP with text."""

    num_envs: int

    def reset(self, seed: int) -> SkillStep:
        """Begin every world anew; the same seed gives the same tasks on every back end."""
        ...

    def step(self, choices: Sequence[int | SubGoal]) -> SkillStep:
        """Do in each world the phrase of that number, or a skill with its parameters."""
        ...

    def picture(self, world: int) -> Image:
        """Look at one world; raises ConfigError(CAPABILITY_MISSING) where nothing can be seen."""
        ...
