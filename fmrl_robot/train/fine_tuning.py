"""Supervised fine-tuning of any language model that Tunes: answers to prompts, by cross-entropy.

What it leaves is the same model with an adapter, or with other weights, at whose side the untouched
one still answers. Policy optimisation goes on from there; where its reference is to be the tuned
model, save it and load it anew.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fmrl_robot.fm.capabilities import require
from fmrl_robot.fm.tuning import LoraSettings
from fmrl_robot.settings import Count
from fmrl_robot.train import language
from fmrl_robot.train.team import Team

if TYPE_CHECKING:
    import torch

Row = tuple[Any, list[int]]
"""A prompt as the model reads it, and the ids of its answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TuningConfig:
    """What learns, how fast and how long."""

    weights: Literal["lora", "full"] = "lora"
    lora: LoraSettings = field(default_factory=LoraSettings)
    adapter: str = "tuned"
    """Name of the adapter that is added; empty: go on with the one that answers now."""
    steps: Count = 200
    batch: Count = 16
    """Pairs of a step."""
    learning_rate: float = 5e-3
    """For an adapter of rank 8; all weights of a small model want a tenth."""
    warmup_steps: Count = 10
    weight_decay: float = 0.0
    ended: bool = True
    """Learn the end of an answer too, for models that write freely; not for phrases to choose."""
    seed: int = 0


def fine_tune(
    model: Any, pairs: Sequence[tuple[str, str]], config: TuningConfig | None = None
) -> dict[str, float]:
    """Teach a model to continue prompts with answers; return the figures of the last step.

    Args:
        model: with Tunes.
        pairs: (prompt, answer); an answer as it continues the prompt.
        config: what learns.

    Raises:
        ConfigError: the model lacks Tunes, or has an adapter of this name.
        ValueError: there are no pairs.
    """
    config = config or TuningConfig()
    require(model, "Tunes", "supervised fine-tuning")
    if not pairs:
        raise ValueError("expected at least one pair of a prompt and its answer, got none")
    if config.weights == "lora" and config.adapter:
        model.add_adapter(config.adapter, config.lora)
    model.trainable(config.weights)
    schedule = language.Schedule(
        steps=config.steps, learning_rate=config.learning_rate, warmup_steps=config.warmup_steps,
        weight_decay=config.weight_decay, processes=1, muon=False,
    )  # fmt: skip
    end = list(model.end_ids[:1]) if config.ended else []
    rows: list[Row] = [(model.read(p), [*model.encode(a), *end]) for p, a in pairs]
    batches = ((batch,) for batch in _batches(rows, config))
    with model.training_mode():
        return language.learn(
            model.module, batches, lambda batch: _losses(model, batch[0]), schedule, Team(),
            lambda: None,
        )  # fmt: skip


def answer_loss(model: Any, rows: Sequence[Row]) -> torch.Tensor:
    """Mean cross-entropy of the answers' tokens in nats, ()."""
    shown = model.forward(rows)
    return -shown.token_logprobs.sum() / shown.mask.sum()


def _losses(model: Any, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
    loss = answer_loss(model, rows)
    return loss, loss


def _batches(rows: Sequence[Row], config: TuningConfig) -> Iterator[list[Row]]:
    """All rows again and again, in another order each time, similar lengths together."""
    rng = random.Random(config.seed)  # noqa: S311
    endless = itertools.chain.from_iterable(
        rng.sample(list(rows), len(rows)) for _ in itertools.count()
    )
    return language.by_length(
        endless, lambda row: len(row[1]), size=config.batch, pooled=8, seed=config.seed
    )
