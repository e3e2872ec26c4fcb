"""Instructions as plain lower-case words: contractions spelt out, slips of the keyboard mended.

Nothing here knows a robot. A reader of one kind of robot says which words matter to it, and only
those are mended: a word that is merely like one of them and is a word of its own stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u201c": '"', "\u201d": '"'})
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?:\.\d+)?|->|<-|[^\sa-z0-9]")
_NOT = re.compile(r"\b(do|does|did|is|are|was|were|would|should|could|must|need|has|have|had|might|ought|wo|ca|sha|ai)n'?t\b")  # fmt: skip # noqa: E501
_STEMS = {"wo": "will", "ca": "can", "sha": "shall", "ai": "is"}
_SHORT = {
    "cannot": "can not", "won't": "will not", "dont": "do not", "don;t": "do not", "donot": "do not",
    "u": "you", "pls": "please", "plz": "please", "n": "and", "&": "and", "w/out": "without",
    "w/o": "without", "tho": "though", "em": "them", "'em": "them", "ya": "you", "nto": "not",
    "cept": "except", "'cept": "except", "exept": "except", "excpet": "except", "til": "until",
    "till": "until", "'til": "until", "fwd": "forward", "bwd": "backward", "secs": "seconds",
    "sec": "seconds", "mins": "minutes", "min": "minutes", "dnt": "do not", "nver": "never",
    "ot": "to", "teh": "the", "adn": "and", "bck": "back", "bak": "back", "thx": "thanks", "ur": "your", "r": "are",
    "bue": "blue", "yelo": "yellow", "yllow": "yellow", "blu": "blue", "grn": "green", "bol": "bowl", "bwl": "bowl",
    "gonna": "going to", "wanna": "want to", "lemme": "let me", "gimme": "give me",
}  # fmt: skip
"""What people type for longer words; ``til`` and ``till`` are meant as until, never as a drawer."""
_ENDINGS = (("'ve", " have"), ("'ll", " will"), ("'re", " are"), ("'d", " would"), ("'m", " am"))
_MIN_MENDED = 4
"""Shorter words are too like each other to be mended."""


def words(text: str) -> list[str]:
    """Split an instruction into lower-case words, numbers and marks.

    >>> words("DON'T touch the red cube, it's hot")
    ['do', 'not', 'touch', 'the', 'red', 'cube', ',', 'it', 'is', 'hot']
    """
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES).lower()
    for short in ("w/out", "w/o"):
        plain = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", "without", plain)
    plain = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", plain)
    plain = _NOT.sub(lambda m: f"{_STEMS.get(m.group(1), m.group(1))} not", plain)
    for short, long in _ENDINGS:
        plain = plain.replace(short, long)
    plain = re.sub(r"\b(it|that|there|what|he|she|who|where|here|let|one|which)'s\b", r"\1 is", plain)
    plain = re.sub(r"'s(?= (?:closed|open|shut|full|empty|in|on|not|the|a|been|already|still|too|going|to)\b)", " is", plain)
    plain = re.sub(r"'s\b", "", plain).replace("let is", "let us")
    found: list[str] = []
    for token in _TOKEN.findall(plain):
        found += _SHORT.get(token, token).split()
    return found


def mend(word: str, known: Collection[str], others: Collection[str] = ()) -> str:
    """Return the known word that ``word`` is a slip of; itself where there is none or two.

    Args:
        word: lower case.
        known: words that matter.
        others: words of their own, however like a known one they look.

    >>> mend("yelow", {"yellow", "green"}), mend("glue", {"blue"}, {"glue"})
    ('yellow', 'glue')
    """
    if word in known or word in others or len(word) < _MIN_MENDED or not word.isalpha():
        return word
    near = {k for k in known if len(k) >= _MIN_MENDED and one_slip_apart(word, k)}
    return near.pop() if len(near) == 1 else word


def one_slip_apart(a: str, b: str) -> bool:
    """Whether one letter too many, too few, wrong or swapped with its neighbour parts them."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if start is None:
        return len(a) != len(b)
    if len(a) == len(b):
        swapped = a[:start] + a[start + 1 : start + 2] + a[start : start + 1] + a[start + 2 :]
        return a[start + 1 :] == b[start + 1 :] or swapped == b
    short, long = sorted((a, b), key=len)
    return short[start:] == long[start + 1 :]
