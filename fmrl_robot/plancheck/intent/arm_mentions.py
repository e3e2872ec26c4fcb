"""What the clauses of an arm's instruction name: cubes, places, all of them, or "it"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fmrl_robot.plancheck.intent.arm_words import PLACES, Lexicon

Role = Literal["object", "at", "from"]
"""What is acted on, where something goes or lies, or where it leaves."""

_FAR = 99
"""Words since the last thing was named, where none was."""
_NOUNS_TOO = frozenset(["set", "rest", "place"])
"""Verbs that are nouns as often, and so do not say that what follows is acted on."""
_BIN_FOLLOWS = frozenset(["and", "to", "please", "then", "you", "just", "should", "must", "not"])
"""Words after which ``bin`` may be what to do."""
_POINTS = frozenset(["that", "this", "these", "those", "his", "her"])
"""Words that mean what was named before only where no noun follows."""
_NO_CUBE = re.compile(r"(?:a |one |any )?(?:single |other )?(?:cube|block|brick|piece)\b")
"""What makes ``no`` or ``not`` one for all cubes: "not a single cube"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A thing that a clause names."""

    name: str
    """Of the scene's object; ``table``; ``*`` for any cube; ``it`` for what was named before."""
    role: Role
    sure: bool = True
    """False where a colour may be that of something else."""

    @property
    def is_cube(self) -> bool:
        """Whether it is a cube by its colour."""
        return self.name.endswith("_cube")


def mentions(part: Sequence[str], known: Lexicon) -> Iterator[Mention]:
    """Name the things of a clause in turn.

    A preposition gives what follows its role, a verb makes it what is acted on, and what is
    enumerated after a thing has the role of that thing: "off the red and the blue cube".
    """
    classes = known.classes
    role: Role = "object"
    last: Role | None = None
    gap = _FAR
    for i, word in enumerate(part):
        gap += word not in classes["fillers"]
        role = _turned(word, role, known)
        group, name = known.concepts.get(word, ("", ""))
        if word == "bin" and _is_verb(part, i, known):
            yield Mention(name="bin", role="at")
        elif group == "colors":
            if _colors_place(part, i, known):
                continue
            enumerated = gap <= 1 and role == "object" and not _goes_somewhere(part, i, known)
            role = last if enumerated and last else role
            yield Mention(name=f"{name}_cube", role=role, sure=_is_of_cube(part, i, known))
            last, gap, role = role, 0, "object"
        elif group == "categories" and name != "cube":
            if "for" in part[max(0, i - 3) : i] and role == "object":
                role = "at"
            yield Mention(name=name, role=role)
            last, gap, role = role, 0, "object"
        elif word in classes["group"] or _is_no_cube(part, i):
            yield Mention(name="*", role=role)
        elif word in classes["it"] and (word not in _POINTS or i == len(part) - 1):
            yield Mention(name="it", role=role)
            role = "object"


def _turned(word: str, role: Role, known: Lexicon) -> Role:
    """The role of what follows a word."""
    classes = known.classes
    if word in classes["from"]:
        return "from"
    if word in classes["at"]:
        return "at"
    return "object" if word in known.verbs and word not in _NOUNS_TOO else role


def _is_verb(part: Sequence[str], i: int, known: Lexicon) -> bool:
    """Whether ``bin`` is what to do: "bin the red cube"."""
    if i + 1 == len(part) or (i and part[i - 1] not in _BIN_FOLLOWS):
        return False
    after, classes = part[i + 1], known.classes
    if after in ("and", "or", ","):
        return False
    return after in classes["fillers"] | classes["it"] | classes["group"] or after in known.concepts


def _goes_somewhere(part: Sequence[str], i: int, known: Lexicon) -> bool:
    """Whether a place follows a colour, as in "red in the bowl and yellow in the bin"."""
    after = [word for word in part[i + 1 : i + 3] if not known.is_cube(word)]
    return bool(after) and after[0] in known.classes["at"]


def _colors_place(part: Sequence[str], i: int, known: Lexicon) -> bool:
    """Whether a colour is that of a place or the button: "the blue bowl"."""
    _, what = known.concepts.get(part[i + 1], ("", "")) if i + 1 < len(part) else ("", "")
    return what in (*PLACES, "button")


def _is_of_cube(part: Sequence[str], i: int, known: Lexicon) -> bool:
    """Whether a colour stands for a cube: by itself, or before a noun for cubes."""
    after = part[i + 1 : i + 4]
    if not after or after[0] in known.classes["after_color"]:
        return True
    return after[0] in known.verbs or after[0] in known.concepts or any(map(known.is_cube, after))


def _is_no_cube(part: Sequence[str], i: int) -> bool:
    """Whether word ``i`` denies all cubes: "no other block"."""
    return part[i] in ("no", "not") and bool(_NO_CUBE.match(" ".join(part[i + 1 : i + 4])))
