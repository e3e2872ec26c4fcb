"""An answer taken out of what chat models put around it unasked, grammar or not.

Fences of code, quotation marks, ``Answer:``, numbers of steps, spaces, thoughts. What is left has
to be the whole answer. Out of prose nothing is read: in ``do not grasp(red_cube)`` stands a step,
and yet no plan; and of two different answers nobody knows which was meant. Such a text comes back
as it was, so that whoever reads it refuses it and the model is asked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_KIND = r"(?:seed:)?(?:think|thinking|thoughts?|reasoning)"
_THOUGHT_BEGINS = re.compile(
    rf"<{_KIND}>|\[THINK\]|◁think▷|<\|channel\|>analysis<\|message\|>", re.IGNORECASE
)
_THOUGHT_ENDS = re.compile(
    rf"</{_KIND}>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
"""As DeepSeek, Qwen, Seed, Magistral, Kimi and gpt-oss mark them."""

_FENCE = re.compile(r"(?P<mark>```+|~~~+)(?P<inside>.*?)(?:(?P=mark)|\Z)", re.DOTALL)
_TAG = re.compile(r"\A[ \t]*[\w.+-]*[ \t]*\n|\A[ \t]*[A-Za-z][\w.+-]*[ \t]+(?=\S)")
"""What follows the opening fence: all of its line or, where all stands on one, a word."""
_DENIAL = re.compile(
    r"\b(?:not|never|cannot|refus\w*|unsafe|dangerous|impossible|wrong|avoid\w*|instead|unable"
    r"|sorry|forbidden|bad)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
"""Words by which the prose around a fence may take back what stands in it."""

_REFUSAL = re.compile(r"refuse\(\w+\)")
"""The plan languages' own; read it beside any prose, nothing moves for it."""

_LABEL = re.compile(
    r"\A(?:(?:sure|ok|okay|certainly|of course)[!,.:]*\s+)?(?:here(?: is|['\u2019]s)\s+)?"
    r"(?:(?:the|my|your|a)\s+)?(?:final\s+)?"
    r"(?:answer|plan|output|response|result|solution|steps?|assistant)(?: is)?\s*"
    r"(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:|:)",
    re.IGNORECASE,
)
_PAIRS = ("****", "____", "``", '""', "''", "“”", "«»")
"""What stands on both sides of a quotation: the opening mark and the closing one."""
_END_MARK = re.compile(r"(?:<\|\w{1,20}\|>|</s>|<eos>|<end_of_turn>|</answer>)\Z")
_LONGEST_MARK = 24
_LAYERS = 8
"""As many labels and quotation marks inside of each other are taken off."""
_CALL = re.compile(r"\w+\s*\(.*\)[\s;.]*", re.DOTALL)

# Possessive, for an answer may hold any number of spaces.
_NEXT_STEP = re.compile(r"(\))[ \t]*+[;,.]?[ \t]*+\n\s*+(?:[-*•][ \t]|\d+[.)][ \t])?")
_FIRST_STEP = re.compile(r"\A\s*(?:[-*•][ \t]|\d+[.)][ \t])")


def split_thoughts(text: str) -> tuple[str, str]:
    """Part an answer from the thoughts before it.

    The answer is what follows the end of the last thought; a template may have written the first
    mark, so that only the last one is seen. A thought that does not end has no answer.

    Args:
        text: what a model wrote.

    Returns:
        The answer and the thoughts; either may be empty.
    """
    begins = 0
    for end in _THOUGHT_ENDS.finditer(text):
        begins = end.end()
    if _THOUGHT_BEGINS.search(text, begins):
        return "", text
    return text[begins:], text[:begins]


def undressed(text: str) -> str:
    """Take an answer out of thoughts, a fence, labels and quotation marks; or leave it as it is."""
    bare = split_thoughts(text)[0].strip()
    return _peeled(_out_of_fence(bare))


def calls(text: str) -> str:
    """Undress steps and write them in one form, such as ``grasp(red_cube);place(bowl)``."""
    text = undressed(text).replace("\\_", "_")
    text = _NEXT_STEP.sub(r"\1;", _FIRST_STEP.sub("", text))
    # No other space goes: without it "do not hold" might be the name of a skill.
    text = re.sub(r"([(),;=])\s++", r"\1", text)
    text = re.sub(r"(?<!\s)\s++([(),;=])", r"\1", text)
    text = re.sub(r"(?<=\w)\s*+-\s*+(?=[a-z])", "-", text)
    return re.sub(r";{2,}", ";", text).strip(" \t\n;.")


def readings(text: str, *, words: bool) -> Iterator[str]:
    """Ways to read an answer, from what was said to the letter to what was meant.

    Whoever knows a grammar or a schema takes the first that keeps it.

    Args:
        text: what a model wrote.
        words: whether spaces, capitals and a full stop are no part of the answer, as in steps and
            in ``Yes.``; in JSON they may be.
    """
    answer, _ = split_thoughts(text)
    bare = answer.strip()
    yield answer
    yield bare
    yield _out_of_fence(bare)
    yield _peeled(_out_of_fence(bare))
    if words:
        yield calls(bare)
        yield calls(bare).lower()


def _out_of_fence(text: str) -> str:
    """What the fences of a text hold, if they agree and the prose around them takes nothing back.

    Args:
        text: without thoughts and blank ends.
    """
    insides = [m["inside"] for m in _FENCE.finditer(text)]
    found = [_TAG.sub("", inside, count=1).strip() or inside.strip() for inside in insides]
    prose = _FENCE.sub("\n", text)
    others = [line for line in map(_peeled, prose.splitlines()) if _CALL.fullmatch(line)]
    meant = [re.sub(r"[\s;]", "", _peeled(t)) for t in (*found, *others) if t]
    if not any(found) or len(set(meant)) != 1:
        return text
    taken_back = _DENIAL.search(prose) and not _REFUSAL.fullmatch(meant[0])
    return text if taken_back else next(filter(None, found))


def _peeled(text: str) -> str:
    """Take off labels, quotation marks and end marks."""
    for _ in range(_LAYERS):
        before = text
        text = text.strip().removeprefix("<answer>")
        if mark := _END_MARK.search(text, max(0, len(text) - _LONGEST_MARK)):
            text = text[: mark.start()].strip()
        for pair in _PAIRS:
            text = _unquoted(text, pair[: len(pair) // 2], pair[len(pair) // 2 :])
        labelled = text.lstrip("*_# ")
        if label := _LABEL.match(labelled):
            text = labelled[label.end() :].strip()
        if text == before:
            break
    return text


def _unquoted(text: str, first: str, last: str) -> str:
    """Take off marks that stand around all of a text, and not around its first and last word."""
    inner = text[len(first) : -len(last)].strip()
    whole = text.startswith(first) and text.endswith(last) and bool(inner)
    return inner if whole and first not in inner.strip(first) else text
