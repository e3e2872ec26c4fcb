"""What the trained CLIP can and cannot tell, on frames of unseen seeds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.vocabulary import facts, phrasings


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
