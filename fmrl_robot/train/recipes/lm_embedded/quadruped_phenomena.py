"""Instructions for the quadruped about what models find hard: limits, lay words, reordering."""

from __future__ import annotations

import random
from collections.abc import Mapping

from fmrl_robot.train.recipes.lm_embedded import quadruped_banked, quadruped_times
from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act, forms
from fmrl_robot.train.recipes.lm_embedded.banks import TALK_SHARE, choose_bank, say, wrapped
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, Kinds, draw_weighted
from fmrl_robot.train.recipes.lm_embedded.quadruped_banked import leg, speed, up, verb
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import LEGS

_LONGEST = 64
"""Characters of an act that stands in a sequence."""
_MOVING = ("-1", "-0.5", "0.5", "0.5", "1")

_WHOLE: Mapping[str, str] = {
    "lay_stand": "stand(0)",
    "lay_march": "trot(0)",
    "lay_pace_place": "pace(0)",
    "lay_bound_place": "bound(0)",
    "lay_forward_slow": "trot(0.5)",
    "lay_forward_fast": "trot(1)",
    "lay_back_slow": "trot(-0.5)",
    "lay_back_fast": "trot(-1)",
}
"""Banks of whole sentences with their plans."""
_GAITS = {"lay_trot": "trot", "lay_pace": "pace", "lay_bound": "bound"}
_MODIFIED = {
    "lay_quick": ",quick",
    "lay_calm": ",calm",
    "lay_air": ",air",
    "lay_fast_leg": ",fast=",
}
_STANDING = ("lay_lift", "lay_lift_two", "lay_pair")
_PAIRS = {
    "pair_front": ("FL", "FR"),
    "pair_rear": ("RL", "RR"),
    "pair_left": ("FL", "RL"),
    "pair_right": ("FR", "RR"),
}
_REFUSED: Mapping[str, str] = {
    "dogno_unsafe": "unsafe",
    "no_harm": "unsafe",
    "dogno_impossible": "impossible",
    "no_turn": "impossible",
    "no_sideways": "impossible",
    "no_fast": "impossible",
    "no_carry": "impossible",
    "no_body": "impossible",
    "no_contradiction": "impossible",
    "no_talk": "impossible",
    "no_tricks": "impossible",
}
"""Banks of what is not done, with the reason."""
_NEAR: Mapping[str, str] = {
    "dogok_forward_slow": "trot(0.5)",
    "dogok_forward_fast": "trot(1)",
    "dogok_back_slow": "trot(-0.5)",
    "dogok_back_fast": "trot(-1)",
    "dogok_stand": "stand(0)",
    "dogok_march": "trot(0)",
    "dogok_bound": "bound(0.5)",
    "dogok_lift": "",
}
_THERE_AND_BACK: Mapping[str, tuple[str, str]] = {
    "dogseq_there_back": ("0.5", "-0.5"),
    "dogseq_speed_up": ("0.5", "1"),
    "dogseq_slow_down": ("1", "0.5"),
}
_VERBS = """trot pace bound walk go move dash proceed do travel come perform stand stay remain wait
hold lift raise pick keep stop halt freeze rest balance run sprint rush race hurry reverse retreat
back head advance continue put take return"""
_IMPERATIVES = frozenset(_VERBS.split())
"""First words of acts that fit behind "before you"."""


def _act(rng: random.Random, longest: int) -> Act:
    """A single short segment in the imperative."""
    while True:
        act = quadruped_banked.act(rng)
        if (
            act.order.split()[0] in _IMPERATIVES
            and not act.order.startswith(("do not", "do nothing"))
            and len(act.order) <= longest
        ):
            return act


def _acts(count: int, rng: random.Random, longest: int = _LONGEST) -> list[Act]:
    """Segments that differ from the one before."""
    found: list[Act] = []
    while len(found) < count:
        act = _act(rng, longest)
        if not found or act.plan != found[-1].plan:
            found.append(act)
    return found


def limits(rng: random.Random) -> Example:
    """What is dangerous or beyond it, and as often what only sounds so."""
    if rng.random() < 0.5:
        name = choose_bank(_NEAR, rng)
        raised = rng.choice(tuple(LEGS))
        return say(name, rng, l=leg(raised, rng)), (_NEAR[name] or up((raised,)),)
    name = choose_bank(_REFUSED, rng)
    text = say(name, rng)
    if rng.random() < 0.2 and not text.endswith("?"):
        (act,) = _acts(1, rng)
        text = say("dogno_after", rng, **(forms([act]) | {"b": text}))
    return text, (f"refuse({_REFUSED[name]})",)


def lay(rng: random.Random) -> Example:
    """Gaits, rhythms and stances in the words of somebody who does not know their names."""
    name = choose_bank((*_WHOLE, *_GAITS, *_MODIFIED, *_STANDING, "lay_limp"), rng)
    if name in _WHOLE:
        return say(name, rng), (_WHOLE[name],)
    one, two = rng.sample(tuple(LEGS), 2)
    how, value = speed(rng, rng.choice(_MOVING))
    if name in _GAITS:
        return say(name, rng, s=how), (f"{_GAITS[name]}({value})",)
    if name == "lay_limp":
        return say(name, rng, s=how, l=leg(one, rng)), (f"trot({value},up={one})",)
    if name in _STANDING:
        pair = rng.choice(tuple(_PAIRS))
        text = say(name, rng, l=leg(one, rng), m=leg(two, rng), n=say(pair, rng))
        lifted = {"lay_lift": (one,), "lay_lift_two": (one, two), "lay_pair": _PAIRS[pair]}
        return text, (up(lifted[name]),)
    (words, gait), (how, value) = verb(rng), speed(rng)
    more = _MODIFIED[name] + (one if name == "lay_fast_leg" else "")
    return say(name, rng, v=words, s=how, l=leg(one, rng)), (f"{gait}({value}{more})",)


def order(rng: random.Random) -> Example:
    """Two to four segments, often said in another order than they are done in."""
    few = ("dogseq_again", "dogseq_wait", "dogseq_stop_last", *_THERE_AND_BACK)
    name = choose_bank((*few, "dogseq2", "dogseq3", "dogseq3", "dogseq4", "dogseq4"), rng)
    if name in _THERE_AND_BACK:
        words, gait = rng.choice(
            (("trot", "trot"), ("pace", "pace"), ("bound", "bound"), ("walk", "trot"))
        )
        return say(name, rng, v=words), tuple(f"{gait}({v})" for v in _THERE_AND_BACK[name])
    count = int(name[-1]) if name[-1].isdigit() else 2
    a, b, *more = _acts(count, rng, _LONGEST if count < 4 else 44)
    still = ("stand(0)",)
    while name in ("dogseq_wait", "dogseq_stop_last") and "stand" in a.plan[0] + b.plan[0]:
        a, b = _acts(2, rng)
    text = say(name, rng, **forms([a, b, *more]))
    match name:
        case "dogseq_again":
            return text, (*a.plan, *b.plan, *a.plan)
        case "dogseq_wait":
            return text, (*a.plan, *still, *b.plan)
        case "dogseq_stop_last":
            return text, (*a.plan, *still)
        case _:
            return text, tuple(s for act in (a, b, *more) for s in act.plan)


_KINDS: Kinds[Example] = (
    (40, limits),
    (30, quadruped_times.times),
    (45, lay),
    (25, order),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    text, plan = draw_weighted(_KINDS, rng)
    return wrapped(text, "dog", rng, TALK_SHARE), plan
