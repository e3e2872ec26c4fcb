"""Instructions for the quadruped with their plans, drawn by kind."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded import quadruped_refusals
from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.connectors import polite, sequence, wrap
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, draw_weighted, expand
from fmrl_robot.train.recipes.lm_embedded.quadruped_acts import (
    faster,
    gait,
    reverse,
    run,
    suspended,
    tempo,
    three_legs,
)
from fmrl_robot.train.recipes.lm_embedded.quadruped_standing import lift, stand
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import GAITS


def any_act(rng: random.Random) -> Act:
    """Any single segment."""
    makers = (gait, stand, lift, three_legs, faster, tempo, suspended, reverse, run)
    return rng.choices(makers, (10, 5, 4, 1, 1.5, 1, 1.5, 1, 1))[0](rng)


def correction(rng: random.Random) -> Example:
    """Change of mind or negation."""
    act, other = any_act(rng), any_act(rng)
    form = expand(
        "{b}(. Actually no, |, no wait, |. Sorry, |. No, |, I mean |, no, |, sorry, | - no, |. Scratch that, |, actually |, or rather ){a}|"
        "don't {b}, {a}|do not {b}, (but |instead |just ){a}|{a}, don't {b}|{a}, not {b}|instead of {bg}, {a}|{a} instead of {bg}|{a} without {bg}|{a} rather than {bg}",
        rng,
    )
    for key, value in (("{bg}", other.gerund), ("{a}", act.order), ("{b}", other.order)):
        form = form.replace(key, value)
    return form, act.plan


def bare_gaits(rng: random.Random) -> Example:
    """Gaits one after the other with nothing said about speed or place: slowly forward."""
    names = rng.sample(("trot", "pace", "bound", "stand"), rng.choice((2, 2, 3)))
    acts = [
        stand(rng)
        if n == "stand"
        else Act((f"{n}(0.5)",), n, GAITS[n][0].split()[1], GAITS[n][0].split()[2], f"you {n}")
        for n in names
    ]
    return sequence(acts, rng)


def three_segments(rng: random.Random) -> Example:
    """A sequence, its orders sometimes shortened to gerunds."""
    acts = [any_act(rng) for _ in range(rng.choice((2, 2, 2, 2, 3)))]
    if rng.random() < 0.12:
        plan = tuple(s for a in acts for s in a.plan)
        first = rng.choice(("start with ", "begin with ", "start by ", "first ", "begin by "))
        mid = rng.choice(
            (", then ", ", next ", ", after that ", ", followed by ", ", continue with ")
        )
        last = rng.choice(
            (", last ", ", and finally ", ", and end with ", " and finish with ", ", finally ")
        )
        text = first + acts[0].gerund
        for i, act in enumerate(acts[1:]):
            text += (last if i == len(acts) - 2 else mid) + act.gerund
        return text, plan
    return sequence(acts, rng)


def _refusal(rng: random.Random) -> Example:
    text, plan = quadruped_refusals.draw(rng)
    return (polite(text, rng) if rng.random() < 0.4 else text), plan


_KINDS = (
    (20, gait),
    (3, reverse),
    (2, run),
    (4, stand),
    (15, lift),
    (5, three_legs),
    (8, faster),
    (7, tempo),
    (7, suspended),
    (24, three_segments),
    (3, bare_gaits),
    (3, correction),
    (9, _refusal),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    drawn = draw_weighted(_KINDS, rng)
    return wrap(drawn, rng) if isinstance(drawn, Act) else drawn
