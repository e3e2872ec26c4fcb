"""How often skills succeed and how long they take, as ``fmrl eval skills`` measured it.

A skill aimed at a cube is another matter than one aimed at a bowl, so figures are kept by robot,
skill and category of the target. What was never measured is no guess of this module's: it has the
figures of the file's ``assumed``, which say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """What came of trying a skill."""

    success: float
    """Share of tries, 0 to 1."""
    seconds: float
    """Mean duration of a try."""
    tries: int
    """0 where it is assumed."""


@cache
def measured() -> Mapping[str, Any]:
    """What the file says."""
    return json.loads(FILE.read_text())


def chance(robot: str, skill: str, category: str) -> Chance:
    """Return what is known of a skill.

    Raises:
        ConfigError: nothing is known of this robot's skill.
    """
    for part in ("measured", "assumed"):
        found = measured()[part].get(robot, {}).get(skill, {})
        row = found.get(category)
        if row is not None:
            return Chance(
                success=row["successes"] / row["tries"] if row["tries"] else row["success"],
                seconds=row["seconds"],
                tries=row["tries"],
            )
    raise ConfigError(
        f"expected figures of {robot} {skill} {category} in {FILE.name}; run "
        "fmrl eval skills, or add them to its part 'assumed'",
        ErrorCode.ASSET_MISSING,
    )


def measured_over(robot: str, skill: str) -> Chance | None:
    """Return what was measured of a skill over all its targets; None where nothing was."""
    rows = list(measured()["measured"].get(robot, {}).get(skill, {}).values())
    tries = sum(row["tries"] for row in rows)
    if not tries:
        return None
    return Chance(
        success=sum(row["successes"] for row in rows) / tries,
        seconds=sum(row["seconds"] * row["tries"] for row in rows) / tries,
        tries=tries,
    )
