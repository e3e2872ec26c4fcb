"""What the sentences of a bank mean: a rule from the cubes and places they name to a plan.

A bank is drawn as often as it has entries, so that every sentence is as likely as any other of its
kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fmrl_robot.train.recipes.lm_embedded.banks import choose_bank, cube, place, say
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS

PRESS = "press(button)"
BARE = 0.08
"""How often a sentence calls its cubes by their colours alone."""
_WITHOUT_DRAWER = frozenset(
    {"ref_drawer_out", "ref_drawer_out_close", "neg_drawer_shut", "seq_needs"}
)
"""Banks whose places are never the drawer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Things:
    """What a sentence is about: four cubes and two containers, as the plan names them."""

    x: str
    y: str
    z: str
    w: str
    p: str
    q: str


Rule = Callable[[Things], tuple[str, ...]]


def but(condition: str, *kept: str) -> str:
    """Reference to all cubes of a condition but some."""
    return f"each({condition}{''.join(f'-{c}' for c in sorted(kept, key=_number))})"


def _number(ref: str) -> int:
    return COLORS.index(ref.removesuffix("_cube"))


def draw_ruled(name: str, rule: Rule, rng: random.Random, **further: str) -> Example:
    """Draw what a sentence is about, say it and plan it; ``further`` fills other slots."""
    colors = rng.sample(COLORS, 4)
    holders = CONTAINERS[:2] if name in _WITHOUT_DRAWER else CONTAINERS
    p, q = rng.sample(holders, 2)
    x, y, z, w = (f"{c}_cube" for c in colors)
    named = (lambda c: c) if rng.random() < BARE else (lambda c: cube(c, rng))
    slots = dict(zip("xyzw", map(named, colors), strict=True))
    # Bare colours of things that are no cubes.
    slots |= dict(zip("cd", (expand(WORDS["colors"][c], rng) for c in colors[2:]), strict=True))
    slots |= {"p": place(p, rng), "q": place(q, rng)}
    return say(name, rng, **(slots | further)), rule(Things(x=x, y=y, z=z, w=w, p=p, q=q))


def draw_of(rules: Mapping[str, Rule], rng: random.Random) -> Example:
    """Choose a bank among those of ``rules`` and draw from it."""
    name = choose_bank(rules, rng)
    return draw_ruled(name, rules[name], rng)
