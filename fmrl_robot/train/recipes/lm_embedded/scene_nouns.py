"""Phrases that only the scene can resolve: "whatever is in the bowl", "all but the red one"."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import Noun, cube, join
from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS

_ALL = (
    "(all|all|every one of|each of|all of) (the|the|the|your|) {s}|(all|all of) the {s}|every {n}|"
    "each {n}|everything|all (four|4) {s}|the four {s}|(every single|each and every) {n}|all|"
    "each one of the {s}|the {s}|all the {s} you can (see|find|reach)|everything (you see|there is)|"
    "all of them|every {n} you (see|have|find)|the whole lot"
)
_PLURAL = (
    "(all|all|all of|every one of) the {s} (that are|which are|lying|sitting|that lie|still|"
    "which are still|that are still|currently||) {at}|everything ((that is|that's|lying|which is|"
    "that lies|still|currently|) |){at}|(the|all the|any|the remaining|all remaining) {s} {at}|"
    "(whatever|what) (is|lies|you find|is still|is left|remains|sits|there is) {at}|"
    "(whatever|any|every|each) {n} (that is|is|lies|you find|that you see|which is|that lies|that sits) {at}|"
    "each {n} {at}|every {n} {at}|"
    "the {s} you (find|see|can find|have) {at}|all that (is|lies|remains) {at}|the stuff {at}|"
    "anything (that is|lying|) {at}|all {s} {at}|all {n}s {at}|all the {s} {at}|everything {at}"
)
_SINGLE = (
    "the {n} ((that is|that's|which is|lying|which lies|that lies|sitting|that sits|resting|"
    "you see|you find|placed|located|which was put|stored|kept|currently|right now|) |){at}|"
    "the one (that is |that's |lying |which is |) {at}|the {n} {at}|the {n} that (is|lies|sits) {at}|"
    "(that|this) {n} {at}|the thing {at}|whichever {n} is {at}|the {n} which (is|lies) {at}|"
    "the only {n} {at}|the single {n} {at}|the object {at}|{at} the {n}"
)


def _at(place: str, rng: random.Random) -> str:
    if place == "table":
        prep = expand("(on|on|on|on top of|upon)", rng)
    else:
        prep = expand("(in|in|in|inside|inside of|within)", rng)
    return f"{prep} {expand(WORDS['places'][place], rng)}"


def _words(rng: random.Random) -> dict[str, str]:
    return {"n": expand(WORDS["cube"], rng), "s": expand(WORDS["cubes"], rng)}


def everything(rng: random.Random) -> Noun:
    """All cubes wherever they are."""
    text = expand(_ALL, rng, _words(rng))
    plural = not text.startswith(("every", "each", "the whole"))
    return Noun(text, "each(all)", plural=plural)


def located(rng: random.Random, place: str | None = None) -> Noun:
    """What is in or on a place: one cube or several, the scene decides."""
    place = place or rng.choice((*CONTAINERS, "table"))
    condition = "on_table" if place == "table" else f"in_{place}"
    at = _at(place, rng)
    if place != "table" and rng.random() < 0.2:
        name = expand(WORDS["places"][place], rng)
        text = expand(
            "(the|all the|all|the whole|the entire) (contents|content) of {p}|"
            "{p}'s (contents|content)|what {p} (holds|contains)|(everything|all|the {s}|"
            "the {n}|the one|what you find|whatever is) (from|out of) {p}|"
            "what was put (in|into) {p}",
            rng,
            {"p": name, **_words(rng)},
        )
        return Noun(text, f"each({condition})", plural=rng.random() < 0.5)
    if rng.random() < 0.5:
        return Noun(expand(_SINGLE, rng, {"at": at, **_words(rng)}), f"each({condition})")
    text = expand(_PLURAL, rng, {"at": at, **_words(rng)})
    return Noun(text, f"each({condition})", plural=text.startswith(("all", "the")))


def stacked(rng: random.Random) -> Noun:
    """A cube by what it rests on, what rests on it, or its place in a stack."""
    color = rng.choice(COLORS)
    words = {"c": cube(color, rng), **_words(rng)}
    form = rng.random()
    if form < 0.45:
        text = expand(
            "(the {n}|the one|whatever|the {n} (that|which)|what|the thing) (is |sits |rests |lies |"
            "is stacked |stands |that is |)(on|on top of|on top of|atop|above|upon) {c}",
            rng,
            words,
        )
        return Noun(text, f"each(on_{color}_cube)")
    if form < 0.65:
        text = expand(
            "(the {n}|the one|whatever|the {n} (that|which)) (is |lies |sits |that is |)(under|below|"
            "underneath|beneath|directly under|right below|supporting|that carries|carrying) {c}",
            rng,
            words,
        )
        return Noun(text, f"each(under_{color}_cube)")
    text = expand(
        "the (top|top|topmost|uppermost|highest|upper) ({n}|one|{n}) (of|of|on|in|from) the (stack|tower|pile)|"
        "the (top|topmost|uppermost|highest|upper) ({n}|one)|the {n} (at|on) (the|) top( of the (tower|stack|pile)|)|"
        "(the|) top of the (stack|tower|pile)|what is on top of the (stack|tower|pile)",
        rng,
        words,
    )
    return Noun(text, "each(top)")


def some(rng: random.Random) -> Noun:
    """Any one, two or three cubes."""
    count = rng.choice((1, 1, 1, 2, 2, 3))
    words = _words(rng)
    number = {
        1: "(a|any|one|some|one of the|any of the|a single|any one of the|just one|an arbitrary)",
        2: "(two|any two|2|two of the|a couple of|a pair of|both of any two)",
        3: "(three|any three|3|three of the)",
    }[count]
    drawn = expand(number, rng)
    noun = words["s"] if count > 1 or drawn.endswith("the") else words["n"]
    place = rng.choice(("", "", "", "on_table", "in_bowl", "in_bin"))
    tail = ""
    if place:
        tail = " " + _at(place.split("_")[1], rng)
    return Noun(f"{drawn} {noun}{tail}", f"any({count},{place or 'all'})", plural=count > 1)


def excepting(rng: random.Random) -> Noun:
    """All but some."""
    colors = rng.sample(COLORS, rng.choice((1, 1, 1, 1, 2, 2)))
    base = (
        everything(rng)
        if rng.random() < 0.65
        else located(rng, rng.choice(("table", "bowl", "bin")))
    )
    but = expand(
        "(except|except|except for|but|but|apart from|other than|besides|excluding|bar|"
        "with the exception of|save for|minus|but not|, but not|, except|that (is|are) not|"
        "not counting|aside from|, just not|without)",
        rng,
    )
    text = f"{base.text} {but} {join([cube(c, rng) for c in colors], rng).replace('both ', '')}"
    if rng.random() < 0.12:
        text = expand(
            "(all|every|the|all the) non-{c} {s}",
            rng,
            {"c": colors[0], "s": expand(WORDS["cubes"], rng)},
        )
        colors, base = colors[:1], Noun("", "each(all)", plural=True)
    ref = base.ref[:-1] + "".join(f"-{c}_cube" for c in sorted(colors, key=COLORS.index)) + ")"
    return Noun(text, ref, plural=base.plural)


def held(rng: random.Random) -> Noun:
    """What the gripper holds."""
    return Noun(
        expand(
            "(what|whatever|the (cube|block|thing|object|piece|one) (that|)|the thing that) (you|you|the gripper|"
            "the robot|your hand) (are holding|hold|have|is holding|holds|currently hold|hold right now|"
            "are carrying|have picked up|grabbed|have in (your|the) (hand|gripper))|"
            "the (cube|block|object|held|thing) (in|inside) (your|the) (hand|gripper|fingers)|"
            "the (held|grasped|gripped) (cube|block|object|piece)|the (cube|block) being held",
            rng,
        ),
        "held",
    )


def scene_noun(rng: random.Random) -> Noun:
    """Any of the above."""
    kind = rng.choices((everything, located, stacked, some, excepting, held), (3, 6, 4, 2, 4, 1))[0]
    return kind(rng)
