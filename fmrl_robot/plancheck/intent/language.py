"""Whether an instruction is in a language at all, and in one that the model was taught."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from fmrl_robot.plancheck.intent.words import one_slip_apart, words

if TYPE_CHECKING:
    from fmrl_robot.fm.taught import Taught

_KNOWN_SHARE, _KNOWN_SHARE_OF_LONG = 0.7, 0.8
"""Of an instruction's words that the model was taught, at least; the second where _MANY are not.

A stranger's instruction in English has .86 of them and more, slips of the keyboard counted as the
words that they are slips of, one in any other language at most .75."""
_MANY = 3
_FEW = 2
_LONG, _ALIKE = 6, 0.82
"""A longer word may hold two slips, and is then still that much like the word it is meant for."""
_CODE = re.compile(
    r"[{}\\|]|://|\w\([\w, ]*\)|^\s*\[\w+\]|\d{4}-\d\d-\d\d|[/~]\w+/"
    r"|^\s*(?:def|class|import|sudo|select|for \w+ in|print)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""What no sentence has in it: braces, ``://``, a call, ``[section]``, a date of a log, a path."""
_MIN_MENDED = 4
"""A shorter word is too like others to be a slip of one."""


def is_code(text: str) -> bool:
    """Whether a text is data, a program, a command line or an address, and no sentence."""
    return bool(_CODE.search(text))


def unread(text: str, taught: Taught) -> str:
    """Say what of an instruction a model was not taught; empty where that is little.

    >>> from fmrl_robot.fm.taught import Taught
    >>> latin, words = frozenset({"LATIN"}), frozenset({"go"})
    >>> english = Taught(languages=("English",), scripts=latin, words=words)
    >>> unread("иди", english), unread("go", english)
    ('the CYRILLIC letter и', '')
    """
    for letter in unicodedata.normalize("NFKC", text):
        script = unicodedata.name(letter, "?").partition(" ")[0] if letter.isalpha() else ""
        if script and script not in taught.scripts:
            return f"the {script} letter {letter}"
    said = [w for w in words(text) if w[0].isalpha()]
    if not said:
        return "a text without a word"
    unknown = [w for w in said if not _knows(w, taught)]
    share = 1 - len(unknown) / len(said)
    if len(unknown) == 1 and len(said) > _FEW:
        return ""  # "openthe drawer please"
    if share >= (_KNOWN_SHARE_OF_LONG if len(unknown) >= _MANY else _KNOWN_SHARE):
        return ""
    shown = ", ".join(dict.fromkeys(unknown))
    return f"{len(unknown)} of {len(said)} words that it was not taught ({shown[:80]})"


@lru_cache(maxsize=10_000)
def _knows(word: str, taught: Taught) -> bool:
    """Whether a word was taught, or is a slip of one that was."""
    if word in taught.words:
        return True
    if len(word) < _MIN_MENDED:
        return len(word) == _MIN_MENDED - 1 and not _swaps(word).isdisjoint(taught.words)
    lengths = range(max(len(word) - 1, _MIN_MENDED), len(word) + 2)
    if any(one_slip_apart(word, w) for n in lengths for w in _by_length(taught)[n]):
        return True
    near = [w for n in lengths for w in _by_length(taught)[n]] if len(word) >= _LONG else []
    return bool(get_close_matches(word, near, n=1, cutoff=_ALIKE))


def _swaps(word: str) -> set[str]:
    """A word with two neighbouring letters in each other's place: "rde" is "red"."""
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


@lru_cache(maxsize=4)
def _by_length(taught: Taught) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for word in taught.words:
        found[len(word)].append(word)
    return found
