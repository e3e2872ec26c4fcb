"""An oracle that answers from a table, with a dial for how often it errs; for tests and ablations.

It understands nothing: what it proves is the mechanism around it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.usage import prompt_sha256
from fmrl_robot.types import FloatArray, Usage

Answer = str | Callable[[str], str]


class ScriptedLM:
    """Generates and Scores from a table of instruction to answer."""

    def __init__(
        self,
        answers: Mapping[str, Answer],
        *,
        error_rate: float = 0.0,
        wrong: Sequence[str] = ("refuse(impossible)",),
        seed: int = 0,
        model_id: str = "scripted",
    ) -> None:
        self.model_id = model_id
        self._answers = dict(answers)
        self._error_rate = error_rate
        self._wrong = tuple(wrong)
        self._random = random.Random(seed)  # noqa: S311
        self.prompts: list[str] = []
        """Every prompt it was asked, for tests to look at."""

    def generate(
        self,
        prompt: str,
        *,
        grammar: str | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        role: str = "plan",
    ) -> tuple[str, Usage]:
        """Answer with the entry of the longest key in the prompt; err as often as the dial says."""
        del grammar, max_tokens, temperature, seed
        self.prompts.append(prompt)
        key = self._key(prompt)
        answer = self._answers[key]
        text = answer(prompt) if callable(answer) else answer
        if self._random.random() < self._error_rate:
            text = self._random.choice(self._wrong)
        return text, self._usage(prompt, text, role)

    def score(self, prompt: str, continuations: Sequence[str]) -> tuple[FloatArray, Usage]:
        """Give the table's answer log-probability 0 and every other one -10."""
        answer = self._answers[self._key(prompt)]
        text = answer(prompt) if callable(answer) else answer
        scores = np.array([0.0 if c.strip() == text.strip() else -10.0 for c in continuations])
        return scores, self._usage(prompt, text, "score")

    def _key(self, prompt: str) -> str:
        keys = [k for k in self._answers if k in prompt]
        if not keys:
            raise ConfigError(
                f"expected a scripted answer for {prompt[-120:]!r}, the table has "
                f"{len(self._answers)} others; add one",
                ErrorCode.MODEL_UNAVAILABLE,
            )
        return max(keys, key=len)

    def _usage(self, prompt: str, text: str, role: str) -> Usage:
        return Usage(
            role=role,
            model=self.model_id,
            prompt_sha256=prompt_sha256(prompt),
            prompt_tokens=len(re.findall(r"\w+", prompt)),
            completion_tokens=len(re.findall(r"\w+", text)),
        )


def load_language_model(name: str) -> ScriptedLM:
    """Load a table from a JSON file of instruction to answer."""
    try:
        answers = json.loads(Path(name).read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(
            f"expected scripted:<JSON file of instruction to answer>, got {name!r}: {error}",
            ErrorCode.MODEL_UNAVAILABLE,
        ) from error
    return ScriptedLM(answers, model_id=f"scripted:{Path(name).name}")
