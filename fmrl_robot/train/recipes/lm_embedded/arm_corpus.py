"""Instructions for the arm with their plans, drawn by kind."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded import arm_refusals, scene_nouns
from fmrl_robot.train.recipes.lm_embedded.arm_acts import (
    Act,
    Noun,
    cube,
    cube_noun,
    hold,
    move,
    press,
)
from fmrl_robot.train.recipes.lm_embedded.arm_corrections import correction
from fmrl_robot.train.recipes.lm_embedded.arm_tasks import (
    drawer_act,
    group_move,
    scene_move,
    take_out,
    tidy,
    tower,
)
from fmrl_robot.train.recipes.lm_embedded.connectors import sequence, wrap
from fmrl_robot.train.recipes.lm_embedded.declarations import declare
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, draw_weighted, expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS


def random_move(rng: random.Random) -> Act:
    """One cube to a container or onto another cube."""
    noun = cube_noun(rng)
    others = [f"{c}_cube" for c in COLORS if f"{c}_cube" != noun.ref]
    place = rng.choice((*CONTAINERS, "bowl", "bin", *rng.sample(others, 2), "table"))
    return move(noun, place, rng)


def rest(rng: random.Random) -> Example:
    """Name one cube, then "the others"."""
    color = rng.choice(COLORS)
    first, second = rng.sample(CONTAINERS, 2)
    noun = Noun(cube(color, rng), f"{color}_cube")
    others = expand(
        "(the rest|the others|all the others|the other (cubes|blocks|three|ones|3 cubes)|everything else|"
        "the remaining (ones|cubes|blocks)|all other (cubes|blocks)|all the rest|the rest of (the cubes|them))",
        rng,
    )
    a = move(noun, first, rng)
    b = move(Noun(others, f"each(all-{color}_cube)", plural=True), second, rng)
    return sequence([a, b], rng)


def ellipsis(rng: random.Random) -> Example:
    """Several moves in telegraph style: "red in bowl, blue on green"."""
    count = rng.choice((2, 2, 3))
    colors = rng.sample(COLORS, count)
    spare = [c for c in COLORS if c not in colors] or [colors[0]]
    parts: list[str] = []
    plan: list[str] = []
    short = rng.random() < 0.4
    for color in colors:
        name = expand(WORDS["colors"][color], rng) if short else cube(color, rng)
        place = rng.choice((*CONTAINERS, *(f"{c}_cube" for c in spare)))
        if place.endswith("_cube"):
            spare = [color]
            target = (
                place.removesuffix("_cube") if short else cube(place.removesuffix("_cube"), rng)
            )
            parts.append(f"{name} {expand('(on|on top of|onto)', rng)} {target}")
        else:
            target = place if short else expand(WORDS["places"][place], rng)
            parts.append(f"{name} {expand('(in|into|to|inside)', rng)} {target}")
            if place == "drawer" and "ensure_open(drawer)" not in plan:
                plan.append("ensure_open(drawer)")
        plan.append(f"put({color}_cube,{place})")
    lead = expand("(||put |place |move |can you put |please put |I want |drop |we need |)", rng)
    link = rng.choice((", ", ", ", "; ", " and ", ", then ", " and then "))
    return lead + link.join(parts), tuple(plan)


def simple(rng: random.Random) -> Act:
    """Any act that can stand in a sequence."""
    makers = (random_move, press, drawer_act, group_move, take_out, scene_move, tower, tidy)
    act = rng.choices(makers, (9, 5, 4, 2, 2, 2, 2, 1))[0](rng)
    return act


def pick(rng: random.Random) -> Example:
    """Hold one cube at the end."""
    if rng.random() < 0.25:
        color = rng.choice(COLORS)
        place = rng.choice((*CONTAINERS, "table"))
        at = expand("(in|from|inside|out of|that is in|lying in)", rng)
        if place == "table":
            at = expand("(on|from|off|that is on|lying on)", rng)
        noun = Noun(
            f"{cube(color, rng)} {at} {expand(WORDS['places'][place], rng)}", f"{color}_cube"
        )
    else:
        noun = cube_noun(rng)
    if rng.random() < 0.2:
        act = hold(scene_nouns.located(rng) if rng.random() < 0.6 else scene_nouns.some(rng), rng)
        plan = tuple(s.replace("any(2,", "any(1,").replace("any(3,", "any(1,") for s in act.plan)
        return wrap(Act(plan, act.order, act.gerund, act.perfect, act.state), rng)
    return wrap(hold(noun, rng), rng)


def finally_hold(rng: random.Random) -> Example:
    """Do something, then pick a cube up and keep it."""
    return sequence([simple(rng), hold(cube_noun(rng), rng)], rng)


def _single(rng: random.Random) -> Example:
    return wrap(move(cube_noun(rng), rng.choice(CONTAINERS), rng), rng)


def _on_cube(rng: random.Random) -> Example:
    color, base = rng.sample(COLORS, 2)
    return wrap(move(Noun(cube(color, rng), f"{color}_cube"), f"{base}_cube", rng), rng)


def _several_acts(rng: random.Random) -> Example:
    return sequence([simple(rng) for _ in range(rng.choice((2, 2, 2, 3)))], rng)


def _two_moves(rng: random.Random) -> Example:
    return sequence([random_move(rng), random_move(rng)], rng)


def _with_press(rng: random.Random) -> Example:
    acts = [simple(rng), press(rng)]
    return sequence(acts if rng.random() < 0.65 else acts[::-1], rng)


_KINDS = (
    (4, pick),
    (7, _single),
    (5, declare),
    (6, _on_cube),
    (9, lambda rng: wrap(tower(rng), rng)),
    (11, _several_acts),
    (6, _two_moves),
    (7, _with_press),
    (5, ellipsis),
    (6, lambda rng: wrap(drawer_act(rng), rng)),
    (1.5, lambda rng: wrap(press(rng), rng)),
    (3, lambda rng: wrap(group_move(rng), rng)),
    (5, lambda rng: wrap(take_out(rng), rng)),
    (8, lambda rng: wrap(scene_move(rng), rng)),
    (3, lambda rng: wrap(tidy(rng), rng)),
    (2, rest),
    (1.5, finally_hold),
    (12, correction),
    (7, arm_refusals.draw),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    return draw_weighted(_KINDS, rng)
