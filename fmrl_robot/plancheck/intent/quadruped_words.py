"""What the words of an instruction mention: gaits, ways, speeds, legs, durations, negations.

The words stand in quadruped.yaml (acts), quadruped_turns.yaml (how clauses hang together),
quadruped_told.yaml (sentences that ask for nothing) and quadruped_unable.yaml (what it cannot, what
is no order, slips). An entry there is a regular
expression over words that are parted by single spaces; its brackets only group, and ``{leg}``
stands for the entry ``leg`` of ``parts``. Of mentions that overlap the longest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import yaml

from fmrl_robot.plancheck.intent.words import mend, words

KINDS = (
    "no_word", "withdraw", "reason", "idiom", "after_ban", "ban", "except", "then", "before",
    "after", "fresh", "gait", "way", "anywhere", "tempo", "double", "speed", "legs", "air",
    "cannot", "some_leg", "lift", "rest", "go",
)  # fmt: skip
"""Kinds of mention; of two that are equally long the earlier counts."""
_PART = re.compile(r"\{([a-z_]+)\}")
_MIN_FAR, _ALIKE = 6, 0.8
"""Long words that say a way are mended though more than one letter is wrong."""
_LASTS = re.compile(r"\b(for|lasting|takes?|during|stand|wait|trot|pace|bound|of|with) $")
PER_SECOND = {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.447, "cm/s": 0.01}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A place in the instruction that says something."""

    kind: str
    """One of KINDS, or seconds, vx."""
    value: str
    """Which of that kind, such as trot; a number in words for seconds and vx."""
    start: int
    end: int
    text: str


def plain(instruction: str) -> str:
    """Return the instruction as lower-case words with single spaces, slips mended."""
    text = re.sub(r"\b[Bb]4\b", "before", instruction)
    text = re.sub(r"(?<!\d)\.(?=\d)", " 0.", text)
    text = re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", " ", text)
    text = re.sub(r"(?<![\w-])[-\u2212](?=\d)", " minus ", text)
    lexicon = read_lexicon()
    known, others = frozenset(lexicon["mended"]), frozenset(lexicon["own_words"])
    ways = cast("Sequence[str]", lexicon["far_mended"])

    def mended(word: str) -> str:
        once = re.sub(r"(.)\1", r"\1", word)
        near = once if once in known and word not in known else mend(word, known, others)
        if near != word or len(word) < _MIN_FAR or word in others or word in known:
            return near
        return next(iter(get_close_matches(word, ways, 1, _ALIKE)), word)

    text = " ".join(mended(w) for w in words(text))
    for said, meant in lexicon["rewritten"]:
        text = re.sub(rf"(?<![\w']){said}", meant, text)
    return text


def mentions(text: str) -> tuple[Mention, ...]:
    """Return what plain words mention, in their order and without overlaps."""
    found = sorted(_candidates(text), key=lambda m: (m.start - m.end, _rank(m.kind)))
    taken: list[Mention] = []
    for one in found:
        if all(one.end <= m.start or m.end <= one.start for m in taken):
            taken.append(one)
    return tuple(sorted(taken, key=lambda m: m.start))


def says(entry: str, text: str) -> bool:
    """Whether ``text`` contains a word or phrase of an entry of quadruped*.yaml."""
    return any(pattern.search(text) for pattern in _patterns()[entry, ""])


def begins(entry: str, text: str) -> bool:
    """Whether ``text`` begins with a word or phrase of an entry of quadruped*.yaml."""
    return any(pattern.match(text) for pattern in _patterns()[entry, ""])


def first_of(entry: str, text: str) -> str:
    """Return the first of an entry in ``text``; empty where there is none."""
    return next((m.group() for p in _patterns()[entry, ""] if (m := p.search(text))), "")


def leading(entry: str, text: str) -> str:
    """Return what of an entry ``text`` begins with; empty where it does not."""
    return next((m.group() for p in _patterns()[entry, ""] if (m := p.match(text))), "")


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else -1


def _candidates(text: str) -> Iterator[Mention]:
    for (kind, value), patterns in _patterns().items():
        if kind in KINDS:
            for pattern in patterns:
                for m in pattern.finditer(text):
                    yield Mention(
                        kind=kind, value=value, start=m.start(), end=m.end(), text=m.group()
                    )
    yield from _quantities(text)


def _quantities(text: str) -> Iterator[Mention]:
    """Durations in seconds and velocities in m/s."""
    number = _number_pattern()
    time = (
        rf"(?P<n>{number})(?P<h> and (?:a )?half)? (?P<u>seconds?|s|ticks|minutes?|m)"
        r"(?P<k> and a half)?(?! /)"
    )
    half = r"(?P<n>half|(?:three )?quarters?)(?: of)? a (?P<u>second|minutes?)(?P<h>)(?P<k>)"
    bare = (
        rf"(?<=\bfor )(?P<n>{number})(?P<h> and (?:a )?half)?(?P<u>)(?P<k>)"
        r"(?= [,.!?;]| and(?! a )| then|$)"
    )
    for pattern in (time, half, bare):
        for m in re.finditer(rf"(?<!\w){pattern}(?!\w)", text):
            if text[: m.start()].endswith((" and ", " and a ")) and m["n"] == "half":
                continue  # "fivve and a half seconds": how many was not understood.
            if m.group() in ("a second", "an second") and not _LASTS.search(text[: m.start()]):
                continue  # "a second trot" is another one.
            value = number_of(m["n"].replace("three quarters", "0.75").replace("quarter", "0.25"))
            value = (value + 0.5 * bool(m["h"] or m["k"])) * (60 if m["u"].startswith("m") else 1)
            yield Mention(
                kind="seconds", value=f"{value:g}", start=m.start(), end=m.end(), text=m.group()
            )
    sign = r"(?P<sign>(?:minus|-|\+|plus) )?"
    unit = (
        r"(?P<u>m / s|mps|(?:m|met(?:re|er)s?) (?:per|a|/) (?:seconds?|s)|km / h|kph|"
        r"kilomet(?:re|er)s (?:per|an) hour|cm / s|centimet(?:re|er)s (?:per|a) second|"
        r"mph|miles? (?:per|an) hour)"
    )
    named = (
        r"(?:vx|velocity|speed)(?: of| is| to| set to| set at|)?(?: =| :|) "
        rf"{sign}(?!an? )(?P<n>{number})(?P<u>)(?! \w*second| half)"
    )
    for pattern in (rf"{sign}(?P<n>half an?|{number}) {unit}", named):
        for m in re.finditer(rf"(?<!\w){pattern}(?!\w)", text):
            if text[: m.start()].endswith((" and ", " and a ")) and m["n"].startswith("half"):
                continue
            minus = (m["sign"] or "").strip() in ("minus", "-")
            value = 0.5 if m["n"].startswith("half") else number_of(m["n"])
            value *= _scale(m["u"]) * (-1 if minus else 1)
            yield Mention(
                kind="vx", value=f"{value:.3g}", start=m.start(), end=m.end(), text=m.group()
            )


def _scale(unit: str) -> float:
    if unit.startswith(("km", "kph", "kilo")):
        return PER_SECOND["km/h"]
    if unit.startswith(("cm", "centi")):
        return PER_SECOND["cm/s"]
    return PER_SECOND["mph" if unit.startswith(("mph", "mile")) else "m/s"]


def number_of(text: str) -> float:
    """Return what a number in words or digits is: "twenty five", "0.5", "two point five"."""
    numbers = cast("Mapping[str, float]", read_lexicon()["number"])
    whole, _, tenths = text.partition(" point ")
    if tenths:
        return numbers[whole] + 0.1 * numbers[tenths]
    return sum(numbers[w] if w in numbers else float(w) for w in text.split())


@lru_cache(maxsize=1)
def _number_pattern() -> str:
    names = "|".join(read_lexicon()["number"])
    tens = "twenty|thirty|forty|fifty"
    ones = "one|two|three|four|five|six|seven|eight|nine"
    return rf"(?:{ones}|zero) point (?:{ones})|\d+(?:\.\d+)?|(?:{tens}) (?:{ones})|{names}"


@lru_cache(maxsize=1)
def read_lexicon() -> Mapping[str, Any]:
    """Return the entries of the quadruped's word lists."""
    found: dict[str, Any] = {}
    for name in ("quadruped", "quadruped_turns", "quadruped_unable", "quadruped_told"):
        file = files("fmrl_robot.plancheck.intent").joinpath(f"{name}.yaml")
        found |= yaml.safe_load(file.read_text("utf-8"))
    return found


@lru_cache(maxsize=1)
def _patterns() -> Mapping[tuple[str, str], tuple[re.Pattern[str], ...]]:
    """Compiled entries by kind and value; the value is empty where an entry has none."""
    found: dict[tuple[str, str], tuple[re.Pattern[str], ...]] = {}
    for kind, entry in read_lexicon().items():
        if kind in (
            "parts",
            "told_parts",
            "number",
            "mended",
            "far_mended",
            "like_backward",
            "own_words",
            "rewritten",
        ):
            continue
        values = cast("Mapping[str, Any]", entry if isinstance(entry, dict) else {"": entry})
        for value, phrases in values.items():
            rows = cast("Sequence[str]", [phrases] if isinstance(phrases, str) else phrases)
            found[kind, value] = tuple(_compile(p) for p in rows)
    return found


def _compile(phrase: str) -> re.Pattern[str]:
    lexicon = read_lexicon()
    parts = cast("Mapping[str, str]", lexicon["parts"] | lexicon["told_parts"])
    while (filled := _PART.sub(lambda m: parts[m.group(1)], phrase)) != phrase:
        phrase = filled
    grouped = re.sub(r"\((?!\?)", "(?:", phrase)
    return re.compile(rf"(?<![\w']){grouped}(?![\w'])")
