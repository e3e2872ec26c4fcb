"""Decisions of a language model among ten continuations, beside the prompt repeated for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bench.common import Table
from bench.fm.models import Models
from bench.fm.pair import per_second, spread
from bench.fm.record import Record

PROMPT = (
    "Task: put the red cube in the drawer, then close it.\nScene: the red cube is on the table, "
    "the drawer is closed.\nSteps: 1. open the drawer {}."
)
CHOICES = (
    " pick up the red cube", " pick up the blue cube", " pick up the green cube",
    " place it in the bowl", " place it in the drawer", " place it on the table",
    " open the drawer", " close the drawer", " press the button", " wait",
)  # fmt: skip
DECISIONS = 8
"""Prompts of a pass, all different."""


def choices(models: Models, record: Record) -> Table:
    """The embedded prior without gradients, with those of an adapter and of all weights."""
    table = Table(
        "Choices",
        ("", "ours, decisions/s", "prompt repeated, decisions/s", "ours of its time"),
        f"Ten continuations of each of {DECISIONS} prompts. Repeated: a padded row for each.",
    )
    for mode in ("scores", "lora", "full"):
        model = models.load("embedded:lm-prior")
        weights = _weights(model, mode)
        questions = [
            (model.encode_prompt(PROMPT.format(i)), [model.encode(c) for c in CHOICES])
            for i in range(DECISIONS)
        ]
        rows = [(prompt, ids) for prompt, several in questions for ids in several]
        pair = record.pair(
            f"choices {mode}",
            _step(weights, lambda: model.forward_choices(questions)),  # noqa: B023
            _step(weights, lambda: model.forward(rows)),  # noqa: B023
            repeats=5,
        )
        table.add(
            mode, per_second(DECISIONS, pair.ours), per_second(DECISIONS, pair.raw),
            spread(pair.ratios),
        )  # fmt: skip
    return table


def _weights(model: Any, mode: str) -> list[torch.nn.Parameter]:
    if mode == "scores":
        return []
    if mode == "lora":
        model.add_adapter("actor")
    return model.trainable(mode)


def _step(weights: list[torch.nn.Parameter], show: Callable[[], Any]) -> Callable[[], None]:
    def step() -> None:
        with torch.set_grad_enabled(bool(weights)):
            score = show().token_logprobs.sum()
        if weights:
            torch.autograd.grad(score, weights, allow_unused=True)

    return step
