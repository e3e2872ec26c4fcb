"""In which order a plan's steps are carried out: of a list, of a graph, of a weighted set.

A list goes as it stands. A graph (``edges``) goes in an order that respects every edge; of steps
that are ready at the same time, the one that stands first goes first. A weighted set (``weights``)
holds alternatives, the groups of steps that no edge connects; the weight of a group is that of its
first step, and one group is carried out. What is checked, announced and carried out is the
arranged plan: its steps stand in the order in which they are done.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.types import Plan


def weighted_set(plans: Sequence[Plan], weights: Sequence[float]) -> Plan:
    """Unite plans, each a list or a graph, into one weighted set.

    Args:
        plans: alternatives for one instruction, at least one; goals are those of the first.
        weights: one a plan, not negative, not all 0.
    """
    first, *_ = plans
    subgoals = tuple(
        replace(s, id=f"{number}-{s.id}")
        for number, plan in enumerate(plans, start=1)
        for s in plan.subgoals
    )
    edges: list[tuple[int, int]] = []
    spread: list[float] = []
    for plan, weight in zip(plans, weights, strict=True):
        count, offset = len(plan.subgoals), len(spread)
        # A chain of all steps keeps an alternative in one piece.
        chain = [(i, i + 1) for i in range(count - 1)]
        edges += [(a + offset, b + offset) for a, b in plan.edges or chain]
        spread += [weight] * count
    return replace(first, subgoals=subgoals, edges=tuple(edges), weights=tuple(spread))


def arrangements(plan: Plan, draw: random.Random | None = None) -> tuple[Plan, ...]:
    """Return the ways in which a plan may be carried out, the one to try first in front.

    Args:
        plan: as it was proposed.
        draw: of a weighted set, draws alternatives by their weights; None: the likeliest first.

    Returns:
        One plan for a list or a graph; for a weighted set one an alternative of weight above 0.

    Raises:
        Retryable: PLAN_SCHEMA; an edge leads nowhere or in a circle, or the weights are not one a
            step and not negative.
    """
    count = len(plan.subgoals)
    for edge in plan.edges:
        if not all(0 <= end < count for end in edge):
            raise _refused(f"expected edges between steps 0 to {count - 1}, got {edge}")
    if not plan.weights:
        return (_arranged(plan, range(count)),)
    sound = all(math.isfinite(w) and w >= 0 for w in plan.weights)
    if len(plan.weights) != count or not sound or not any(plan.weights):
        raise _refused(
            f"expected {count} finite weights, not negative and not all 0, got {plan.weights}"
        )
    groups = [g for g in _groups(plan) if plan.weights[g[0]] > 0]
    weights = [plan.weights[g[0]] for g in groups]
    return tuple(_arranged(plan, groups[i]) for i in _preferred(weights, draw))


def _refused(message: str) -> Retryable:
    return Retryable(message, ErrorCode.PLAN_SCHEMA)


def _preferred(weights: Sequence[float], draw: random.Random | None) -> list[int]:
    left = list(range(len(weights)))
    if draw is None:
        return sorted(left, key=lambda i: -weights[i])
    drawn: list[int] = []
    while left:
        (i,) = draw.choices(left, [weights[i] for i in left])
        left.remove(i)
        drawn.append(i)
    return drawn


def _groups(plan: Plan) -> list[list[int]]:
    """Steps by the group that edges connect them to, groups and steps by their numbers."""
    group = list(range(len(plan.subgoals)))
    for a, b in plan.edges:
        merged, kept = max(group[a], group[b]), min(group[a], group[b])
        group = [kept if g == merged else g for g in group]
    return [[i for i, g in enumerate(group) if g == first] for first in sorted(set(group))]


def _arranged(plan: Plan, members: Sequence[int]) -> Plan:
    """The plan of some steps, put in order.

    Raises:
        Retryable: the edges lead in a circle.
    """
    waiting, order = list(members), list[int]()
    edges = [(a, b) for a, b in plan.edges if a in waiting]
    while waiting:
        ready = [i for i in waiting if not any(b == i and a in waiting for a, b in edges)]
        if not ready:
            circle = ", ".join(str(i) for i in waiting)
            raise _refused(f"expected edges without a circle, got one through steps {circle}")
        order.append(ready[0])
        waiting.remove(ready[0])
    place = {old: new for new, old in enumerate(order)}
    return replace(
        plan,
        subgoals=tuple(plan.subgoals[i] for i in order),
        edges=tuple((place[a], place[b]) for a, b in edges),
        weights=(),
        scores=tuple(plan.scores[i] for i in order)
        if len(plan.scores) == len(plan.subgoals)
        else plan.scores,
    )
