"""What a clause of a quadruped's instruction wants: polarity, and how clauses pass it on.

A negation holds to the end of its clause and over the list that it opens; some clauses turn the one
before them ("none of that"), and some only sound like a ban.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Status
from fmrl_robot.plancheck.intent.quadruped_words import begins, says

_SHORT = 2
"""Words that may stand behind the negation of "bounding I will not have"."""


def polarity(sign: str, status: Status, before: str) -> Status:
    """Polarity of what follows a sign."""
    if sign == "ban":
        return "ban"
    if sign == "reason":
        # "avoid anything like bounding" still forbids.
        return "ban" if status == "ban" else "background"
    if sign == "except" or (sign == "but" and says("quantity", _last_part(before))):
        return (
            "ask"
            if status == "ban" or says("nothing", _last_part(before)) or _grounded(before)
            else "ban"
        )
    if sign in ("or", "nor"):
        return status
    return "ask"


def _last_part(before: str) -> str:
    return re.split(r" [,:] ", before)[-1]


def _grounded(before: str) -> bool:
    """All feet down but one: that one is up."""
    return says("down", before)


def inherited(clauses: Sequence[Clause]) -> list[Clause]:
    """Carry a negation over "and": "without trotting and bounding", "don't trot and bound"."""
    found: list[Clause] = []
    for clause in clauses:
        last = found[-1] if found else None
        if says("ordered", clause.text) and says("disowned", clause.text):
            clause = replace(clause, status="ban")
        if last is not None and (_disowns(last, clause) or _both(last, clause)):
            found[-1] = last = replace(last, status="ban")
        if (
            last is not None
            and last.status == "ban"
            and clause.status == "ask"
            and clause.sentence == last.sentence
            and clause.sign in ("and", ",", "or", "nor")
            and _continues(last, clause)
        ):
            # "without lifting one leg and another": what is not to be done holds for both.
            clause = replace(
                clause, status="ban", mentions=(*clause.mentions, *last.of("lift", "double"))
            )
        if last is not None and last.status == "ban" and clause.sign in ("until", "before"):
            # "do not trot until you have stood" asks for both, and so does "before".
            found[-1] = replace(last, status="ask")
        found.append(clause)
    return found


def _disowns(last: Clause, clause: Clause) -> bool:
    """Whether a clause forbids what the one before it says: "none of that", "ignore her"."""
    if clause.status == "ban" and not clause.mentions and says("fronted", last.text):
        return len(clause.text.strip(" .,!?;:").split()) <= _SHORT
    if begins("of_that", f"{clause.opener} {clause.text}".strip()):
        return True
    if says("ordered", last.text) and says("disowned", clause.text):
        return True
    warned = clause.sign == "and" and clause.sentence == last.sentence
    return warned and says("once_more", last.text) and begins("threat", clause.text)


def _both(last: Clause, clause: Clause) -> bool:
    """Whether two clauses are a list that is forbidden behind it: "trot and bound are taken"."""
    gaits = last.of("gait")
    bare = bool(gaits) and last.text.strip(" .,!?;") == gaits[0].text
    return bare and clause.status == "ban" and clause.sign in ("and", "or")


def _continues(last: Clause, clause: Clause) -> bool:
    """Whether a clause goes on with the list that a negation opened: same form, nothing before."""
    before, here = last.of("gait", "way", "legs"), clause.of("gait", "way", "legs")
    if not before or not here or before[0].kind != here[0].kind or here[0].value == "stand":
        return False
    if last.opener in ("save", "leave"):
        return False  # "save the bound for tomorrow and trot"
    if re.sub(r"^((the|your|its|from|to|of|any) )+", "", clause.text).find(here[0].text) != 0:
        return False
    form = [m.text.endswith("ing") for m in (before[0], here[0])]
    listed = last.opener.endswith(":")
    return form[0] == form[1] and (clause.sign != "," or form[0] or listed)


def weighed(clause: Clause) -> Clause:
    """Turn into an order what only sounds like a ban.

    A leg that must not be stood on is to be up; "don't trot too fast" asks for a slow trot.
    """
    too = next((m for m in clause.of("speed") if m.text.startswith("too ")), None)
    if too is not None and clause.status == "ban":
        other = "slow" if too.value == "fast" else "fast"
        row = (replace(m, value=other) if m is too else m for m in clause.mentions)
        return replace(clause, status="ask", mentions=tuple(row))
    legs = clause.of("legs", "some_leg")
    stays = clause.of("legs") and not clause.of("lift", "double", "gait")
    if clause.status == "ask" and stays and says("stays_down", clause.text):
        return replace(clause, status="ban", opener="not", mentions=clause.of("legs"))
    if clause.status == "ban" and legs and not _contrasts(clause):
        if clause.of("lift", "double", "gait"):
            return clause
        return replace(clause, status="ask")
    return clause


def _contrasts(clause: Clause) -> bool:
    """Whether a leg is named only to say that another is meant: "not the front left"."""
    return clause.opener in ("not", "never", "nor") and not says("down", clause.text)
