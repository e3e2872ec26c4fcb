"""Instructions for the quadruped from the banks of whole phrases."""

from __future__ import annotations

import random
from collections.abc import Collection

from fmrl_robot.train.recipes.lm_embedded import quadruped_acts, quadruped_standing
from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.banks import banks, say, wrapped
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, Kinds, draw_weighted, expand
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import (
    DIRECTION,
    LEGS,
    NUMBERS,
    PLACE,
    SPEED,
)

GAITS = ("trot", "pace", "bound")
_SPEED_BANKS = {
    "-1": "backward_fast",
    "-0.5": "backward_slow",
    "0": "in_place",
    "0.5": "forward_slow",
    "1": "forward_fast",
}
_OPPOSITE = {"FL": "RR", "RR": "FL", "FR": "RL", "RL": "FR"}


def leg(name: str, rng: random.Random) -> str:
    """Name one leg, in ordinary or unusual words."""
    if rng.random() < 0.4:
        return f"{rng.choice(('the', 'your'))} {expand(LEGS[name], rng)} leg"
    return say(f"leg_{name.lower()}", rng)


def speed(rng: random.Random, value: str = "") -> tuple[str, str]:
    """A speed phrase with its value."""
    value = value or rng.choice(tuple(_SPEED_BANKS))
    if rng.random() < 0.5:
        return say(_SPEED_BANKS[value], rng), value
    if value == "0":
        return expand(PLACE, rng), value
    sign = -1 if value.startswith("-") else 1
    how = expand(SPEED[1 if value.endswith("0.5") else 2], rng)
    words = [expand(DIRECTION[sign], rng), how]
    if rng.random() < 0.25:
        words.reverse()
    return " ".join(words), value


def verb(rng: random.Random, name: str = "") -> tuple[str, str]:
    """A gait as a verb phrase with its name; walking is trotting."""
    name = name or rng.choice((*GAITS, *GAITS, "walk"))
    if name != "walk" and rng.random() < 0.4:
        return name, name
    return say(f"{name}_verb", rng), "trot" if name == "walk" else name


def _move(rng: random.Random, extra: str = "", said: str = "") -> Example:
    how, value = speed(rng)
    if rng.random() < 0.35:
        name = rng.choice(GAITS)
        text = say("order_noun", rng, n=say(f"{name}_noun", rng), s=how)
    else:
        words, name = verb(rng)
        plain = f"{words} {how}"
        text = plain if rng.random() < 0.3 else say("order", rng, v=words, s=how)
    return text + said, (f"{name}({value}{extra})",)


def _adjective(rng: random.Random) -> Example:
    """A slow or fast gait without a direction goes forward."""
    name = rng.choice(GAITS)
    slow = rng.random() < 0.5
    word = rng.choice(banks()["slow_adj" if slow else "fast_adj"])
    value, direction = rng.choice((("", ""), ("", expand(DIRECTION[1], rng)), ("-", "b")))
    if direction == "b":
        direction = expand(DIRECTION[-1], rng)
    article = "an" if word[:1] in "aeiou" else "a"
    text = expand("(do|go|show me|use|make|start|try|give me) ", rng) + f" {article} {word} {name} "
    return f"{text}{direction}".strip(), (f"{name}({value}{'0.5' if slow else '1'})",)


def _whole(rng: random.Random) -> Example:
    bank, plan = rng.choice(
        (
            ("happy", "bound(0.5)"),
            ("hot_ground", "trot(0,quick)"),
            ("sneak", "trot(0.5)"),
            ("stand", "stand(0)"),
            ("stand", "stand(0)"),
            ("whole_forward_fast", "trot(1)"),
            ("whole_forward_slow", "trot(0.5)"),
            ("whole_back_slow", "trot(-0.5)"),
            ("whole_back_fast", "trot(-1)"),
        )
    )
    return say(bank, rng), (plan,)


def _lift(rng: random.Random) -> Example:
    one, two = rng.sample(tuple(LEGS), 2)
    if rng.random() < 0.55:
        return say("lift_one", rng, l=leg(one, rng)), (f"stand(0,up={one})",)
    if rng.random() < 0.6:
        two = _OPPOSITE[one]
    said = {"l": leg(one, rng), "m": leg(two, rng)}
    if rng.random() < 0.5:
        return say("lift_two", rng, **said), (up((one, two)),)
    return say("stand_on_two", rng, **said), (up([x for x in LEGS if x not in (one, two)]),)


def up(names: Collection[str]) -> str:
    """Step of standing with some legs lifted."""
    return f"stand(0{''.join(f',up={name}' for name in LEGS if name in names)})"


def _three_legs(rng: random.Random) -> Example:
    name = rng.choice(tuple(LEGS))
    if rng.random() < 0.5:
        return say("three_legs_plain", rng, l=leg(name, rng)), (f"trot(0.5,up={name})",)
    (words, gait), (how, value) = verb(rng), speed(rng)
    return say("three_legs", rng, l=leg(name, rng), v=words, s=how), (f"{gait}({value},up={name})",)


def _air(rng: random.Random) -> Example:
    if rng.random() < 0.5:
        text, plan = _move(rng)
        return _joined(text, say("air", rng)), (plan[0][:-1] + ",air)",)
    (words, gait), (how, value) = verb(rng), speed(rng)
    return say("air_whole", rng, v=words, s=how), (f"{gait}({value},air)",)


def _faster(rng: random.Random) -> Example:
    name = rng.choice(tuple(LEGS))
    (words, gait), (how, value) = verb(rng), speed(rng)
    if rng.random() < 0.3:
        how, value = expand(DIRECTION[1], rng), "0.5"
    text = say("faster_leg", rng, v=words, s=how, l=leg(name, rng))
    return text, (f"{gait}({value},fast={name})",)


def _tempo(rng: random.Random) -> Example:
    bank = rng.choice(("quick", "calm"))
    text, plan = _move(rng)
    return _joined(text, say(bank, rng)), (f"{plan[0][:-1]},{bank})",)


def _duration(rng: random.Random) -> Example:
    n = rng.choice((1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 10, 10, 12, 15, 20))
    said = NUMBERS[n - 1] if n <= 10 and rng.random() < 0.5 else str(n)
    text, plan = rng.choice((_move, _move, _lift, _whole))(rng)
    return _joined(text, say("duration", rng, t=said)), (f"{plan[0][:-1]},t={n})",)


def _joined(text: str, more: str) -> str:
    text = text.rstrip(" .!?")
    return f"{text}{more}" if more[:1] in ",.;:-" else f"{text} {more}"


def act(rng: random.Random) -> Act:
    """Any single segment in all its grammatical forms."""
    makers = (
        quadruped_acts.gait,
        quadruped_standing.stand,
        quadruped_standing.lift,
        quadruped_acts.run,
        quadruped_acts.reverse,
    )
    return rng.choices(makers, (6, 2, 2, 1, 1))[0](rng)


def _sequence(rng: random.Random) -> Example:
    a, b, c = act(rng), act(rng), act(rng)
    bank = rng.choices(
        ("seq2", "seq2_gerund", "seq3", "then2", "then2_gerund", "after2_gerund"),
        (4, 2, 3, 2, 1, 1),
    )[0]
    slots = {"a": a.order, "b": b.order, "c": c.order, "ag": a.gerund, "bg": b.gerund}
    plan = (*a.plan, *b.plan, *c.plan) if bank == "seq3" else (*a.plan, *b.plan)
    return say(bank, rng, **slots), plan


def _bare(rng: random.Random) -> Example:
    first, second = rng.choice((("bound", "pace"), ("trot", "bound"), ("pace", "trot")))
    return say(f"{first}_then_{second}", rng), (f"{first}(0.5)", f"{second}(0.5)")


def _negation(rng: random.Random) -> Example:
    a, b = act(rng), act(rng)
    bank = rng.choice(("correct", "negate", "not_b"))
    return say(bank, rng, a=a.order, b=b.order, bg=b.gerund), a.plan


def _polite(rng: random.Random) -> Example:
    one = act(rng)
    if rng.random() < 0.7:
        return say("polite", rng, o=one.order), one.plan
    return say("polite_gerund", rng, g=one.gerund), one.plan


def _refusal(rng: random.Random) -> Example:
    kind = rng.choice(("unsafe", "impossible"))
    text = say(f"{kind}_dog", rng)
    if rng.random() < 0.15:
        text = say("seq2", rng, a=act(rng).order, b=text)
    return text, (f"refuse({kind})",)


_KINDS: Kinds[Example] = (
    (20, _move),
    (4, _adjective),
    (11, _whole),
    (10, _lift),
    (5, _three_legs),
    (6, _air),
    (6, _faster),
    (5, _tempo),
    (6, _duration),
    (12, _sequence),
    (2, _bare),
    (5, _negation),
    (6, _polite),
    (10, _refusal),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    text, plan = draw_weighted(_KINDS, rng)
    return wrapped(text, "dog", rng), plan
