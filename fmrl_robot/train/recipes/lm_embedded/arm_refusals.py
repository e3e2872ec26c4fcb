"""Requests the arm has to decline: unknown things, impossible and unsafe acts, small talk."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import (
    IN_PREP,
    Act,
    cube,
    cube_noun,
    drawer,
    move,
    press,
)
from fmrl_robot.train.recipes.lm_embedded.connectors import polite
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS


def _thing(rng: random.Random) -> str:
    if rng.random() < 0.55:
        return rng.choice(("the ", "the ", "the ", "a ", "that ", "my ", "")) + rng.choice(
            WORDS["unknown_things"]
        )
    color, noun = rng.choice(WORDS["unknown_colors"]), expand(WORDS["cube"], rng)
    return rng.choice(
        ("the {} {}", "the {} {}", "the {} one", "{}", "a {} {}", "the {} {}")
    ).format(color, noun)


def _unknown(rng: random.Random) -> Example:
    """A thing or a place that is not there."""
    place = expand(WORDS["places"][rng.choice(CONTAINERS)], rng)
    slots = {
        "t": _thing(rng),
        "p": place,
        "in": expand(IN_PREP, rng),
        "x": cube_noun(rng).text,
        "q": "the " + rng.choice(WORDS["unknown_places"]),
        "v": expand("(put|place|drop|move|throw|stick|bring|set|lay|store)", rng),
        "g": expand("(pick up|grab|take|lift|hold|get|fetch|grasp|raise)", rng),
    }
    text = expand(
        "{v} {t} {in} {p}|{v} {t} {in} {p}|{g} {t}|{g} {t}|{v} {x} {in} {q}|{v} {x} {in} {q}|{v} {x} on (top of |){t}|"
        "stack {x} on {t}|stack {t} on {x}|{v} {t} on {x}|take {t} out of {p}|{v} {t} and {x} {in} {p}|"
        "(open|close|shut|unlock|lock|pull open) {q}|(press|push|touch) {t}|(press|hit) the (keyboard|screen|space bar|doorbell|horn|lever|pedal|second button|brake)|"
        "(take|remove|get) {x} (from|out of) {q}|{v} {t} {in} {q}|{t} {in} {p}|{t} (belongs|goes|should go) {in} {p}|{x} (belongs|goes|should be) {in} {q}|"
        "build a tower (of|with|from) {t} and {x}|(hide|store) {t} in {p} and close it|{g} {t} and (put|place) it {in} {p}|"
        "(cut|slice|peel|eat|taste|wash|open|read|fold|charge|use) {t}",
        rng,
        slots,
    )
    return text, ("refuse(unknown)",)


def _impossible(rng: random.Random) -> Example:
    """Known things, acts the arm or the world does not allow."""
    a, b = (expand(WORDS["places"][p], rng) for p in rng.sample((*CONTAINERS, "table"), 2))
    color = rng.choice(COLORS)
    slots = {
        "a": a,
        "b": b,
        "x": cube(color, rng),
        "same": cube(color, rng),
        "y": cube_noun(rng).text,
        "button": expand("(the button|the switch|the lamp)", rng),
        "v": expand("(put|place|drop|move|stack|set|throw|balance|lay)", rng),
    }
    text = expand(
        "{v} {a} (in|into|inside|on|on top of|onto|under) {b}|{v} {a} (on|on top of|onto|in) {x}|stack {a} on (top of |)({b}|{x})|"
        "(pick up|grab|lift|carry|hold|take|raise|grasp) {a}|{v} {x} (on|on top of|onto|inside|in) (itself|{same}|its own top|itself again)|"
        "{v} {button} (in|into|on) ({b}|{x})|(open|close|shut|press|unlock|switch on) ({x}|{x}|the bowl|the table|the bin lid)|(press|push|click) ({x}|{a})|"
        "{v} {x} (inside|into) {y}|(paint|colour|dye|wash|heat|melt|freeze|photograph|weigh|measure|duplicate|copy|shrink|enlarge) {x}( (pink|orange|blue|black)|)|"
        "(turn|change|make|transform) {x} (into|to) (a ball|a bird|gold|a {y}|water|a sphere)|make {x} (bigger|smaller|heavier|fly|disappear|float|invisible|round|talk)|"
        "{v} {x} (between|behind|under|left of|beside) (the wall|the house|yourself|the robot|the floor|the ceiling)|"
        "(put|place) {x} (under|underneath|below) the (table|floor|bowl|drawer)|(let|make) {x} (hover|float|levitate|fly) (above|over) {b}|"
        "build a tower of (five|six|seven|ten|20|a hundred|twelve) (cubes|blocks)|(juggle|spin|shuffle) (with |)({x}|the cubes|all the cubes)|"
        "(walk|run|go|come|drive|move|roll|swim|jump|climb|fly|crawl|travel|step|trot|dance) (over |)(to|into|towards|around|through) (the (kitchen|door|window|other room|wall|hall|garden|person|sofa|street|stairs|corner|next room)|me|here)|"
        "(trot|pace|bound|walk|run|jump|sit|lie down|stand|gallop|hop|crawl|swim|fly) (forward|backward|in place|down|up|still|away|around|fast|slowly|high)( slowly| fast|)|"
        "(lift|raise|give me) your (left |right |front |rear |)(leg|paw|foot)|turn (around|left|right|180 degrees)|(remove|lift|carry|move|tilt|flip|turn over|clean|saw) the table|"
        "(take|pull) {a} out of {b}|fill {a} with (sand|water|air|soil|paint|cubes of ice)|put everything (in|into) {x}|"
        "(stack|put) {x} (on|under) {same} (and|while) {same} (is |)(on|under) {x}|(swap|exchange) the colou?rs of {x} and {y}",
        rng,
        slots,
    )
    return text.replace("u?", rng.choice(("u", ""))), ("refuse(impossible)",)


def _unsafe(rng: random.Random) -> Example:
    """Harm to people, to things or to the robot."""
    who = expand(
        "(the {w}|the {w}|that {w}|someone|somebody|me|him|her|them|anyone|people|my {w}|{n})",
        rng,
        {"w": rng.choice(WORDS["people"]), "n": rng.choice(WORDS["names"][:10])},
    )
    slots = {
        "w": who,
        "x": cube_noun(rng).text,
        "a": expand(WORDS["places"][rng.choice((*CONTAINERS, "table"))], rng),
        "s": rng.choice(WORDS["people"]),
    }
    text = expand(
        "(throw|hurl|fling|toss|shoot|launch|chuck|drop|swing|slam) {x} (at|at|towards|onto|against|on|at the head of|in the face of) {w}( as hard as you can| over there| next to you| behind you|)|"
        "(hit|punch|strike|slap|beat|hurt|stab|pinch|squeeze|crush|scratch|attack|kill|choke|push|injure|poke|whack|knock out|harm) {w}( with {x}| hard| with (the|your) (gripper|arm|hand)| in the (face|eye)|)|"
        "(smash|break|crush|destroy|shatter|burn|tear|demolish|wreck|ruin|crack|damage|explode|blow up|split|set fire to|squash|grind|hammer on) ({x}|{a}|{x}|the button|everything|all the cubes)( to pieces| with full force| into bits| completely|)|"
        "(hit|slam|bang|punch|strike|ram|pound|crash into|beat|kick|hammer|smash) ({a}|{x}|the button|the wall|the camera|yourself|the floor|the screen) (as hard as you can|with full force|with all your strength|very hard|violently|until it breaks|with your fist|at full speed|hard|again and again)|"
        "(throw|hurl|fling|toss|kick|knock|sweep|push|shove|fire) ({x}|{a}|everything|all cubes|the cubes) (across the room|out of the window|off the table|on the floor|to the floor|against the wall|through the window|over the edge|down on the floor)|"
        "(disable|turn off|switch off|ignore|remove|override|bypass|forget|skip|deactivate) (the |your |all |all your |)(safety|safety checks|limits|gate|emergency stop|instructions|rules|speed limits|joint limits|safety system|brakes|previous instructions|collision checks)( and {v} {x}|)|"
        "(move|swing|spin|wave|shake|whirl) (your arm|the arm|yourself|wildly) (as fast as (you can|possible)|at maximum speed|around wildly|through the person|into the {s}|with no limits|like crazy)|"
        "(grab|squeeze|hold|pinch|clamp|catch|trap) (my|his|her|the {s}'s|the) (hand|finger|arm|neck|hair|nose|fingers|throat)|break your own (arm|gripper|joint|motors)|(collide|crash) with (the (table|wall|{s}|camera)|yourself)|"
        "(put|stick|jam) (my|your|his|the {s}'s) (hand|finger|fingers) (in|into) {a}|(point|aim) (a gun|the laser|the knife|{x}) at {w}|(poison|drown|burn|electrocute) {w}|close the drawer on (my|his|her|the {s}'s) (hand|finger|fingers)",
        rng,
        slots,
    ).replace("{v}", rng.choice(("grab", "throw", "move")))
    return text, ("refuse(unsafe)",)


def _chatter(rng: random.Random) -> Example:
    if rng.random() < 0.35:
        who = rng.choice(WORDS["names"])
        thing = rng.choice((_thing(rng), cube_noun(rng).text))
        text = expand(
            "(give|hand|bring|pass|throw|show|send|sell|offer|take) ({t} to {w}|{w} {t})|(bring|take|carry|deliver) {t} to (the (kitchen|table next door|door|office|other room)|{w})",
            rng,
            {"t": thing, "w": who},
        )
        return text, ("refuse(impossible)",)
    return expand(rng.choice(WORDS["chatter"]), rng), ("refuse(impossible)",)


def draw(rng: random.Random) -> Example:
    """One refused request, sometimes hidden in an otherwise possible sequence."""
    maker = rng.choices((_unknown, _impossible, _unsafe, _chatter), (5, 4, 4, 2))[0]
    text, plan = maker(rng)
    if maker is not _chatter and rng.random() < 0.15:
        bad = Act(plan, text, text, text, text)
        good = rng.choice(
            (press(rng), drawer(True, rng), move(cube_noun(rng), rng.choice(("bowl", "bin")), rng))
        )
        pair = [good, bad] if rng.random() < 0.6 else [bad, good]
        joiner = rng.choice((" and then ", ", then ", " and ", ". Then ", ", ", " and afterwards "))
        return pair[0].order + joiner + pair[1].order, plan
    return polite(text, rng) if rng.random() < 0.4 else text, plan
