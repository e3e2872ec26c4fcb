"""What language a model says that it was taught, by the card beside its weights.

A model whose card names none is believed to read anything.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_card
from fmrl_robot.settings import build


@dataclass(frozen=True, kw_only=True, slots=True)
class Taught:
    """The language of a model."""

    languages: tuple[str, ...]
    """Names for people, such as English."""
    scripts: frozenset[str]
    """As Unicode names them, such as LATIN."""
    words: frozenset[str]
    """Every word that the model was trained on, in lower case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Named:
    """Fields of a card that names a vocabulary."""

    vocabulary: str
    languages: tuple[str, ...]
    scripts: frozenset[str]


def read_taught(folder: Path) -> Taught | None:
    """Read what the card of a model's folder names; None where there is none, or it names none.

    Raises:
        ConfigError: the card is none, or names a list of words that is not there.
    """
    file = folder / "card.json"
    if not file.is_file():
        return None
    card = read_card(file)
    if "vocabulary" not in card:
        return None
    named = {f.name: card[f.name] for f in fields(_Named) if f.name in card}
    taught = build(_Named, named, str(file))
    words = folder / taught.vocabulary
    if not words.is_file():
        raise ConfigError(
            f"expected the words that {file} names in {words}, found no file; restore it, or take "
            "the entry 'vocabulary' out of the card",
            ErrorCode.ASSET_MISSING,
        )
    return Taught(
        languages=taught.languages,
        scripts=taught.scripts,
        words=frozenset(words.read_text("utf-8").split()),
    )
