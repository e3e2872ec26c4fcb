"""Which of several sentences fits a picture, when the wrong ones differ from the right in one word.

Every sentence is the right one as often as any other of its kind, so that knowing how common a
sentence is helps nobody; a model trained on shuffled sentences shows what is left of that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.vocabulary import (
    CONJUNCTION,
    facts,
    kind,
    neighbours,
)
from fmrl_robot.types import Predicate

KINDS = ("on", "on table", "in bowl", "in bin", "in drawer", "held", "above", "near")
"""Kinds whose sentences have one-word neighbours."""
PER_FACT = 12
"""Pictures asked for each sentence."""


def measure_retrieval(
    vision: Any, frames: FrameSet, images: np.ndarray, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return accuracy and chance for one fact and for two joined facts.

    Args:
        vision: embeds texts.
        frames: of unseen seeds.
        images: their embeddings, shape (frames, dim).
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    columns = {fact: i for i, fact in enumerate(facts())}
    one: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    two: list[tuple[bool, float]] = []
    for fact, column in columns.items():
        if kind(fact) not in KINDS:
            continue
        rows = np.flatnonzero(frames.truth[:, column] == 1)
        for row in rng.permutation(rows)[:PER_FACT]:
            truth = frames.truth[row]
            wrong = [f for f in neighbours(fact) if truth[columns[f]] == 0]
            if not wrong:
                continue
            texts = [caption(f) for f in (fact, *wrong)]
            one[kind(fact)].append(_asked(vision, images[row], texts))
            also = [f for f in _true(truth, columns) if f != fact and kind(f) in KINDS]
            if not also:
                continue
            more = also[int(rng.integers(len(also)))]
            more_wrong = [f for f in neighbours(more) if truth[columns[f]] == 0]
            pairs = [(fact, more), *((f, more) for f in wrong), *((fact, f) for f in more_wrong)]
            two.append(
                _asked(
                    vision,
                    images[row],
                    [f"{caption(a)} {CONJUNCTION} {caption(b)}" for a, b in pairs],
                )
            )
    every = [answer for answers in one.values() for answer in answers]
    return {
        "one fact": _figures(every),
        "two facts": _figures(two),
        **{f"one fact: {name}": _figures(answers) for name, answers in sorted(one.items())},
    }


def _true(truth: np.ndarray, columns: dict[Predicate, int]) -> list[Predicate]:
    return [fact for fact, column in columns.items() if truth[column] == 1]


def _asked(vision: Any, image: np.ndarray, texts: Sequence[str]) -> tuple[bool, float]:
    scores = vision.embed_texts(texts) @ image
    return bool(scores[0] > scores[1:].max()), 1.0 / len(texts)


def _figures(answers: Sequence[tuple[bool, float]]) -> dict[str, float]:
    return {
        "accuracy": round(float(np.mean([right for right, _ in answers])), 4),
        "chance": round(float(np.mean([chance for _, chance in answers])), 4),
        "asked": len(answers),
    }
