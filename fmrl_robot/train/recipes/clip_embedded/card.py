"""What the trained CLIP can and cannot tell, on frames of unseen seeds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.rewards.comparison import Nearer, compare_embedded
from fmrl_robot.shares import share
from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.vocabulary import POSES, facts, kind, phrasings
from fmrl_robot.types import Predicate

TRUST = 0.85
"""Share of right answers from which a verdict may be given."""
SEEN = 0.4
"""A verdict that less than this share of its frames would get is an accident, not knowledge."""
FIGURES = ("auroc", "balanced_accuracy", "epic", "epic_of_probability")
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


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model makes of unseen frames: its logits for every fact's caption."""

    frames: FrameSet
    images: np.ndarray
    """Embeddings, shape (frames, dim)."""
    logits: np.ndarray
    """Shape (frames, facts)."""


def look(vision: Any, frames: FrameSet) -> Seen:
    """Embed frames and ask of each fact's caption; ``vision`` embeds as the reward does."""
    parts = np.array_split(np.arange(len(frames.images)), max(1, len(frames.images) // 64))
    images = np.concatenate([vision.embed_images(list(frames.images[p])) for p in parts])
    scale, bias = vision.scale_and_bias
    texts = vision.embed_texts([sentence(fact) for fact in facts()])
    return Seen(frames, images, scale * images @ texts.T + bias)


def sentence(fact: Predicate) -> str:
    """Return the words in which a fact is asked: its caption, or the first phrasing taught."""
    try:
        return caption(fact)
    except ValueError:
        return phrasings(fact)[0]


def measure(seen: Seen) -> dict[str, dict[str, float]]:
    """Return AUROC, accuracy and EPIC, means over a kind's facts, and the worst AUROC.

    ``epic`` is that of the reward, a cosine; ``epic_of_probability`` that of the logit's sigmoid,
    which is nearer to a label and tells less of how near the goal is.
    """
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for column, fact in enumerate(facts()):
        known = seen.frames.truth[:, column] >= 0
        truth = seen.frames.truth[known, column]
        if min((truth == 1).sum(), (truth == 0).sum()) < 5:
            continue
        logits = seen.logits[known, column]
        right = ((logits[truth == 1] > 0).mean() + (logits[truth == 0] <= 0).mean()) / 2
        sure = epic(1.0 / (1.0 + np.exp(-logits)), truth)
        found[kind(fact)].append((auroc(logits, truth), float(right), epic(logits, truth), sure))
    return {
        name: {
            "worst_auroc": float(min(row[0] for row in rows)),
            **dict(zip(FIGURES, map(float, np.mean(rows, axis=0)), strict=True)),
            "facts": len(rows),
        }
        for name, rows in sorted(found.items())
    }


def pose_accuracy(seen: Seen) -> dict[str, Any]:
    """Share of quadruped pictures whose posture is the likeliest of the six."""
    columns = [facts().index(Predicate(pose, ("robot",))) for pose in POSES]
    known = seen.frames.truth[:, columns[0]] >= 0
    right = seen.logits[known][:, columns].argmax(1) == seen.frames.truth[known][:, columns].argmax(
        1
    )
    return share(int(right.sum()), len(right))


def comparisons(vision: Any, seen: Seen, pairs: int = 40) -> dict[str, Any]:
    """Pairs of which one picture shows the goal: decided and right; pairs of which none does."""
    rng = np.random.default_rng(0)
    decided = right = asked = doubted = alike = 0
    for column, fact in enumerate(facts()):
        truth = seen.frames.truth[:, column]
        yes, no = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
        goal = sentence(fact)
        if min(len(yes), len(no)) < 5 or fact.name == "contact":
            continue
        a, b, c = rng.choice(yes, pairs), rng.choice(no, pairs), rng.choice(no, pairs)
        for answer in compare_embedded(vision, seen.images[b], seen.images[a], goal):
            asked += 1
            decided += answer.nearer != Nearer.NEITHER
            right += answer.nearer == Nearer.SECOND
        for answer in compare_embedded(vision, seen.images[b], seen.images[c], goal):
            alike += 1
            doubted += answer.nearer == Nearer.NEITHER
    return {
        "decided": share(decided, asked),
        "right_of_decided": share(right, decided),
        "abstains_where_neither_shows_it": share(doubted, alike),
    }


def trend(seen: Seen) -> float:
    """Mean EPIC over the kinds of facts: one figure to compare sizes by."""
    return float(np.mean([row["epic"] for row in measure(seen).values()]))


def calibrate(seen: Seen) -> dict[str, tuple[float, float]]:
    """Return middle and half width of the doubtful range of each fact's logit, by its caption.

    Above the range at least ``TRUST`` of the frames (trues and falses weighing the same) hold the
    fact, below it as many do not. A fact for which no logit is to be trusted is left out: of it the
    model knows too little for a verdict.
    """
    found: dict[str, tuple[float, float]] = {}
    for column, fact in enumerate(facts()):
        known = seen.frames.truth[:, column] >= 0
        truth = seen.frames.truth[known, column] == 1
        if min(truth.sum(), (~truth).sum()) < 5:
            continue
        logits = seen.logits[known, column]
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
        found[sentence(fact)] = (
            round((low + high) / 2, 4),
            round(max((high - low) / 2, NARROWEST), 4),
        )
    return found
