"""Clauses of an instruction and the stance of each: wanted, forbidden, excepted, kept, taken back.

The division is coarse on purpose. A clause ends at a mark and before a word that joins or turns;
what it forbids reaches to its ends and no further. A negation that asks for something ("don't
forget to", "leave nothing on") or only orders two steps ("don't a until b") is read as such first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


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


_ENDS = frozenset(".!?\n")
_MARKS = frozenset(",;:()[]{}\"-–—/") | _ENDS
_JOINS = frozenset(
    ["then", "but", "before", "after", "until", "unless", "while", "because", "since", "though", "although", "once", "when", "if", "except", "excepting", "without", "instead", "barring", "besides", "minus", "excluding", "whereas", "so", "yet", "or", "otherwise"]
)
"""Words before which a clause ends."""

_TURNS = frozenset(["instead", "rather", "without", "besides", "except", "apart"])
"""A clause that begins with one of these ends before the next verb, once it has named a thing."""

_NEGATION = r"(?:not|never|no|non|nothing|nowhere|none|neither|nor|without|nobody)"
FORBIDS = re.compile(
    rf"\b{_NEGATION}\b|\b(?:refrain|avoid\w*|forbid\w*|forbade|prohibit\w*|banned|taboo|off limits|off the menu|out of bounds|verboten|"
    r"hands off|paws off|claws off|fingers off|abstain|desist|resist|stop short|instead of|rather than|in place of|"
    r"off (?:the )?list|no go|nope|don)\b"
)
KEEPS = re.compile(
    r"\b(?:leave|leaves|leaving|left alone|let(?! go)(?=.*\b(?:be|stay|rest|lie|sit|sleep|remain|alone)\b(?! (?:put|placed|moved|in|on|\w+ed)\b))|"
    r"keep|keeps|keeping|kept|stay|stays|staying|remain|remains|untouched|undisturbed|spare|spared|ignore|"
    r"ignoring|(?<!the )(?<!a )skip|skips|skipping|omit|omitting|disregard|disregarding|forget|pass over|bypass|steer clear|well alone|"
    r"be left)\b"
)
EXCEPTS = re.compile(
    r"\b(?:except|excepting|excepted|exception|exceptions|excluded|excluding|exempt|barring|bar|minus|sans|save for|save|apart from|aside from|"
    r"other than|besides|not included|not invited|with the exception)\b"
)
_HOLDS = re.compile(r"\b(?:hold|holding|held|hand|gripper|grip|fingers|claw|lifted|raised|aloft|grasp)\b")
_SLIP = re.compile(
    r"\b(?:no ,? ?wait|wait ,? ?no|scratch that|strike that|i mean(?! it)|i meant|correction|make that|on second thoughts?|second thoughts|"
    r"hang on|oops|reverse that|swap (?:those|these|the) two$|forget (?:that|all|what)|never mind(?: that)?|cancel that|oh no|or no|or rather|hm+ ,? ?no|er ,? ?no|did i say|"
    r"er(?= ,)|uh(?= ,)|nah|nope|excuse me|or was it|who am i kidding|erratum|oh ,? ?wrong|wrong(?= ,)|cancel|wait(?= ,)|(?:i )?changed my mind|wrong (?:colou?r|one|cube|block)|rephrase(?: that)?|edit|apologi[sz]e|have i thought|sorry(?! to\b)(?! for\b)|actually|no ,? sorry)\b|(?<=[,.;:-] )no(?= ,)|^no(?= ,|$| first\b)"
)
ORDERS = re.compile(
    r"\b(?:do not|not|never|no)\b(?P<first>[^.!?]*?)\b(?:until|unless|before|without (?:first|having))\b"
    r"(?!\s+(?:i|we|someone|told|further|asked)\b)"
)
"""A negation that only orders two steps; what comes later is wanted all the same."""


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


def divide(words: Sequence[str], verbs: frozenset[str], things: frozenset[str]) -> list[list[str]]:
    """Divide a sentence into clauses.

    Args:
        words: of one sentence.
        verbs: before which ``and`` ends a clause.
        things: words that name things; a ``not`` after one of them ends the clause before it.
    """
    parts: list[list[str]] = [[]]

    def cut() -> None:
        if parts[-1]:
            parts.append([])

    for i, word in enumerate(words):
        following = words[i + 1 : i + 4]
        if word in _MARKS:
            cut()
        elif word in _JOINS or (word == "rather" and following[:1] == ["than"]) or (word in ("and", "n") and _opens(following, verbs)) or (word in ("apart", "aside", "other", "bar", "save", "only", "not", "never", "no") and _turns(word, parts[-1], following, things)) or (parts[-1] and parts[-1][0] in _TURNS and word in verbs and words[i - 1] not in ("of", "than", "to", "and") and things & set(parts[-1])) or (word == "in" and following[:2] == ["place", "of"]):
            cut()
            parts[-1].append(word)
        else:
            parts[-1].append(word)
    return [p for p in parts if p]


def _opens(following: Sequence[str], verbs: frozenset[str]) -> bool:
    """Whether what follows ``and`` is a clause of its own."""
    starts = verbs | frozenset(
        ["then", "do", "not", "never", "no", "nothing", "leave", "keep", "let", "stop", "avoid", "you", "i", "it", "they", "that", "this", "please", "after", "before", "finally", "when", "only", "also", "refrain", "ignore", "skip", "spare", "hands", "stay", "there", "resist"]
    )
    return bool(following) and following[0] in starts


def _turns(word: str, before: Sequence[str], following: Sequence[str], things: frozenset[str]) -> bool:
    if not before or before[-1] in ("is", "are", "was", "were", "be"):
        return False
    if word in ("apart", "aside"):
        return following[:1] == ["from"]
    if word == "other":
        return following[:1] == ["than"]
    if word == "save":
        return following[:1] in (["for"], ["the"]) or bool(things & set(following[:2]))
    if word == "bar":
        return following[:1] in (["the"], ["for"], ["that"]) or bool(things & set(following[:2]))
    if word == "only":
        return False
    # "the blue cube, not the red one": set against a thing just named.
    return word in ("not", "never", "no") and bool(things & set(before)) and following[:1] != ["touching"] and (
        following[:1] in (["the"], ["a"], ["any"], ["on"], ["in"], ["into"]) or bool(things & set(following[:1]))
    )


NOTHING_BUT = re.compile(
    r"\b(?:none|nothing|nobody|no (?:other )?(?:cubes?|blocks?|things?|one)|not (?:one|a single) (?:cube|block)) (?:but|except|save|other than|apart from)(?: for)?\b|"
    r"\b(?:do not|never|not to) (?P<act>\w+) any(?:thing|body| cubes?| blocks?| of them)? (?:but|except|save|other than|apart from)(?: for)?\b"
)
"""What says *only* in another way."""

ANYWHERE_BUT = re.compile(r"\b(?:do|does|should|must|may|can) not (?P<what>(?:want |put |go |be |lie |belong )?.*?)\banywhere(?: else)? (?:but|except|other than)(?: for)?\b")
"""A prohibition of every place but one asks for that one."""
COMPLAINS = re.compile(r"\b(?:is|are) not (?:yet |even |already |currently |presently )?(?:in|on|inside|there|where|right|here|at|located|lying)\b|\b(?:cubes?|blocks?|ones?|things?|pieces?|everything|whatever|what) not (?:yet |already |presently |currently )?(?:in|on|there|at|located|lying|inside)\b")
"""A negation that says where something is not, and forbids nothing."""
