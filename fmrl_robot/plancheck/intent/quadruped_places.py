"""Places, turns, distances and postures that an instruction asks for: a strict reading by forms.

An instruction is cut into clauses, and a clause is either one of the forms of
quadruped_places.yaml, all of it, or it asks for something else. Nothing is guessed: where a word
stands that steers (a negation, a condition, an exception) in a clause of no known form, the
instruction counts as unread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import yaml

from fmrl_robot.plancheck.intent.words import words

_CUT = re.compile(
    r" *(?:[;,:!?]|\.(?!\d)|\band then\b|\bthen\b|\bafter that\b|\bafterwards\b|\band\b) *"
)
_NUMBERS: Mapping[str, float] = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6},
    **{"seven": 7, "eight": 8, "nine": 9, "ten": 10, "half a": 0.5, "one and a half": 1.5},
    **{"two and a half": 2.5, "ninety": 90, "forty five": 45, "thirty": 30, "sixty": 60},
    **{"a hundred and eighty": 180, "one hundred and eighty": 180},
    **{"a quarter": 0.25, "three quarters": 0.75},
}
_TOOLS = ("filler", "forbids", "steers", "thing", "halts")
"""Entries that are no acts."""
_RIGHT_ANGLE, _HALF, _WHOLE = 90.0, 180.0, 360.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Something to do, or not to do."""

    kind: str
    """go_to, go_back, go_around, turn_to, turn, walk_forward, walk_left, sit, stand_up, or any of
    turn_any and walk_backward, which are only ever forbidden."""
    text: str
    thing: str = ""
    """Colour of the marker that it is about."""
    amount: float = 0.0
    """Degrees to the left, or metres forward or to the left."""
    either: bool = False
    """The sign of the amount is free."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """An instruction, read for places."""

    parts: tuple[Act | str, ...]
    """Acts, and stretches of clauses that are something else, in order."""
    banned: tuple[Act, ...]
    unread: str = ""
    """A clause that steers in a way that is not known; empty: none."""

    @property
    def acts(self) -> tuple[Act, ...]:
        """What is asked for by these forms."""
        return tuple(p for p in self.parts if isinstance(p, Act))


def read_places(instruction: str) -> Places:
    """Read an instruction."""
    text = " ".join(words(instruction))
    parts: list[Act | str] = []
    banned: list[Act] = []
    unread, last, verb = "", "", ""
    for raw in _clauses(text):
        clause = _bare(raw)
        ended = bool(parts) and isinstance(parts[-1], Act)
        if not clause or (ended and _patterns()["halts"][0].fullmatch(clause)):
            continue  # "go to the green one and stop there"
        forbids = _patterns()["forbids"][0].match(clause)
        found = _act(clause, last, verb) if forbids is None else None
        if forbids is not None:
            left = _bare(clause[forbids.end() :])
            no = _banned(left, last)
            if no is None:
                unread = unread or clause
            else:
                banned.append(no)
                last = no.thing or last
        elif found is not None:
            parts.append(found)
            last, verb = found.thing or last, found.kind
        elif parts and isinstance(parts[-1], str):
            parts[-1] += f" , {raw}"
        else:
            parts.append(raw)
        if found is None and forbids is None and _patterns()["steers"][0].search(f" {clause} "):
            unread = unread or clause
    return Places(parts=tuple(parts), banned=tuple(banned), unread=unread)


def _clauses(text: str) -> list[str]:
    """Cut at marks and at what joins, but not within a number: "one and a half"."""
    whole = re.sub(r"\b(one|two|hundred) and (a half|eighty)\b", r"\1 & \2", text)
    # "without ..." begins a clause of its own.
    whole = re.sub(r" (without|but (?:do not|never|not)|while avoiding)\b", r" , \1", whole)
    whole = whole.replace(", but ", ", ").replace("while avoiding", "avoiding")
    return [part.replace("&", "and") for part in _CUT.split(whole) if part.strip()]


def _bare(clause: str) -> str:
    """A clause without what only leads in or trails."""
    filler = _patterns()["filler"][0]
    before = None
    while before != clause:
        before = clause
        clause = clause.strip(" \"'-")
        lead = filler.match(clause)
        clause = clause[lead.end() :] if lead and lead.end() else clause
        clause = re.sub(rf"(?:^| ){filler.pattern}$", "", clause).strip()
    return clause


def _act(clause: str, last: str, verb: str) -> Act | None:
    for kind, patterns in _patterns().items():
        if kind.startswith("ban:") or kind in _TOOLS:
            continue
        for pattern in patterns:
            if match := pattern.fullmatch(clause):
                return _made(kind, match, last)
    alone = _patterns()["thing"][0].fullmatch(clause)
    if alone and verb in ("go_to", "go_around"):
        return _made(verb, alone, last)  # "to the red marker and the blue one"
    return None


def _banned(clause: str, last: str) -> Act | None:
    for kind, patterns in _patterns().items():
        if kind in _TOOLS:
            continue
        for pattern in patterns:
            if match := pattern.fullmatch(clause):
                return _made(kind.removeprefix("ban:"), match, last)
    return None


def _made(kind: str, match: re.Match[str], last: str) -> Act | None:
    said = match.groupdict()
    text = match.group()
    thing = next((v for k, v in said.items() if k.startswith("thing") and v), "")
    if kind in ("go_to", "go_around", "turn_to") and not thing:
        if not last:
            return None
        thing = last
    number = _number(said.get("number"))
    if kind.startswith("turn_") and kind not in ("turn_to", "turn_any"):
        angle = {"turn_about": _HALF, "turn_whole": _WHOLE}.get(kind, _RIGHT_ANGLE)
        angle = number if number is not None else angle
        either = kind in ("turn_about", "turn_whole")
        sign = -1.0 if kind == "turn_right" else 1.0
        return Act(kind="turn", text=text, amount=sign * angle, either=either)
    if kind.startswith("walk_") and said.get("unit"):
        metres = (number or 0.0) * (0.01 if said["unit"].startswith("c") else 1.0)
        sign = -1.0 if kind in ("walk_backward", "walk_right") else 1.0
        aside = kind in ("walk_left", "walk_right")
        return Act(kind="walk_left" if aside else "walk_forward", text=text, amount=sign * metres)
    return Act(kind=kind, text=text, thing=thing)


def _number(word: str | None) -> float | None:
    if word is None:
        return None
    value = _NUMBERS.get(word)
    if value is not None:
        return float(value)
    found = float(word.replace(" ", ""))
    return found if math.isfinite(found) else None


@lru_cache(maxsize=1)
def _patterns() -> dict[str, tuple[re.Pattern[str], ...]]:
    """The forms by kind, those that are only forbidden after ``ban:``."""
    text = files("fmrl_robot.plancheck.intent").joinpath("quadruped_places.yaml").read_text("utf-8")
    entries = cast("dict[str, Any]", yaml.safe_load(text))
    parts = cast("dict[str, str]", entries.pop("parts"))
    banned = cast("dict[str, list[str]]", entries.pop("banned"))

    def compiled(phrase: str) -> re.Pattern[str]:
        while (filled := re.sub(r"\{([a-z]+)\}", lambda m: parts[m[1]], phrase)) != phrase:
            phrase = filled
        return re.compile(_renamed(phrase))

    found: dict[str, tuple[re.Pattern[str], ...]] = {
        "forbids": (re.compile(rf"{entries.pop('forbids')}(?= |$)"),),
        "steers": (re.compile(rf"(?<= ){entries.pop('steers')}(?= )"),),
        "filler": (re.compile(rf"{parts['filler']}(?= |$) ?"),),
        "thing": (compiled("{thing}"),),
        "halts": (re.compile(entries.pop("halts")),),
    }
    for kind, phrases in entries.items():
        found[kind] = tuple(compiled(p) for p in phrases)
    for kind, phrases in banned.items():
        found[f"ban:{kind}"] = tuple(compiled(p) for p in phrases)
    return found


def _renamed(phrase: str) -> str:
    """Give every further group of a name another one, for a pattern may use a part twice."""
    seen: dict[str, int] = {}

    def other(match: re.Match[str]) -> str:
        name = match[1]
        seen[name] = seen.get(name, 0) + 1
        return f"(?P<{name}{seen[name] if seen[name] > 1 else ''}>"

    return re.sub(r"\(\?P<([a-z]+)>", other, phrase)
