"""Instructions for the quadruped that say for how long: one, two or more segments."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fmrl_robot.train.recipes.lm_embedded.banks import choose_bank, say
from fmrl_robot.train.recipes.lm_embedded.phrases import Example
from fmrl_robot.train.recipes.lm_embedded.quadruped_banked import GAITS, leg, speed
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import GAITS as FORMS
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import LEGS, NUMBERS

_LONG = (12, 15, 20, 25, 30, 40, 45, 60)
_IN_WORDS = {
    12: "twelve",
    15: "fifteen",
    20: "twenty",
    25: "twenty-five",
    30: "thirty",
    40: "forty",
    45: "forty-five",
    60: "sixty",
}
_UNITS = ("seconds", "seconds", "seconds", "s", "sec", "secs")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """What a sentence is about, as the plan says it."""

    v: str
    u: str
    s: str
    r: str
    t: str
    o: str
    l: str  # noqa: E741  (as the banks name it)
    m: str


_TIMES: Mapping[str, Callable[[_Parts], tuple[str, ...]]] = {
    "time_one_v": lambda p: (f"{p.v}({p.s}{p.t})",),
    "time_one_g": lambda p: (f"{p.v}({p.s}{p.t})",),
    "time_stand": lambda p: (f"stand(0{p.t})",),
    "time_lift": lambda p: (f"stand(0,up={p.l}{p.t})",),
    "time_two_v": lambda p: (f"{p.v}({p.s}{p.t})", f"{p.u}({p.r}{p.o})"),
    "time_two_g": lambda p: (f"{p.v}({p.s}{p.t})", f"{p.u}({p.r}{p.o})"),
    "time_then_stand": lambda p: (f"{p.v}({p.s}{p.t})", f"stand(0{p.o})"),
    "time_then_stop": lambda p: (f"{p.v}({p.s}{p.t})", "stand(0)"),
    "time_stand_first": lambda p: (f"stand(0{p.o})", f"{p.v}({p.s}{p.t})"),
    "time_sandwich": lambda p: (f"stand(0{p.o})", f"{p.v}({p.s}{p.t})", "stand(0)"),
    "time_each": lambda p: (f"{p.v}({p.s}{p.t})", f"{p.u}({p.r}{p.t})"),
    "time_same_long": lambda p: (f"{p.v}({p.s}{p.t})", f"{p.u}({p.r}{p.t})"),
    "time_two_legs": lambda p: (f"stand(0,up={p.l}{p.t})", f"stand(0,up={p.m}{p.t})"),
    "time_legs_then": lambda p: (f"stand(0,up={p.l}{p.t})", f"stand(0,up={p.m})"),
    "time_faster": lambda p: (f"{p.v}(0.5{p.t})", f"{p.v}(1{p.o})"),
    "time_back": lambda p: (f"{p.v}(0.5{p.t})", f"{p.v}(-0.5{p.t})"),
    "time_changed": lambda p: (f"{p.v}({p.s}{p.t})",),
    "time_alternate": lambda p: (f"{p.v}(0{p.t})", f"stand(0{p.t})") * 2,
}


def _duration(rng: random.Random) -> tuple[str, str]:
    """A duration in words and as the plan says it."""
    chance = rng.random()
    if chance < 0.08:
        return rng.choice(("half a minute", "half a min", "thirty seconds")), ",t=30"
    if chance < 0.14:
        return rng.choice(("a minute", "one minute", "1 min", "sixty seconds")), ",t=60"
    if chance < 0.24:
        whole = rng.randrange(1, 10)
        said = (f"{whole}.5", f"{whole} and a half", f"{NUMBERS[whole - 1]} and a half")
        return f"{rng.choice(said)} {rng.choice(_UNITS)}", f",t={whole}.5"
    if chance < 0.34:
        count = rng.choice(_LONG)
        said = rng.choice((str(count), _IN_WORDS[count]))
        return f"{said} {rng.choice(_UNITS)}", f",t={count}"
    count = rng.randrange(1, 11)
    unit = rng.choice(("second", "second", "s", "sec")) if count == 1 else rng.choice(_UNITS)
    return f"{rng.choice((str(count), NUMBERS[count - 1]))} {unit}", f",t={count}"


def times(rng: random.Random) -> Example:
    """Segments with their durations."""
    name = choose_bank(_TIMES, rng)
    first, second = rng.sample(GAITS, 2)
    (s, s_value), (r, r_value) = speed(rng), speed(rng)
    (t, t_plan), (o, o_plan) = _duration(rng), _duration(rng)
    while o_plan == t_plan:
        o, o_plan = _duration(rng)
    one, two = rng.sample(tuple(LEGS), 2)
    slots = {
        "v": first,
        "u": second,
        "g": FORMS[first][0].split()[1],
        "h": FORMS[second][0].split()[1],
        "s": s,
        "r": r,
        "t": t,
        "o": o,
        "l": leg(one, rng),
        "m": leg(two, rng),
    }
    parts = _Parts(v=first, u=second, s=s_value, r=r_value, t=t_plan, o=o_plan, l=one, m=two)
    return say(name, rng, **slots), _TIMES[name](parts)
