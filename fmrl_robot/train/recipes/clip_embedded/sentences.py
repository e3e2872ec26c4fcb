"""Which sentences a batch is asked: by kind of fact, in every phrasing, also two facts at once.

Two facts come in threes: both as they are in some picture, then with a word of the first changed,
then of the second. Without those the text tower listens to the last fact alone: the right one of
eight was found 25 times in 100, and 81 times by adding the embeddings of the parts (measured).
"""

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
    neighbours,
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
TWO = 0.25
"""How often two facts are stated, in three sentences, instead of one in one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Sentences of one batch and which of them hold of which picture."""

    tokens: Any
    """Shape (sentences, CONTEXT_LENGTH)."""
    labels: npt.NDArray[np.float32]
    """1, 0 or -1 where a picture says nothing of it, shape (pictures, sentences)."""


class Sentences:
    """Every phrasing of every fact."""

    def __init__(self, tokenizer: Any, *, held_out: bool = False, two: float = TWO) -> None:
        """Set up; ``held_out`` leaves the facts of HELD_OUT unsaid, ``two`` is in place of TWO."""
        self._tokenizer, self._two = tokenizer, two
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
        self._asserted = [sum(value for value, _ in texts) for texts in self._texts]
        columns = {fact: i for i, fact in enumerate(facts())}
        self._alike = [[columns[other] for other in neighbours(fact)] for fact in facts()]
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
        said: list[tuple[str, npt.NDArray[np.float32]]] = []
        while len(said) < count:
            if rng.random() < self._two:
                said += self._joined(truth, asked, rng)
            else:
                said.append(self._one(truth, true if len(said) % 2 else asked, rng))
        texts = [text for text, _ in said[:count]]
        labels = np.stack([label for _, label in said[:count]], axis=1)
        tokens = self._tokenizer(
            texts, padding="max_length", max_length=CONTEXT_LENGTH, return_tensors="pt"
        )["input_ids"]
        return Asked(tokens, labels)

    def _joined(
        self, truth: npt.NDArray[np.int8], asked: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> list[tuple[str, npt.NDArray[np.float32]]]:
        """Two facts of one picture joined, then each in turn with another that does not hold."""
        picture = truth[int(rng.integers(len(truth)))]
        weights = self.shares * (asked & (picture == 1))
        if np.count_nonzero(weights) < 2:
            return []
        both = rng.choice(len(weights), 2, replace=False, p=weights / weights.sum())
        joined = [tuple(both)]
        for place in (0, 1):
            others = [i for i in self._alike[both[place]] if picture[i] == 0 and self._said[i]]
            if others:
                changed = list(both)
                changed[place] = rng.choice(others)
                joined.append(tuple(changed))
        # The same words for what is changed: neighbours are of one kind, with as many phrasings.
        words = [int(rng.integers(self._asserted[fact])) for fact in both]
        return [
            (
                f" {CONJUNCTION} ".join(
                    self._texts[fact][word][1] for fact, word in zip(facts_, words, strict=True)
                ),
                _all(truth[:, list(facts_)]),
            )
            for facts_ in joined
        ]

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


def _all(truth: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """1 where every fact holds, -1 where one is unknown, else 0; truth (pictures, facts)."""
    return np.where((truth < 0).any(axis=1), -1.0, (truth == 1).all(axis=1)).astype(np.float32)
