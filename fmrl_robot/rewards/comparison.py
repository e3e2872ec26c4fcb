"""Which of two pictures is nearer to a goal sentence, or nothing if the model cannot tell.

RL-VLM-F asks a large model this in words; a model that embeds pictures answers it by the difference
of their logits. It abstains where that difference is smaller than the doubt that the model's
calibration leaves, and of sentences that it was never taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fmrl_robot.protocols import Sees
    from fmrl_robot.types import Image

DOUBT = 1.0
"""Least difference of logits for an answer of a model without a calibration."""


class Nearer(IntEnum):
    """An answer."""

    NEITHER = -1
    """The model abstains."""
    FIRST = 0
    SECOND = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """An answer with its reason."""

    nearer: Nearer
    margin: float
    """Logit of the second picture less that of the first; 0 where the model was not asked."""
    doubt: float
    """What the margin has to exceed."""
    reason: str = ""
    """Why the model abstains."""


def compare(model: Sees, first: Image, second: Image, goal: str) -> Comparison:
    """Ask which of two pictures, RGB uint8 (height, width, 3), fits a sentence better."""
    return compare_many(model, [first], [second], goal)[0]


def compare_many(
    model: Any, first: Sequence[Image], second: Sequence[Image], goal: str
) -> list[Comparison]:
    """Ask it of pairs, in one batch.

    Raises:
        ValueError: there are not as many second pictures as first ones.
    """
    if len(first) != len(second):
        raise ValueError(f"expected pairs of pictures, got {len(first)} and {len(second)}")
    vectors = model.embed_images([*first, *second])
    return compare_embedded(model, vectors[: len(first)], vectors[len(first) :], goal)


def compare_embedded(
    model: Any, first: np.ndarray, second: np.ndarray, goal: str
) -> list[Comparison]:
    """Ask it of what was seen, unit vectors of shape (pairs, dim) each."""
    calibration: dict[str, tuple[float, float]] = getattr(model, "calibration", {})
    reason = ""
    if not getattr(model, "knows", lambda _: True)(goal):
        reason = f"{model.model_id} was never taught {goal!r}"
    elif calibration and goal not in calibration:
        reason = f"{model.model_id} cannot tell {goal!r} from its contrary"
    if reason:
        blind = Comparison(nearer=Nearer.NEITHER, margin=0.0, doubt=np.inf, reason=reason)
        return [blind] * len(first)
    doubt = calibration[goal][1] if calibration else DOUBT
    scale, _ = getattr(model, "scale_and_bias", (20.0, 0.0))
    margins = scale * (second - first) @ model.embed_texts([goal])[0]
    return [_answer(float(margin), doubt) for margin in margins]


def _answer(margin: float, doubt: float) -> Comparison:
    if abs(margin) < doubt:
        return Comparison(
            nearer=Nearer.NEITHER, margin=margin, doubt=doubt, reason="too close to call"
        )
    nearer = Nearer.SECOND if margin > 0 else Nearer.FIRST
    return Comparison(nearer=nearer, margin=margin, doubt=doubt)
