"""Wishes stated rather than ordered: "the blue cube belongs in the bowl"."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import IN_PREP, ON_PREP, Noun, cube, cube_noun
from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.scene_nouns import scene_noun
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS

_GO = (
    "{x} (goes|goes|belongs|should go|should be|must be|has to go|needs to go|ought to be|"
    "is supposed to be|should end up|shall be|needs to be|can go|could go|is to be put|"
    "should be placed|should sit|should lie|must end up|has to be|may go|is meant to be|"
    "wants to be|is missing|now goes|needs moving|needs to get|should be moved) {in} {p}|"
    "(I want|I'd like|I need|we need|we want|I would like|I prefer) {x} (|to be |to go |placed |put |to end up |"
    "to sit |to lie |moved |to be put )({in}|{in}) {p}|"
    "{x} {in} {p}(| please|, please|, thanks| now)|{in} {p} (with|goes|comes|belongs) {x}|"
    "{p} is where {x} (should be|goes|belongs|should go|needs to be)|get {x} {in} {p}|"
    "(let|have|make) {x} (go|sit|rest|lie|land|end up) {in} {p}|(see|make sure) that {x} (gets|ends up|lands|goes) {in} {p}|"
    "(why don't you|how about you|you could|you can|you may) (put|place) {x} {in} {p}|find {x} and put it {in} {p}|"
    "{p} (should|must|has to|ought to|is to|shall) (contain|hold|have|receive|get|carry) {x}|"
    "{x}: {in} {p}|{x} -> {p}|the (place|right place|home|destination|target) (of|for) {x} is {p}|"
    "(I think|I believe|in my opinion) {x} (belongs|should be|goes) {in} {p}|what about {x} {in} {p}|"
    "could {x} (please |)(go|be put|be placed|be moved) {in} {p}(?|)|{x} would look (nice|good|better) {in} {p}|"
    "move {x} so that it is {in} {p}|use your gripper to (put|bring|get|place) {x} {in} {p}"
)


def declare(rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """One wish about one thing."""
    noun = scene_noun(rng) if rng.random() < 0.25 else cube_noun(rng)
    others = [c for c in COLORS if c not in noun.ref]
    on_cube = rng.random() < 0.4 and not noun.plural and len(others) > 0
    if on_cube:
        color = rng.choice(others)
        place, target, prep = f"{color}_cube", cube(color, rng), expand(ON_PREP, rng)
        if rng.random() < 0.2:
            return _carrying(noun, place, target, rng)
    else:
        places = [c for c in CONTAINERS if c not in noun.ref]
        place = rng.choice(places)
        target, prep = expand(WORDS["places"][place], rng), expand(IN_PREP, rng)
    if rng.random() < 0.2:
        prep = "in" if not on_cube else "on"
    if place == "bin" and rng.random() < 0.3:
        text = expand(
            "(throw|toss|chuck) {x} (away|out|in the trash)|(trash|bin|discard|dispose of|get rid of|scrap|junk|throw out) {x}|"
            "{x} is (garbage|rubbish|trash|waste)(, (throw it away|get rid of it)|)|"
            "(I (don't|do not) need|nobody needs|we no longer need) {x} (anymore|any more|any longer)?, (throw it away|bin it|trash it)|"
            "{x} (can|should|must) be (thrown away|discarded|trashed|binned)",
            rng,
            {"x": noun.text},
        )
        text = text.replace("?,", ",")
    else:
        text = expand(_GO, rng, {"x": noun.text, "in": prep, "p": target})
    plan = (f"put({noun.ref},{place})",)
    return text, (("ensure_open(drawer)", *plan) if place == "drawer" else plan)


def _carrying(
    noun: Noun, place: str, target: str, rng: random.Random
) -> tuple[str, tuple[str, ...]]:
    """State a stack from below: "the green cube should carry the blue one"."""
    text = expand(
        "{y} (should|must|shall|has to|needs to|ought to) (carry|support|hold|bear|be under|be below|be underneath|lie under) {x}|"
        "(I want|I need|I'd like) {y} (to carry|to support|under|below|underneath|to be under|beneath) {x}|"
        "(use|take) {y} as (a |the |)(base|support|platform|foundation|pedestal) (for|of) {x}|"
        "{y} (at the bottom|below|underneath), {x} on top|with {y} (at the bottom|underneath|below|as the base), (put|place|set) {x} on top|"
        "(put|place|slide) {x} so that {y} is (under|below|beneath) it|on top of {y} (goes|comes|put|place|I want|should be) {x}|"
        "on {y} (goes|comes|put|place|I want|set) {x}|cover {y} with {x}|top {y} with {x}|crown {y} with {x}|"
        "take {y} as a base and (put|set|stack) {x} on (it|top)|{y} gets {x} on top( of it|)",
        rng,
        {"x": noun.text, "y": target},
    )
    return text, (f"put({noun.ref},{place})",)
