"""Phrases from nested alternatives, and the noise of real typing.

A template such as ``(put|place) {x} (in|into) {p}(, please|)`` stands for all its readings; an
empty alternative makes a part optional. Corpus breadth lives in such templates, so the engine is
kept to one function and the language to what a reader understands at sight.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

Example = tuple[str, tuple[str, ...]]
"""An instruction with the steps of its plan."""
Drawn = TypeVar("Drawn")
Kinds = Sequence[tuple[float, Callable[[random.Random], Drawn]]]
"""Makers, each with how often it is drawn."""

_MARKS = re.compile(r"([()|])")
_SPACES = re.compile(r"\s+")
_BEFORE_PUNCTUATION = re.compile(r"\s+([,.;:!?])")
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


class Alternatives(tuple["tuple[str | Alternatives, ...]", ...]):
    """Readings of which one is drawn; each is a row of texts and further alternatives."""

    __slots__ = ()

    def draw(self, rng: random.Random) -> str:
        """Pick one reading."""
        row = self[0] if len(self) == 1 else rng.choice(self)
        return "".join(part if isinstance(part, str) else part.draw(rng) for part in row)


def expand(template: str, rng: random.Random, slots: Mapping[str, str] | None = None) -> str:
    """Draw one reading of ``template`` and fill its ``{slots}``."""
    text = _parsed(template).draw(rng)
    if slots:
        for name, value in slots.items():
            text = text.replace("{" + name + "}", value)
    return _BEFORE_PUNCTUATION.sub(r"\1", _SPACES.sub(" ", text)).strip()


def draw_weighted(kinds: Kinds[Drawn], rng: random.Random) -> Drawn:
    """Choose a maker by its weight, and let it draw."""
    weights, makers = zip(*kinds, strict=True)
    return rng.choices(makers, weights)[0](rng)


@lru_cache(maxsize=20_000)
def _parsed(template: str) -> Alternatives:
    """Read a template once.

    Raises:
        ValueError: its brackets are not balanced.
    """
    open_rows: list[list[list[str | Alternatives]]] = [[[]]]
    for part in _MARKS.split(template):
        if part == "(":
            open_rows.append([[]])
        elif part == "|":
            open_rows[-1].append([])
        elif part == ")" and len(open_rows) > 1:
            inner = Alternatives(tuple(row) for row in open_rows.pop())
            open_rows[-1][-1].append(inner)
        elif part == ")":
            raise ValueError(f"expected balanced brackets, got {template!r}")
        elif part:
            open_rows[-1][-1].append(part)
    if len(open_rows) > 1:
        raise ValueError(f"expected balanced brackets, got {template!r}")
    return Alternatives(tuple(row) for row in open_rows[0])


def misspell(text: str, rng: random.Random) -> str:
    """Make one typing error in a word of at least four letters."""
    spans = [m.span() for m in re.finditer(r"[A-Za-z]{4,}", text)]
    if not spans:
        return text
    start, end = rng.choice(spans)
    word = text[start:end]
    i = rng.randrange(1, len(word))
    kind = rng.random()
    if kind < 0.3:
        word = word[:i] + word[i + 1 :]
    elif kind < 0.55:
        word = word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :]
    elif kind < 0.8:
        word = word[:i] + word[i - 1] + word[i:]
    else:
        row = next((r for r in _KEYBOARD if word[i].lower() in r), "aeiou")
        j = max(0, min(len(row) - 1, row.find(word[i].lower()) + rng.choice((-1, 1))))
        word = word[:i] + row[j] + word[i + 1 :]
    return text[:start] + word + text[end:]


_SHORT = {
    "please": ("pls", "plz", "pls"),
    "you": ("u",),
    "your": ("ur",),
    "and": ("&", "n"),
    "the": ("da", "teh", "th"),  # codespell:ignore
    "to": ("2", "too"),
    "for": ("4",),
    "thanks": ("thx", "tnx"),
    "then": ("than", "den"),
    "with": ("w/", "wiht"),  # codespell:ignore
    "before": ("b4",),
    "okay": ("ok", "k"),
    "into": ("in2", "in to"),
    "seconds": ("secs", "sec", "s"),
    "forward": ("fwd", "foward", "forwards"),  # codespell:ignore
    "backward": ("bwd", "backwards", "bakward"),  # codespell:ignore
    "slowly": ("slow", "slowley"),
    "quickly": ("quick", "quik"),
}


def _in_short(text: str, rng: random.Random) -> str:
    """Write as on a phone: some words short or wrong, no punctuation."""
    words = text.replace(",", "").split()
    typed = [
        rng.choice(_SHORT[w.lower()]) if w.lower() in _SHORT and rng.random() < 0.6 else w
        for w in words
    ]
    return " ".join(typed)


def type_like_a_person(text: str, rng: random.Random) -> str:
    """Vary case, final punctuation, articles and spelling."""
    if rng.random() < 0.06:
        text = re.sub(r"\b(the|The|a) ", "", text)
    if rng.random() < 0.06:
        text = _in_short(text, rng)
    if rng.random() < 0.22:
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            text = misspell(text, rng)
    if rng.random() < 0.04:
        spaces = [m.start() for m in re.finditer(" ", text)]
        if spaces:
            gap = rng.choice(spaces)
            text = text[:gap] + text[gap + 1 :]
    case = rng.random()
    if case < 0.35:
        text = text[:1].upper() + text[1:]
    elif case < 0.37:
        text = text.upper()
    elif case < 0.75:
        text = text.lower()
    if not text.endswith(("?", ".", "!")):
        text += rng.choice(("", "", "", "", ".", ".", "!"))
    elif rng.random() < 0.3:
        text = text[:-1]
    return text
