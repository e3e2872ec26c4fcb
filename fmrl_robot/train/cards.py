"""Cards: what an artefact is and how well it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fmrl_robot.files import read_card, replacing, writable_file


def write_card(file: Path, card: dict[str, Any]) -> None:
    """Write a card as JSON, whole or not at all."""
    write_whole(file, json.dumps(rounded(card), indent=2) + "\n")


def card_to_note_in(file: Path | None) -> None:
    """See, before anything is measured, that figures can be noted in a card, where one is named.

    Raises:
        ConfigError: it cannot be written, or what stands there is no card.
    """
    if file is not None and writable_file(file).is_file():
        read_card(file)


def note_in_card(file: Path, name: str, figures: Any) -> None:
    """Note figures under a name in a card; where there is none yet it is begun."""
    card = read_card(file) if file.is_file() else {}
    write_card(file, {**card, name: figures})


def write_whole(file: Path, text: str) -> None:
    """Write a file, so that a kill or a full disk leaves the last one.

    Raises:
        ConfigError: it could not be written.
    """
    with replacing(file) as beside:
        beside.write_text(text)


def rounded(value: Any, digits: int = 4) -> Any:
    """Floats of nested lists and dicts, rounded: more digits than were measured mislead."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {k: rounded(v, digits) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v, digits) for v in value]
    return value
