"""Clauses of an instruction and the stance of each: wanted, forbidden, excepted, kept, taken back.

The division is coarse on purpose. A clause ends at a mark and before a word that joins or turns;
what it forbids reaches to its ends and no further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from fmrl_robot.plancheck.intent.arm_words import Lexicon

_ENDS = frozenset(".!?")
_MARKS = frozenset(',;:()[]{}"-–—/') | _ENDS  # noqa: RUF001 - people type this dash too

_DENIALS = frozenset(["nowhere", "not", "never", "stays", "remains"])
_STATED = frozenset(["staying", "sitting", "kept", "remaining", "left", "untouched", "not"])
"""What follows "with" where it says how something is to stay: "with the drawer kept shut"."""


class Stance(Enum):
    """What a clause wants of the things that it names."""

    WANTED = auto()
    FORBIDDEN = auto()
    EXCEPTED = auto()
    """The things are taken out of what the clause before it, or after it, says."""
    KEPT = auto()
    """The things stay as they are, or where the clause says that they stay."""
    ONLY = auto()
    """Wanted, and nothing else of its kind is."""
    WITHDRAWN = auto()
    """Taken back by what follows: neither wanted nor forbidden."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """Some words in a row and what they want."""

    words: tuple[str, ...]
    stance: Stance
    sentence: int
    """Number of the sentence it stands in."""
    tells: bool = False
    """Whether its sentence only tells or asks about something, and wants nothing done."""

    @property
    def text(self) -> str:
        """The words in a row."""
        return " ".join(self.words)

    @property
    def asks(self) -> bool:
        """Whether its stance is that of a wish."""
        return self.stance in (Stance.WANTED, Stance.ONLY)

    @property
    def refuses(self) -> bool:
        """Whether its stance is that of a refusal."""
        return self.stance in (Stance.FORBIDDEN, Stance.KEPT, Stance.EXCEPTED)


def sentences(words: Sequence[str]) -> list[tuple[list[str], str]]:
    """Divide at full stops, question and exclamation marks; each with the mark that ends it."""
    found: list[tuple[list[str], str]] = [([], "")]
    for word in words:
        if word in _ENDS:
            found[-1] = (found[-1][0], word)
            found.append(([], ""))
        else:
            found[-1][0].append(word)
    return [s for s in found if s[0]]


def divide(words: Sequence[str], known: Lexicon) -> list[list[str]]:
    """Divide the words of one sentence into clauses."""
    parts: list[list[str]] = [[]]
    for i, word in enumerate(words):
        if word in _MARKS:
            parts.append([])
            continue
        if _begins_clause(words, i, parts[-1], known):
            parts.append([])
        parts[-1].append(word)
    return [p for p in parts if p]


def _begins_clause(words: Sequence[str], i: int, before: Sequence[str], known: Lexicon) -> bool:
    """Whether word ``i`` begins a clause; ``before`` is what the present one has so far."""
    word, following = words[i], list(words[i + 1 : i + 4])
    if word == "or" and known.names_thing(words[i - 1 : i]) and known.names_thing(following[:2]):
        return False  # "neither red or blue": two things of one clause
    return (
        word in known.classes["joins"]
        or (word == "rather" and following[:1] == ["than"])
        or (word == "in" and following[:2] == ["place", "of"])
        or (word in ("and", "+") and _opens(following, known))
        or (word == "with" and not _STATED.isdisjoint(words[i + 1 : i + 6]))
        or _turns(word, before, following, known)
        or _ends_turn(word, before, known)
        or _ends_refusal(word, before, known)
    )


def _opens(following: Sequence[str], known: Lexicon) -> bool:
    """Whether what follows ``and`` is a clause of its own: "and do not touch the blue one"."""
    if not following:
        return False
    if known.names_thing(following[:3]) and not _DENIALS.isdisjoint(following):
        return True  # "red in the bowl and green nowhere near it"
    bins = following[0] == "bin" and len(following) > 1
    if following[0].endswith("ly") and len(following) > 1 and following[1] in known.verbs:
        return True
    return bins or following[0] in known.verbs or following[0] in known.classes["opens"]


def _turns(word: str, before: Sequence[str], following: list[str], known: Lexicon) -> bool:
    """Whether a word turns against what was named before it, and is not part of a statement."""
    if not before or before[-1] in ("is", "are", "was", "were", "be"):
        return False
    match word:
        case "apart" | "aside":
            return following[:1] == ["from"]
        case "other":
            return following[:1] == ["than"]
        case "save":
            return following[:1] in (["for"], ["the"]) or known.names_thing(following[:2])
        case "bar":
            ahead = (["the"], ["for"], ["that"])
            return following[:1] in ahead or known.names_thing(following[:2])
        case "not" | "never" | "no":
            # "the blue cube, not the red one": set against a thing just named.
            ahead = (["the"], ["a"], ["any"], ["on"], ["in"], ["into"])
            named = following[:1] in ahead or known.names_thing(following[:1])
            return named and known.names_thing(before)
        case _:
            return False


def _ends_turn(word: str, before: Sequence[str], known: Lexicon) -> bool:
    """Whether a turn has named its thing and a verb goes on: "instead of red | put blue there"."""
    return (
        bool(before)
        and before[0] in known.classes["turns"]
        and before[-1] not in ("of", "than", "to", "and", "being", "be", "been")
        and (word in known.verbs or word in ("nothing", "none"))
        and known.names_thing(before)
    )


def _ends_refusal(word: str, before: Sequence[str], known: Lexicon) -> bool:
    """Whether a refusal is complete and a command follows it: "do not bin red | put it there"."""
    return (
        word in known.verbs
        and not word.endswith(("ing", "ed"))
        and known.kind(word) == ""
        and "not" in before
        and before[-1] in known.concepts
        and (bool(known.acts(before)) or "bin" in before)
        and known.names_thing(before)
    )
