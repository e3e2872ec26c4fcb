"""``fmrl methods``: the methods that can be named, each with its card."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fmrl_robot.card import MethodCard
from fmrl_robot.errors import FmrlError
from fmrl_robot.registry import AGENTS, METHODS


def cards() -> dict[str, MethodCard | str]:
    """Return the card of every method by name, or why it cannot be loaded here."""
    found: dict[str, MethodCard | str] = {}
    for name, registry in ((n, r) for r in (METHODS, AGENTS) for n in r.names()):
        try:
            card: Any = getattr(registry.load(name), "card", None)
        except (ImportError, AttributeError, FmrlError) as error:
            found[name] = f"cannot be loaded: {error}; install or mend its package"
            continue
        found[name] = card if isinstance(card, MethodCard) else "has no card; see your_method.md"
    return found


def _lines(name: str, card: MethodCard | str) -> list[str]:
    if isinstance(card, str):
        return [name, f"  {card}"]
    # An agent chooses at every step; a planner is asked again when its trigger says so.
    again = f"; asked again: {card.trigger}" if "Planner" in card.protocols else ""
    return [
        f"{name}: {card.role} for {', '.join(card.robots)}",
        f"  {card.reference}",
        f"  needs a model that {', '.join(card.needs)}{again}",
        *(f"  differs: {sentence}" for sentence in card.differs),
        f"  ablation: {card.ablation}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl methods``."""
    parser = argparse.ArgumentParser(prog="fmrl methods", description="List the methods.")
    parser.add_argument("--json", action="store_true", help="print the cards as JSON")
    given = parser.parse_args(arguments)
    found = cards()
    if given.json:
        values = {n: {"problem": c} if isinstance(c, str) else asdict(c) for n, c in found.items()}
        print(json.dumps(values, indent=2))
        return 0
    print("\n\n".join("\n".join(_lines(name, card)) for name, card in found.items()))
    return 0
