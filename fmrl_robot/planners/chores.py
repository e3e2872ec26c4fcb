"""How a chore is asked of a model of plain text: a transcript that a next step continues.

``policies/lm-prior`` has read thousands of such transcripts about other places; whatever continues
text can be asked so. Candidates begin with a space.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fmrl_robot.skills.captioner import caption, say_thing
from fmrl_robot.types import Predicate

_SCENE = ("on", "in", "open", "closed")
"""Facts that the scene of a transcript tells."""


def transcript(instruction: str, facts: Iterable[Predicate], steps: Sequence[str]) -> str:
    """Write a chore up to the number of its next step.

    Args:
        instruction: what is to be done.
        facts: that held at the beginning; those about what the instruction names are told.
        steps: in words, as far as they were done.
    """
    told = [
        caption(fact)
        for fact in facts
        if fact.name in _SCENE
        and f"{say_thing(fact.args[0])} " in f"{instruction} ,".replace(",", " ")
    ]
    listed = "".join(f" {number}. {step}" for number, step in enumerate(steps, start=1))
    return f"Scene: {'. '.join(told)}.\nTask: {instruction}\nSteps:{listed} {len(steps) + 1}."
