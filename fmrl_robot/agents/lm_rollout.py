"""What a language model's policy did in several text worlds, laid out by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fmrl_robot.agents.lm_policy import Acted, LMPolicy, Question


class TextWorlds(Protocol):
    """Several worlds that are asked in words, stepped together, each begun anew when it ends."""

    def questions(self) -> Sequence[Question]:
        """What is to be decided now, one question a world."""
        ...

    def step(self, choices: Sequence[int]) -> TextStep:
        """Carry out a candidate of each question."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TextStep:
    """What came of one decision in each of n worlds."""

    reward: Sequence[float]
    """Discounted already among the steps that the decision took."""
    done: Sequence[bool]
    """Whether the episode ended, for whatever reason."""
    time_out: Sequence[bool]
    """Ends that are only the end of time."""
    duration: Sequence[float]
    """In the steps that gamma discounts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LMRollout:
    """``steps`` decisions in n worlds; tensors (steps, n, ...)."""

    questions: list[Question]
    """By time, then by world, (steps * n)."""
    choice: Tensor
    log_prob: Tensor
    """Of each unit, (steps, n, units)."""
    value: Tensor
    """Before each unit, (steps, n, units)."""
    mask: Tensor
    """Where there is a unit, bool (steps, n, units)."""
    reward: Tensor
    done: Tensor
    time_out: Tensor
    duration: Tensor
    last: Tensor
    """Values of what is asked after the last step, (n,)."""


def collect(worlds: TextWorlds, policy: LMPolicy, steps: int, rng: torch.Generator) -> LMRollout:
    """Let the policy decide ``steps`` times in every world."""
    asked: list[Question] = []
    acted: list[Acted] = []
    came: list[TextStep] = []
    for _ in range(steps):
        questions = list(worlds.questions())
        now = policy.act(questions, rng)
        came.append(worlds.step(now.choice.tolist()))
        asked += questions
        acted.append(now)
    return laid_out(asked, acted, came, policy.values_now(list(worlds.questions())))


def laid_out(
    asked: Sequence[Question], acted: Sequence[Acted], came: Sequence[TextStep], last: Tensor
) -> LMRollout:
    """Lay out by time what was asked, decided and came of it.

    Args:
        asked: by time, then by world, (steps * n).
        acted: (steps,) decisions for n worlds.
        came: (steps,)
        last: values of what is asked after the last step, (n,).
    """
    width = max(a.mask.shape[1] for a in acted)

    def units(name: str) -> Tensor:
        parts: list[Tensor] = [getattr(a, name).cpu() for a in acted]
        pads = [torch.nn.functional.pad(p, (0, width - p.shape[1])) for p in parts]
        return torch.stack(pads)

    def told(name: str, dtype: torch.dtype) -> Tensor:
        return torch.tensor([[*getattr(step, name)] for step in came], dtype=dtype)

    return LMRollout(
        questions=list(asked), choice=torch.stack([a.choice for a in acted]), last=last,
        log_prob=units("log_prob"), value=units("value"), mask=units("mask"),
        reward=told("reward", torch.float32), done=told("done", torch.bool),
        time_out=told("time_out", torch.bool), duration=told("duration", torch.float32),
    )  # fmt: skip
