"""What language a model says that it was taught, by the card beside its weights.

A model whose card names none is believed to read anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode


@dataclass(frozen=True, kw_only=True, slots=True)
class Taught:
    """The language of a model."""

    languages: tuple[str, ...]
    """Names for people, such as English."""
    scripts: frozenset[str]
    """As Unicode names them, such as LATIN."""
    words: frozenset[str]
    """Every word that the model was trained on, in lower case."""


def read_taught(folder: Path) -> Taught | None:
    """Read what the card of a model's folder names; None where there is none, or it names none.

    Raises:
        ConfigError: the card names a list of words that is not there.
    """
    file = folder / "card.json"
    if not file.is_file():
        return None
    card: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if "vocabulary" not in card:
        return None
    words = folder / card["vocabulary"]
    if not words.is_file():
        raise ConfigError(
            f"expected the words that {file} names in {words}, found no file; restore it, or take "
            "the entry 'vocabulary' out of the card",
            ErrorCode.ASSET_MISSING,
        )
    return Taught(
        languages=tuple(card["languages"]),
        scripts=frozenset(card["scripts"]),
        words=frozenset(words.read_text("utf-8").split()),
    )
