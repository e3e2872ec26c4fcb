"""How many samples of models with random weights leave what they are held to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tiny_models
import torch
import xgrammar

from bench.common import Table
from bench.fm.models import write
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.grammar import _compiled_for_bytes, accepts
from fmrl_robot.planners import gait_language, plan_language

AT_ONCE = 100


def grammar_samples(count: int, folder: Path) -> Table:
    """Sample ``count`` answers, and check them one by one."""
    table = Table(
        "Samples held to a grammar",
        ("model, grammar", "samples", "ended", "left it", "of 100 that were not held to it"),
        "An answer that was cut off has to be the beginning of a sentence.",
    )  # fmt: skip
    letters = 'root ::= ("put(" | "é" | " ") [a-c]{1,6} ")"'
    cases = [
        ("causal, letters", _tiny(folder, "bytes"), letters),
        ("causal, plans", _tiny(folder, "bytes"), plan_language.GRAMMAR),
        ("sentencepiece, gaits", _tiny(folder, "pieces"), gait_language.GRAMMAR),
        ("embedded, plans", _shuffled(load_language_model("embedded")), plan_language.GRAMMAR),
    ]
    for name, model, grammar in cases:
        ended = left = done = 0
        while done < count // len(cases):
            n = min(AT_ONCE, count // len(cases) - done)
            samples = _samples(model, grammar, n, seed=done)
            done += len(samples)
            ended += sum(sample.ended for sample in samples)
            left += sum(_leaves(grammar, sample) for sample in samples)
            print(f"{name}: {done} samples, {left} left", file=sys.stderr, flush=True)
        free = sum(_leaves(grammar, sample) for sample in _samples(model, None, AT_ONCE, seed=0))
        table.add(name, str(done), str(ended), str(left), str(free))
    return table


def _samples(model: Any, grammar: str | None, n: int, seed: int) -> list[Any]:
    asked = {"n": n, "max_tokens": 60, "temperature": 2.0, "seed": seed}
    return write(model, "arm: say =>", grammar, **asked)


def _leaves(grammar: str, sample: Any) -> bool:
    fits = accepts if sample.ended else _begins
    return not fits(grammar, sample.text)


def _begins(grammar: str, text: str) -> bool:
    """Whether a text can still become a sentence; what it broke off within may be half a letter."""
    matcher = xgrammar.GrammarMatcher(_compiled_for_bytes(grammar))
    return matcher.accept_string(text.rstrip("\ufffd"))


def _tiny(folder: Path, kind: str) -> Any:
    words = tiny_models.sentencepiece_like() if kind == "pieces" else None
    return load_language_model(f"transformers:{tiny_models.causal(folder / kind, words=words)}")


def _shuffled(model: Any) -> Any:
    """The embedded planner with a decoder that learnt nothing."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in model.module.named_parameters():
            if not name.startswith("encoder."):
                weights.normal_(std=0.02)
    return model
