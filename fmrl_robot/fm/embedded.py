"""The small models that this repository trains and ships; the default of every node.

They prove the mechanism offline and are read through the same code as any other model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fmrl_robot.assets import policies_dir
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import LANGUAGE_MODELS, VISION_MODELS

LANGUAGE, VISION = "lm-embedded", "clip-embedded"


def _folder(name: str) -> Path:
    folder = policies_dir() / name
    if not folder.is_dir():
        raise ConfigError(
            f"expected the embedded model in {folder}, found none; run fmrl train {name}",
            ErrorCode.ASSET_MISSING,
        )
    return folder


def load_language_model(name: str = "", **options: Any) -> Any:
    """Load the embedded planner; ``name`` may be another folder of policies/."""
    return LANGUAGE_MODELS.load("transformers")(str(_folder(name or LANGUAGE)), **options)


def load_vision_model(name: str = "", **options: Any) -> Any:
    """Load the embedded CLIP; ``name`` may be another folder of policies/."""
    return VISION_MODELS.load("open_clip")(str(_folder(name or VISION)), **options)
