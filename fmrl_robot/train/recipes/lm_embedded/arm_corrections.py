"""Changes of mind, negations and exceptions: what is said but not to be done."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import (
    IN_PREP,
    ON_PREP,
    Act,
    cube,
    cube_noun,
    drawer,
    hold,
    move,
    press,
)
from fmrl_robot.train.recipes.lm_embedded.connectors import polite
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, expand
from fmrl_robot.train.recipes.lm_embedded.scene_nouns import everything, excepting, located
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS

_OOPS = (
    "(, no wait, |, no, |, sorry, |, I mean |, I mean, | - no, | -- sorry, |, wait, |, actually |, or rather |"
    ", oh no, |, no sorry, | no wait |, scratch that, |, correction: |, oops, |... no, |, I meant |, hmm, no, |"
    " - no wait, |, er, |, not that, |, pardon, |, that is, |, or no, |, make that |, better |, or better |, ehm, | no, |"
    " - sorry, I meant |, sorry, I mean |, I mean rather |, well no, |, uh, I mean |, excuse me, |, nope, )"
)
_RESTART = (
    "(. Actually no, |. Actually, |. No wait, |. Sorry, |. No, |. Scratch that, |. On second thought, |. Wait, |"
    ", actually no, |, no, |. Hmm, no: |, sorry, I meant |. I changed my mind: |. Correction: |, on second thoughts |"
    "... no, better |. Forget that, |, forget it, |. Oh no, I meant |. Or rather |. Never mind, |. Rather |"
    ", wait, better |. I meant: |. Better: |, no no, |. Ah no, | - no, wait - | - actually | - sorry, I meant |, or rather |"
    ", I mean |. I mean |, excuse me, |. Stop, |, hold on, |. My mistake, |, ah sorry, )"
)


def _target(place: str, rng: random.Random) -> str:
    if place.endswith("_cube"):
        return f"{expand(ON_PREP, rng)} {cube(place.removesuffix('_cube'), rng)}"
    return f"{expand(IN_PREP, rng)} {expand(WORDS['places'][place], rng)}"


def _plan(ref: str, place: str) -> tuple[str, ...]:
    put = (f"put({ref},{place})",)
    return ("ensure_open(drawer)", *put) if place == "drawer" else put


def _verb(rng: random.Random) -> str:
    return expand("(put|put|place|drop|move|set|lay|bring|stick|throw|toss|store)", rng)


def _noun_slip(rng: random.Random) -> Example:
    """Name the wrong cube, then the right one."""
    wrong, right = rng.sample(COLORS, 2)
    place = rng.choice((*CONTAINERS, *(f"{c}_cube" for c in COLORS if c not in (wrong, right))))
    oops = expand(_OOPS, rng)
    bare = rng.random() < 0.4
    said = f"the {expand(WORDS['colors'][wrong], rng)}" if bare else cube(wrong, rng)
    verb = _verb(rng)
    if rng.random() < 0.15:
        return f"{expand('(pick up|grab|take|lift|hold)', rng)} {said}{oops}{cube(right, rng)}", (
            f"hold({right}_cube)",
        )
    if rng.random() < 0.75:
        return f"{verb} {said}{oops}{cube(right, rng)} {_target(place, rng)}", _plan(
            f"{right}_cube", place
        )
    return f"{verb} {said} {_target(place, rng)}{oops}{cube(right, rng)}", _plan(
        f"{right}_cube", place
    )


def _place_slip(rng: random.Random) -> Example:
    """Name the wrong place, then the right one."""
    noun = cube_noun(rng)
    others = [c for c in COLORS if c not in noun.ref]
    wrong, right = rng.sample((*CONTAINERS, *(f"{c}_cube" for c in others)), 2)
    oops = expand(_OOPS if rng.random() < 0.5 else _RESTART, rng)
    return f"{_verb(rng)} {noun.text} {_target(wrong, rng)}{oops}{_target(right, rng)}", _plan(
        noun.ref, right
    )


def _stack_slip(rng: random.Random) -> Example:
    """Say a stack wrongly, then rightly, often in short."""
    a, b, c = rng.sample(COLORS, 3)
    right = rng.choice(((b, a), (a, c), (c, b)))
    oops = expand(_OOPS if rng.random() < 0.5 else _RESTART, rng)
    on = expand("(on|on|on top of|onto)", rng)
    say = cube if rng.random() < 0.6 else (lambda color, r: expand(WORDS["colors"][color], r))
    verb = expand("(stack|put|place|set)", rng)
    again = rng.choice(("", "", f"{verb} "))
    return (
        f"{verb} {say(a, rng)} {on} {say(b, rng)}{oops}{again}{say(right[0], rng)} {on} {say(right[1], rng)}",
        (f"put({right[0]}_cube,{right[1]}_cube)",),
    )


def _not_but(rng: random.Random) -> Example:
    """Contrast: "not the red but the blue", "in the bin instead of the bowl"."""
    noun = cube_noun(rng)
    other = cube(rng.choice([c for c in COLORS if c not in noun.ref]), rng)
    good, bad = rng.sample(CONTAINERS, 2)
    to, bad_to = _target(good, rng), _target(bad, rng)
    good_name, bad_name = (expand(WORDS["places"][p], rng) for p in (good, bad))
    text = expand(
        "{v} {x} {to}, not {y}|{v} {x}, not {y}, {to}|{v} not {y} but {x} {to}|I want {x} {to}, not {y}|"
        "{v} {x} {to} (instead of|rather than|and not) {y}|don't {v} {y} {to}, {v} {x} there|"
        "{v} {x} {to}, not {bad}|{v} {x} not {bad} but {to}|do not {v} {x} {bad}, {v} it {to}|"
        "don't {v} {x} {bad}, (but|rather|instead) ({v} it |){to}|instead of {q} use {p} for {x}|"
        "use {p} (instead of|rather than|and not|, not) {q} for {x}|for {x} use {p}, not {q}|"
        "{v} {x} {to} (instead of|rather than|and not) {bad}|rather than {bad}, {v} {x} {to}|"
        "{x} (should|must) not go {bad} but {to}|{x} goes {to}, not {bad}|not {bad}, {v} {x} {to}|"
        "{v} {x} (instead of|and not|not|rather than) {y} {to}|it is {x} that goes {to}, not {y}|"
        "instead of {y} {v} {x} {to}|{x} and not {y} (should go|goes|belongs|should be) {to}|only {v} {x} {to}, not {y}|"
        "{v} only {x} {to}|{v} {x} and nothing else {to}|{v} just {x} {to}, leave {y} (alone|there|where it is)|"
        "{x} must not be {bad}, (but|so) {v} it {to}|{v} {x} {to}( and|, but|;) (don't touch|leave|do not move) {y}|"
        "without (touching|moving) {y}, {v} {x} {to}|{v} {x} {to} without (touching|moving|disturbing) {y}",
        rng,
        {
            "v": _verb(rng),
            "x": noun.text,
            "y": other,
            "to": to,
            "bad": bad_to,
            "p": good_name,
            "q": bad_name,
        },
    ).replace(" ,", ",")
    return text, _plan(noun.ref, good)


def _leave(rng: random.Random) -> Example:
    """All cubes, but some stay."""
    colors = sorted(rng.sample(COLORS, rng.choice((1, 1, 1, 2))), key=COLORS.index)
    base = everything(rng) if rng.random() < 0.7 else located(rng, "table")
    place = rng.choice(CONTAINERS)
    kept = " and ".join(cube(c, rng) for c in colors)
    it, its = ("it", "is") if len(colors) == 1 else ("them", "are")
    text = expand(
        "{v} {all} {to}(, but|, only| but|, just|;|. But|, however,) (leave|keep|let) {k} (alone|where {it} {is}|there|as {it} {is}|"
        "out|untouched|in place|on the table|stay)|{v} {all} {to}, (but not|not|except|only not) {k}|"
        "leave {k} (where {it} {is}|alone|there|untouched) (and|but) {v} (everything else|the rest|all the others|the other cubes|the others) {to}|"
        "{v} {all} {to} (except|but|except for|apart from|other than) {k}|(except for|apart from|with the exception of) {k}, {v} {all} {to}|"
        "{v} {all} {to} without (touching|moving) {k}|{v} {all} {to}(, but|. However,|, and) (don't|do not) (touch|move|take) {k}|"
        "{k} (should stay|stays|stay|must stay|can stay|remains|remain) (where {it} {is}|there|put|here), {v} (everything else|the rest|all the others|the others|the other ones) {to}|"
        "only {k} may stay, {v} the rest {to}|all {but} {k} (goes|go|should go|belong|must go|shall be put) {to}|"
        "everything {but} {k} (goes|should go|belongs|must go|has to go|ends up|should be) {to}",
        rng,
        {
            "v": _verb(rng),
            "all": base.text,
            "to": _target(place, rng),
            "k": kept,
            "it": it,
            "is": its,
            "but": expand("(but|except|apart from|except for|other than|save)", rng),
        },
    )
    # "Everything else" means every cube, wherever "all" above was narrower.
    ref = base.ref if base.text in text else "each(all)"
    ref = ref[:-1] + "".join(f"-{c}_cube" for c in colors) + ")"
    return text, _plan(ref, place)


def _act(rng: random.Random) -> Act:
    kind = rng.random()
    if kind < 0.25:
        return drawer(rng.random() < 0.6, rng)
    if kind < 0.4:
        return press(rng)
    if kind < 0.5:
        return hold(cube_noun(rng), rng)
    noun = cube_noun(rng)
    others = [f"{c}_cube" for c in COLORS if f"{c}_cube" != noun.ref]
    return move(noun, rng.choice((*CONTAINERS, rng.choice(others))), rng)


def _do_not(rng: random.Random) -> Example:
    """One act wanted, another forbidden or withdrawn."""
    act, other = _act(rng), _act(rng)
    while set(other.plan) & set(act.plan):
        other = _act(rng)
    form = expand(
        "{a}, but (do not|don't|never) {b}|{a} and (don't|do not) {b}|do not {b}, (but |instead |rather |just |){a}|"
        "don't {b}(, |; |. |: )(instead |just |rather |){a}|{a} without {bg}|{a}. Do not {b}|{a}, but without {bg}|"
        "{a} instead of {bg}|instead of {bg}, {a}|rather than {bg}, {a}|no need to {b}, (just |){a}|"
        "{b}{no}{a}|{b}{no}{a}|{b}{no}{a}|I (first |)wanted you to {b}, but (now |)(please |){a}|not {bg} but {ag}, please|"
        "you (don't|do not) have to {b}, (just|only|simply) {a}|(stop|forget about) {bg}(,|;| and) {a}( instead|)|"
        "I said {b}, but I meant {a}|{a}, (but |)not {b}|only {a}, don't {b}|just {a}, (don't|do not) {b}",
        rng,
    )
    for key, value in (
        ("{bg}", other.gerund),
        ("{ag}", act.gerund),
        ("{a}", act.order),
        ("{b}", other.order),
        ("{no}", expand(_RESTART, rng)),
    ):
        form = form.replace(key, value)
    return form, act.plan


def _but_all(rng: random.Random) -> Example:
    noun = excepting(rng)
    place = rng.choice(CONTAINERS)
    text = expand(
        "{v} {x} {to}|{v} {x} {to}|{x} (goes|go|should go|belongs|must go|into|should be) {to}",
        rng,
        {"v": _verb(rng), "x": noun.text, "to": _target(place, rng)},
    ).replace("into in", "in")
    return text, _plan(noun.ref, place)


def correction(rng: random.Random) -> Example:
    """One instruction whose plan differs from its first words."""
    maker = rng.choices(
        (_noun_slip, _place_slip, _stack_slip, _not_but, _leave, _do_not, _but_all),
        (4, 3, 2, 4, 4, 5, 3),
    )[0]
    text, plan = maker(rng)
    return polite(text, rng) if rng.random() < 0.2 else text, plan


__all__ = ["correction"]
