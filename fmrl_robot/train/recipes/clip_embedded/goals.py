"""Whether goals that were never taught stay without a score, and taught ones do not."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from fmrl_robot.rewards.vlm_rm import VLMRM
from fmrl_robot.shares import share
from fmrl_robot.train.recipes.clip_embedded.card import sentence
from fmrl_robot.train.recipes.clip_embedded.vocabulary import facts, phrasings
from fmrl_robot.types import SubGoal, SubGoalKind, Success


def outside_goals() -> tuple[str, ...]:
    """A hundred goals written by hand that no sentence of the vocabulary says."""
    text = (
        files("fmrl_robot.train.recipes.clip_embedded")
        .joinpath("outside_goals.yaml")
        .read_text("utf-8")
    )
    return tuple(yaml.safe_load(text))


def measure_goals(vision: Any) -> dict[str, Any]:
    """Return how many goals outside of the vocabulary, and within, come out as unknown."""
    taught = sorted({text for fact in facts() for text in (sentence(fact), *phrasings(fact))})
    reward = VLMRM(model=vision)
    return {
        "outside_unknown": _unknown(reward, outside_goals()),
        "taught_unknown": _unknown(reward, taught),
    }


def _unknown(reward: VLMRM, goals: tuple[str, ...] | list[str]) -> dict[str, Any]:
    picture = np.zeros((224, 224, 3), np.uint8)
    unknown = 0
    for goal in goals:
        reward.reset(SubGoal(id="1", kind=SubGoalKind.TEXT, text=goal))
        (score,) = reward.score([picture])
        unknown += not score.valid and score.success == Success.UNKNOWN
    return share(unknown, len(goals))
