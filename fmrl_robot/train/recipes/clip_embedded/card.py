"""What the trained CLIP can and cannot tell, on frames of unseen seeds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.vocabulary import facts, phrasings

TRUST = 0.85
"""Share of right answers from which a verdict may be given."""
SEEN = 0.4
"""A verdict that less than this share of its frames would get is an accident, not knowledge."""
NARROWEST = 0.3
"""Least half width of the doubtful range, as a logit."""


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the receiver operating characteristic; ties count half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        same = scores == value
        ranks[same] = ranks[same].mean()
    positives = truth == 1
    n, m = int(positives.sum()), int((~positives).sum())
    return float((ranks[positives].sum() - n * (n + 1) / 2) / (n * m))


def epic(scores: np.ndarray, truth: np.ndarray) -> float:
    """Distance of a reward from the goal's label, ``sqrt((1 - rho) / 2)`` (VLM-RM, section 4).

    Trues and falses weigh the same, so that a rare fact is no easier; chance is 0.707.
    """
    weight = np.where(truth == 1, 0.5 / (truth == 1).sum(), 0.5 / (truth != 1).sum())
    a, b = scores - weight @ scores, truth - weight @ truth
    rho = (weight @ (a * b)) / np.sqrt((weight @ a**2) * (weight @ b**2))
    return float(np.sqrt((1.0 - rho) / 2.0))


def measure(vision: Any, frames: FrameSet) -> dict[str, dict[str, float]]:
    """Return AUROC, EPIC and balanced accuracy at the model's own zero: means over a kind's facts.

    Args:
        vision: embeds texts and images, as the reward does.
        frames: of unseen seeds.
    """
    images = np.concatenate(
        [vision.embed_images(list(chunk)) for chunk in np.array_split(frames.images, 20)]
    )
    scale, bias = vision.scale_and_bias
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for column, fact in enumerate(facts()):
        known = frames.truth[:, column] >= 0
        truth = frames.truth[known, column]
        if min((truth == 1).sum(), (truth == 0).sum()) < 5:
            continue
        try:
            sentence = caption(fact)
        except ValueError:
            sentence = phrasings(fact)[0]
        logits = scale * images[known] @ vision.embed_texts([sentence])[0] + bias
        right = ((logits[truth == 1] > 0).mean() + (logits[truth == 0] <= 0).mean()) / 2
        kind = fact.name + (f" {fact.args[1]}" if fact.name == "in" else "")
        kind += " table" if fact.name == "on" and fact.args[1] == "table" else ""
        found[kind].append((auroc(logits, truth), float(right), epic(logits, truth)))
    return {
        kind: {
            "auroc": round(float(np.mean([a for a, _, _ in rows])), 4),
            "balanced_accuracy": round(float(np.mean([b for _, b, _ in rows])), 4),
            "epic": round(float(np.mean([e for _, _, e in rows])), 4),
            "facts": len(rows),
        }
        for kind, rows in sorted(found.items())
    }


def calibrate(vision: Any, frames: FrameSet) -> dict[str, tuple[float, float]]:
    """Return middle and half width of the doubtful range of each fact's logit, by its caption.

    Above the range at least ``TRUST`` of the frames (trues and falses weighing the same) hold the
    fact, below it as many do not. A fact for which no logit is to be trusted is left out: of it the
    model knows too little for a verdict.
    """
    images = np.concatenate(
        [vision.embed_images(list(chunk)) for chunk in np.array_split(frames.images, 20)]
    )
    scale, bias = vision.scale_and_bias
    found: dict[str, tuple[float, float]] = {}
    for column, fact in enumerate(facts()):
        known = frames.truth[:, column] >= 0
        truth = frames.truth[known, column] == 1
        if min(truth.sum(), (~truth).sum()) < 5:
            continue
        try:
            sentence = caption(fact)
        except ValueError:
            continue
        logits = scale * images[known] @ vision.embed_texts([sentence])[0] + bias
        levels = np.sort(logits)
        above_true = np.array([(logits[truth] >= t).mean() for t in levels])
        above_false = np.array([(logits[~truth] >= t).mean() for t in levels])
        yes = above_true >= TRUST / (1 - TRUST) * above_false
        no = 1 - above_false >= TRUST / (1 - TRUST) * (1 - above_true)
        yes &= above_true >= SEEN
        no &= 1 - above_false >= SEEN
        if not (yes.any() and no.any()):
            continue
        low, high = float(levels[no].max()), float(levels[yes].min())
        found[sentence] = (round((low + high) / 2, 4), round(max((high - low) / 2, NARROWEST), 4))
    return found
