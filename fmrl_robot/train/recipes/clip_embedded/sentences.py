"""Which sentences a batch is asked: by kind of fact, in every phrasing, also two facts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fmrl_robot.train.recipes.clip_embedded.model import CONTEXT_LENGTH
from fmrl_robot.train.recipes.clip_embedded.vocabulary import (
    CONJUNCTION,
    facts,
    kind,
    phrasings,
)
from fmrl_robot.types import Predicate

WEIGHTS = {
    "on": 3.0,
    "on table": 1.5,
    "in bowl": 1.5,
    "in bin": 1.5,
    "in drawer": 1.5,
    "held": 2.0,
    "above": 2.0,
    "open gripper": 3.0,
    "closed gripper": 3.0,
    "pressed": 3.0,
    "hand_empty": 2.0,
    "near": 1.5,
    "contact": 0.5,
}
"""How often a kind is asked, 1 where it is not named: many facts, or small in the picture."""
HELD_OUT = (
    Predicate("in", ("red_cube", "bowl")),
    Predicate("in", ("green_cube", "bin")),
    Predicate("on", ("blue_cube", "yellow_cube")),
)
"""Pairs of colour and relation that the diagnostic model is never taught."""
TWO = 0.4
"""Share of sentences that state two facts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Sentences of one batch and which of them hold of which picture."""

    tokens: Any
    """Shape (sentences, CONTEXT_LENGTH)."""
    labels: npt.NDArray[np.float32]
    """1, 0 or -1 where a picture says nothing of it, shape (pictures, sentences)."""


class Sentences:
    """Every phrasing of every fact."""

    def __init__(self, tokenizer: Any, *, held_out: bool = False) -> None:
        """Set up; ``held_out`` leaves the facts of HELD_OUT unsaid."""
        self._tokenizer = tokenizer
        self._said = np.array([not (held_out and fact in HELD_OUT) for fact in facts()])
        self._texts: list[list[tuple[bool, str]]] = []
        """For each fact its sentences, each with whether it asserts or denies."""
        for fact in facts():
            self._texts.append(
                [
                    (value, text)
                    for value in (True, False)
                    for text in phrasings(Predicate(fact.name, fact.args, value=value))
                ]
            )
        kinds = [kind(fact) for fact in facts()]
        shares = np.array([WEIGHTS.get(k, 1.0) / kinds.count(k) for k in kinds])
        self.shares = shares * self._said
        """How often each fact is asked, shape (facts,)."""

    def allowed(self, truth: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Return the truth without what is never said, shape (pictures, facts)."""
        return np.where(self._said, truth, np.int8(-1))

    def draw(self, truth: npt.NDArray[np.int8], count: int, rng: np.random.Generator) -> Asked:
        """Draw sentences about pictures of one scene, half of them true of some picture.

        Args:
            truth: of the batch's pictures, shape (pictures, facts).
            count: how many sentences.
            rng: of the draw.
        """
        asked = truth[0] >= 0
        true = asked & (truth == 1).any(axis=0)
        texts, labels = [], np.empty((len(truth), count), np.float32)
        for i in range(count):
            text, label = self._one(truth, true if i % 2 else asked, rng)
            if rng.random() < TWO:
                # A picture of which the first holds, so that the whole is not always false.
                holds = np.flatnonzero(label == 1)
                also = truth[rng.choice(holds)] == 1 if len(holds) and i % 4 else asked
                more, second = self._one(truth, also & asked, rng)
                text = f"{text} {CONJUNCTION} {more}"
                label = np.where((label < 0) | (second < 0), -1.0, np.minimum(label, second))
            texts.append(text)
            labels[:, i] = label
        tokens = self._tokenizer(
            texts, padding="max_length", max_length=CONTEXT_LENGTH, return_tensors="pt"
        )["input_ids"]
        return Asked(tokens, labels)

    def _one(
        self,
        truth: npt.NDArray[np.int8],
        among: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> tuple[str, npt.NDArray[np.float32]]:
        weights = self.shares * among
        column = int(rng.choice(len(weights), p=weights / weights.sum()))
        value, text = self._texts[column][int(rng.integers(len(self._texts[column])))]
        column_truth = truth[:, column].astype(np.float32)
        return text, column_truth if value else np.where(column_truth < 0, -1, 1 - column_truth)
