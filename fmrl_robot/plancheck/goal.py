"""What steps leave behind, by what each was to bring about."""

from __future__ import annotations

from collections.abc import Iterable

from fmrl_robot.skills.captioner import KNOWN_FACTS
from fmrl_robot.types import Predicate, SubGoal


def goal_of(steps: Iterable[SubGoal]) -> tuple[Predicate, ...]:
    """The facts that should hold after steps: of each thing the last one that ended a step.

    A fact that no perception can tell of is left out: it would never be seen.
    """
    goal: dict[str, Predicate] = {}
    for step in steps:
        fact = step.termination
        if fact is not None and fact.name in KNOWN_FACTS and fact.args:
            goal.pop(fact.args[0], None)
            goal[fact.args[0]] = fact
    return tuple(goal.values())
