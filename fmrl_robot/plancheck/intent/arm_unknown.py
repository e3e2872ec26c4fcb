"""Commands in an arm's instruction whose verb the reader does not know.

A verb that no list holds may be another word for what a skill does ("squirrel red away in the
drawer") or something that no skill does ("weigh the blue cube"). The plan tells which: where some
step is only explained by the clause, it is a synonym; where all steps are explained without it, the
clause was dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fmrl_robot.plancheck.intent.arm_effects import Effects
from fmrl_robot.plancheck.intent.arm_reading import Reader

_OBJECT = re.compile(
    r"(?:the|an?|it|them|me|us|my|your|our|that|this|these|those|each|every|all|both|him|her|"
    r"something|doing)\b"
)
"""How what follows a verb begins: an object, or who gets it."""
_WITH_MORE = re.compile(r"\b(?:cube|block|one|red|green|blue|yellow) (?:a|an|some|another)\b")
"""What is done to a thing is a noun of its own."""
_NO_COMMAND = frozenset(["to", "rather", "even"])
"""Words before which a verb tells what for: "to celebrate our anniversary"."""
_ENDINGS = ("ing", "ed", "s", "ly")
"""Of words that are no verbs in the form of a command."""


def dropped_commands(reader: Reader, found: Effects) -> Iterator[str]:
    """Yield clauses that command with an unknown verb, and that no step of a plan answers."""
    known = [i for i in range(len(reader.clauses)) if reader.licenses(i)]
    explained = {m.name for i in known for m in reader.mentions[i]}
    for i, clause in enumerate(reader.clauses):
        if not clause.asks or clause.tells or i in known or reader.acts(i):
            continue
        if not _commands(reader, i):
            continue
        own = {m.name for m in reader.mentions[i]} - {"it"}
        if _WITH_MORE.search(clause.text) and any(reader.has(j, "it") for j in known if j > i):
            own = set()  # "Give the yellow cube a spin, and put it away": only the second is done.
        done = (found.moved | found.places | _handled(found)) & (own - explained)
        if not done:
            yield clause.text


def _commands(reader: Reader, i: int) -> bool:
    """Whether a clause begins with an unknown word that stands where a verb commands."""
    lexicon = reader.lexicon
    before, words = lexicon.classes["before_commands"], reader.clauses[i].words
    k = next((k for k, word in enumerate(words) if word not in before), len(words))
    if (
        k + 1 >= len(words)
        or not _NO_COMMAND.isdisjoint(words[:k])
        or words[k] in lexicon.courtesies
        or lexicon.is_plain(words[k])
    ):
        return False
    if k == 0 and not (i and reader.licenses(i - 1)):
        return False  # Without a command before it, it may as well be a name or a sigh.
    verb = words[k]
    return verb.isalpha() and not verb.endswith(_ENDINGS) and bool(_OBJECT.match(words[k + 1]))


def _handled(found: Effects) -> set[str]:
    """The drawer and the button, where a plan does something with them."""
    return {thing for act, thing, _ in found.events if act in ("open", "close", "press")}
