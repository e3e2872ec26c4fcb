"""The words that an arm's reader knows, and an instruction as such words.

Lists stand in arm.yaml, where whoever misses a word can add it without reading code. Slips are
mended here, and words that were typed without a space parted, so that no rule has to care.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from fmrl_robot.plancheck.intent.words import mend, words
from fmrl_robot.skills import further_skills

CONTAINERS = ("bowl", "bin", "drawer")
PLACES = (*CONTAINERS, "table")

WordClass = Literal[
    "at", "into", "from", "group", "others", "it", "fillers", "after_color", "before_commands",
    "joins", "turns", "opens", "mended", "plain",
]  # fmt: skip
"""Classes of little words; arm.yaml says of each what it is for."""

_NO_COMMA = re.compile(r"\b(never|no|not) , (?=ever|no|never|not)")
"""A refusal that is said twice is one: "never, ever touch red"."""
_NOUNS_TOO = frozenset(["stack", "pile", "end", "rest", "place"])
_ARTICLES = frozenset(["the", "a", "that", "this", "my", "your", "its", "same"])
"""Words after which some verbs are nouns: "leave the stack alone"."""
_GLUE = frozenset(["the", "want", "of"])
"""Words, beside verbs, to which a colour is glued by haste: "putblue", "theblue"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexicon:
    """arm.yaml, turned round for looking words up."""

    concepts: dict[str, tuple[str, str]]
    """What a noun or colour means: ``("categories", "bowl")``, ``("colors", "red")``."""
    verbs: dict[str, str]
    """What a verb wants done: open, close, press, release, put, move, touch."""
    classes: dict[WordClass, frozenset[str]]
    harmless: re.Pattern[str]
    """Phrases with a word of refusal that forbid nothing."""
    caution: re.Pattern[str]
    """Words by which people spare, limit or hedge, whatever else they say with them."""
    courtesies: frozenset[str]
    """Verbs that command nothing: "thank the team"."""
    unsupported: tuple[str, ...]
    """Patterns of what no skill of the arm does."""
    unsupported_acts: tuple[str, ...]
    """Verbs of what no skill of the arm does."""

    def kind(self, word: str) -> str:
        """``colors``, ``categories``, or nothing where a word names nothing."""
        return self.concepts.get(word, ("", ""))[0]

    def is_cube(self, word: str) -> bool:
        """Whether a word is a noun for cubes: block, one, thing."""
        return self.concepts.get(word) == ("categories", "cube")

    def is_plain(self, word: str) -> bool:
        """Whether a word says what, where or what to do, or nothing by itself."""
        return (
            word in self.concepts
            or word in self.verbs
            or any(word in some for some in self.classes.values())
        )

    def names_thing(self, part: Sequence[str]) -> bool:
        """Whether some word names a thing, or the colour of one."""
        return any(word in self.concepts for word in part)

    def acts(self, part: Sequence[str]) -> set[str]:
        """What the verbs among some words want done."""
        return {
            self.verbs[word]
            for i, word in enumerate(part)
            if word in self.verbs and not (word in _NOUNS_TOO and i and part[i - 1] in _ARTICLES)
        }


def lexicon() -> Lexicon:
    """Return arm.yaml, and what skills of other packages are called, as people call them by it."""
    own = _own_lexicon()
    further = {word: "move" for name in further_skills() for word in name.split("_")}
    return replace(own, verbs=own.verbs | further) if further else own


@lru_cache(maxsize=1)
def _own_lexicon() -> Lexicon:
    lists: dict[str, Any] = yaml.safe_load(_text("arm.yaml"))
    return Lexicon(
        concepts={
            word: (group, name)
            for group in ("categories", "colors")
            for name, some in lists[group].items()
            for word in some
        },
        verbs={word: verb for verb, some in lists["verbs"].items() for word in some},
        classes={name: frozenset(some) for name, some in lists["classes"].items()},
        harmless=_any_of(lists["harmless"]),
        caution=_any_of(lists["caution"]),
        courtesies=frozenset(lists["courtesies"]),
        unsupported=tuple(lists["unsupported"]),
        unsupported_acts=tuple(lists["unsupported_acts"]),
    )


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """One pattern for phrases that stand as words of their own."""
    return re.compile("|".join(rf"(?:\b(?:{phrase})(?!\w))" for phrase in phrases))


@lru_cache(maxsize=1)
def _look_alikes() -> frozenset[str]:
    """English words that are one slip away from a word that matters, and are no slip."""
    return frozenset(_text("look_alikes.txt").split())


def _text(name: str) -> str:
    return files("fmrl_robot.plancheck.intent").joinpath(name).read_text("utf-8")


def mended_words(text: str, known: Lexicon) -> list[str]:
    """Split an instruction into words, slips of those that matter mended.

    >>> mended_words("putblue in the bolw", lexicon())
    ['put', 'blue', 'in', 'the', 'bowl']
    """
    classes = known.classes
    matter = frozenset(known.concepts) | frozenset(known.verbs)
    matter |= classes["mended"] | classes["group"] | classes["others"]
    plain = _NO_COMMA.sub(r"\1 ", " ".join(words(text)))
    others = _look_alikes()
    return [
        part for word in plain.split(" ") for part in _parted(mend(word, matter, others), known)
    ]


def _parted(word: str, known: Lexicon) -> list[str]:
    """Part what was typed without a space: "putblue", "yellowcube"."""
    if word in known.concepts or word in known.verbs:
        return [word]
    for i in range(2, len(word) - 2):
        front, back = word[:i], word[i:]
        if known.kind(front) == "colors" and known.is_cube(back):
            return [front, back]
        if known.kind(back) == "colors" and (front in known.verbs or front in _GLUE):
            return [front, back]
    return [word]
