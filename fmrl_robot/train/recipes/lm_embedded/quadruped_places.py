"""Instructions for the quadruped that go to places, turn, walk distances and take postures.

The corpus takes them where it is asked for a share of them (``corpus.examples(places=...)``); the
refusals of what they make possible are left out then. Every instruction is one that the plan
check's own reading understands as its plan: a model that learned others would be refused.
"""

from __future__ import annotations

import random

from fmrl_robot.plancheck.intent.quadruped_places import read_places
from fmrl_robot.train.recipes.lm_embedded import quadruped_banked
from fmrl_robot.train.recipes.lm_embedded.banks import say
from fmrl_robot.train.recipes.lm_embedded.phrases import Example

COLORS = ("red", "green", "blue")
_METRES = {"half a metre": 0.5, "a metre": 1.0, "one metre": 1.0, "1 m": 1.0, "1.5 m": 1.5,
           "one and a half metres": 1.5, "two metres": 2.0, "2 m": 2.0, "2 meters": 2.0,
           "three metres": 3.0, "3 m": 3.0, "80 cm": 0.8, "four metres": 4.0}  # fmt: skip
_DEGREES = (30, 45, 60, 90, 120, 135, 180)
GAIT_SHARE, THREE_SHARE, ONE_SHARE, BAN_SHARE = 0.25, 0.2, 0.4, 0.06
"""Shares of sequences with a gait in them, of sequences of three, of single steps, and of bans."""


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    chance = rng.random()
    if chance < ONE_SHARE:
        return _step(rng, first=True)
    one, two = _part(rng, first=True), _part(rng, first=False)
    if chance < ONE_SHARE + BAN_SHARE:
        goal, shunned = rng.sample(COLORS, 2)
        asked = say("place_go", rng, t=_thing(goal, rng))
        return say("place_ban", rng, a=asked, t=_thing(shunned, rng)), (f"go({goal}_marker)",)
    if chance < ONE_SHARE + BAN_SHARE + THREE_SHARE:
        three = _part(rng, first=False)
        text = say("place_three", rng, a=one[0], b=two[0], c=three[0])
        return text, (*one[1], *two[1], *three[1])
    return say("place_join", rng, a=one[0], b=two[0]), (*one[1], *two[1])


def possible(text: str) -> bool:
    """Whether an instruction asks for a place, a turn, a way or a posture, whatever is beside it."""
    return bool(read_places(text).acts)


def _part(rng: random.Random, *, first: bool) -> Example:
    if rng.random() < GAIT_SHARE:
        act = quadruped_banked.act(rng)
        return act.order, act.plan
    return _step(rng, first=first)


def _thing(color: str, rng: random.Random) -> str:
    return say("place_thing", rng, c=color)


def _step(rng: random.Random, *, first: bool) -> Example:
    color, side = rng.choice(COLORS), rng.choice(("left", "right"))
    sign = 1 if side == "left" else -1
    said, metres = rng.choice(tuple(_METRES.items()))
    degrees = rng.choice(_DEGREES)
    thing = _thing(color, rng)
    kinds: list[tuple[str, str, dict[str, str]]] = [
        ("place_go", f"go({color}_marker)", {"t": thing}),
        ("place_go", f"go({color}_marker)", {"t": thing}),
        ("place_around", f"around({color}_marker)", {"t": thing}),
        ("place_face", f"turn({color}_marker)", {"t": thing}),
        ("place_turn", f"turn({90 * sign})", {"d": side}),
        ("place_turn_by", f"turn({degrees * sign})", {"d": side, "n": str(degrees)}),
        ("place_about", "turn(180)", {}),
        ("place_whole", "turn(360)", {}),
        ("place_forward", f"walk({metres:g})", {"m": said}),
        ("place_backward", f"walk({-metres:g})", {"m": said}),
        ("place_aside", f"walk(0,{sign * metres:g})", {"m": said, "d": side}),
        ("place_sit", "sit()", {}),
        ("place_rise", "up()", {}),
    ]
    if not first:
        kinds += [("place_back", "go(start)", {})] * 3
    bank, plan, slots = rng.choice(kinds)
    return say(bank, rng, **slots), (plan,)
