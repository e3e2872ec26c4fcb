"""Sentences that say the contrary of a sub-goal, to compare a frame with."""

from __future__ import annotations

from fmrl_robot.skills.captioner import caption
from fmrl_robot.types import Predicate, SubGoal


def opposites(subgoal: SubGoal) -> list[str]:
    """Sentences of which one holds where the sub-goal does not, as far as its kind tells."""
    fact = subgoal.termination
    if fact is None:
        return []
    thing = fact.args[0] if fact.args else ""
    elsewhere = {
        "held": [Predicate("on", (thing, "table")), Predicate("hand_empty")],
        "in": [Predicate("on", (thing, "table")), Predicate("held", (thing,))],
        "on": [Predicate("held", (thing,))],
        "open": [Predicate("closed", (thing,))],
        "closed": [Predicate("open", (thing,))],
    }
    others = elsewhere.get(fact.name, [])
    if fact.name == "on" and fact.args[1] != "table":
        others = [*others, Predicate("on", (thing, "table"))]
    if fact.name == "pressed":
        return [f"the {thing} is not pressed"]
    return [caption(other) for other in others]
