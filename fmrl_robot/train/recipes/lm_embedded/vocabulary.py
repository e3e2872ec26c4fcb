"""The word lists of the corpus, read once from words.yaml."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

COLORS = ("red", "green", "blue", "yellow")
CONTAINERS = ("bowl", "bin", "drawer")

WORDS: dict[str, Any] = yaml.safe_load(
    files("fmrl_robot.train.recipes.lm_embedded").joinpath("words.yaml").read_text("utf-8")
)
