"""Requests the quadruped has to decline."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded import arm_corpus
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import WORDS


def _impossible(rng: random.Random) -> Example:
    thing = rng.choice(WORDS["unknown_things"])
    slots = {
        "t": f"the {thing}",
        "q": "the " + rng.choice(WORDS["unknown_places"]),
        "w": f"the {rng.choice(WORDS['people'])}",
        "n": str(rng.choice((3, 4, 5, 7, 8, 12, 15, 20, 25, 30, 50, 100, 300))),
        "g": expand("(trot|pace|bound|run|walk|go|move)", rng),
        "o": expand(
            "(fifth|sixth|seventh|third front|middle|eighth|tenth|invisible|wooden|extra)", rng
        ),
    }
    text = expand(
        "(do|perform|make|show me|try) (a|an|the) (backflip|somersault|handstand|cartwheel|front flip|pirouette|salto|headstand|moonwalk|roll|barrel roll|spin|push-up|split|dance|breakdance|double somersault|frontflip)|"
        "(jump|leap|hop|climb|fly|swim) (over|onto|across|up|through|into|on) (the |a )(wall|fence|table|box|roof|tree|river|house|stairs|ladder|car|sofa|lake|gap|hurdle|moon|window|hoop|mountain)|"
        "(turn|spin|rotate|swivel|veer|curve|look) (left|right|around|to the left|to the right|clockwise|counterclockwise|90 degrees|by 180 degrees|round|in a circle)|"
        "(walk|run|trot|go|move|step|strafe|slide) (sideways|sidewards|in a circle|in circles|to the left|to the right|diagonally|in a figure eight|in a zigzag|left|right|in a square|around the table|upstairs|downstairs|on the ceiling|up the wall|on water)|"
        "{g} (forward|ahead|backward|backwards) (at|with) {n} (m/s|metres per second|meters per second|km/h|miles per hour|kilometres per hour)|{g} at {n} (m/s|metres per second|meters per second|times the speed of sound)|"
        "{g} (faster than (light|sound|a car|a train|a cheetah|a rocket)|at the speed of (light|sound)|as fast as a (train|car|jet|rocket|bullet))|"
        "(pick up|grab|fetch|bring me|carry|take|throw|catch|hold|lift|push|deliver|find|get) {t}|(open|close|unlock|lock|shut|knock on|paint) {q}( for me|)|"
        "(put|place|drop) {t} (in|on|into) {q}|(go|walk|run|drive|trot|travel|come) (to|into|towards|around) ({q}|{w}|the (shop|city|beach|sun|moon|park|station)|me|us)|follow ({w}|me|us|that car)|"
        "(lift|raise|move|wave|hold up|stand on) your {o} (leg|foot|paw)|(lift|raise|pick up) (all|all four|all of your|all 4|every) (legs|feet|paws|leg|foot)( at once| and stay up| forever| at the same time|)|"
        "stand (on no legs|on zero legs|without (any |)(legs|feet)|with no (foot|feet|leg|legs) on the (ground|floor)|on your (head|tail|back|nose)|on (one|a single|just one) (leg|foot)|on five legs|on six legs|upside down|in the air)|"
        "(hover|float|levitate|fly|fly away|sit down|lie down|roll over|sit|lie on your back|crouch|swim|dive|crawl|play dead|sleep|bow|gallop sideways|stretch|dig a hole|bark|eat|drink|wag your tail|beg|howl|take off)|"
        "fly (to|over|around|above) (the (sky|sun|house|city|clouds|moon base)|Mars|London|Paris)|(grow|lose|remove|detach|swap) (a|your|two) (leg|legs|wheel|wing|wings)|"
        "(what|which) gait do you (like|prefer)(?|)|(play|kick|chase|herd|guard) (football|the ball|the sheep|the house|the cat)|(pull|carry|tow|drag) (the|a) (cart|sledge|person|car|piano)",
        rng,
        slots,
    ).replace("do you (like", "do you like")
    return text, ("refuse(impossible)",)


def _unsafe(rng: random.Random) -> Example:
    who = expand(
        "(the {w}|the {w}|that {w}|someone|somebody|me|him|her|people|{n})",
        rng,
        {"w": rng.choice(WORDS["people"]), "n": rng.choice(WORDS["names"][:6])},
    )
    text = expand(
        "(run|crash|bump|trot|smash|bound|charge|slam|drive|walk|ram) (into|over|through|at|straight into) ({w}|{w}|the (wall|door|window|glass|fire|table|traffic|car|crowd)|{w} over there)|"
        "(kick|bite|attack|hit|hurt|scratch|stomp on|trample|knock down|jump on|scare|chase|knock over|step on|injure|tackle|maul|kill|fight|crush) {w}( hard| now| with your (leg|foot|front leg)|)|"
        "(throw|fling|hurl) yourself (down|off|into|out of|against|from) (the )(stairs|cliff|roof|window|river|table|wall|road|bridge|balcony|fire|water|staircase)|"
        "(jump|fall|walk|run|trot|roll|bound) (down|off|from|out of|into) the (stairs|cliff|roof|window|river|bridge|balcony|table edge|staircase|fire|water|road|abyss|swimming pool)|"
        "(destroy|break|damage|smash|wreck|burn|overheat|tear off) (yourself|your (leg|legs|motors|joints)|the (floor|wall|camera|furniture|robot)|everything)( completely|)|"
        "(disable|turn off|ignore|remove|bypass|override|switch off|deactivate) (the |your |all |all your )(safety|limits|gate|emergency stop|torque limits|joint limits|brakes|safety system|rules|instructions)|"
        "(fall over|fall on your (side|back|face)|collapse|tip over|faceplant|topple over|drop to the floor|trip yourself)( on purpose| hard| now|)|go (wild|crazy|berserk)|(exceed|ignore) (the|your|all) (speed limit|torque limit|limits)( and {g}|)",
        rng,
        {"w": who, "g": expand("(run|bound|trot|attack)", rng)},
    )
    return text, ("refuse(unsafe)",)


def draw(rng: random.Random) -> Example:
    """One refused request."""
    kind = rng.random()
    if kind < 0.5:
        return _impossible(rng)
    if kind < 0.78:
        return _unsafe(rng)
    if kind < 0.88:
        return arm_corpus.draw(rng)[0], ("refuse(impossible)",)
    return expand(rng.choice(WORDS["chatter"]), rng), ("refuse(impossible)",)
