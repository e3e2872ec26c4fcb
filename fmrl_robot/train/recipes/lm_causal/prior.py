"""Transcripts of chores in other places, their steps in the right order about seven times in ten.

A model of these knows that cupboards are opened before things are put in, but not for sure, and has
never seen this project's table: a prior that is useful and wrong, for methods that correct one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from fmrl_robot.skills import OPERATORS, World
from fmrl_robot.types import Predicate

Pair = tuple[str, str]

RIGHT_SHARE = 0.7
"""Share of transcripts whose steps are in an order that works."""
_HOLDERS = ("cupboard", "fridge", "box", "locker", "cabinet", "oven", "chest", "wardrobe", "safe",
            "suitcase", "dishwasher", "drawer", "crate", "basket", "bowl", "bin")  # fmt: skip
_OPEN = frozenset({"crate", "basket", "bowl", "bin"})
"""Holders without a door or lid."""
_THINGS = ("mug", "plate", "book", "apple", "bottle", "sponge", "hammer", "towel", "letter", "ball",
           "shoe", "lamp", "knife", "spoon", "key", "brush", "jar", "candle", "box of tea",
           "cube")  # fmt: skip
_ADJECTIVES = ("", "", "", "old ", "big ", "small ", "white ", "black ", "red ", "green ", "blue ",
               "yellow ", "clean ", "heavy ")  # fmt: skip
_SKILLS = {"open": "open", "close": "close", "pick up": "grasp", "place it in": "place"}
"""Operators by the words of a step."""
_SWITCHES = ("lamp", "bell", "radio", "button", "alarm", "fan", "switch")
_SPOTS = ("table", "shelf", "counter", "chair", "floor", "desk")


def _chore(rng: random.Random) -> tuple[str, list[str], list[str]]:
    """A scene, a task's steps in order, and what the task is in words (last of the scene)."""
    thing = rng.choice(_ADJECTIVES) + rng.choice(_THINGS)
    holder, spot = rng.choice(_HOLDERS), rng.choice(_SPOTS)
    closed = holder not in _OPEN and rng.random() < 0.75
    scene = [f"the {thing} is on the {spot}"]
    if holder not in _OPEN:
        scene.append(f"the {holder} is {'closed' if closed else 'open'}")
    rng.shuffle(scene)
    task = f"put the {thing} in the {holder}"
    steps = [f"open the {holder}"] if closed else []
    steps += [f"pick up the {thing}", f"place it in the {holder}"]
    if holder not in _OPEN and rng.random() < 0.5:
        task += " and close it"
        steps.append(f"close the {holder}")
    if rng.random() < 0.25:
        switch = rng.choice(_SWITCHES)
        task += f", then press the {switch}"
        steps.append(f"press the {switch}")
    return task, scene, steps


def _disturbed(steps: list[str], rng: random.Random) -> list[str]:
    """The steps with one pair exchanged, one left out, or one said twice."""
    steps = list(steps)
    at = rng.randrange(len(steps) - 1)
    chance = rng.random()
    if chance < 0.6:
        steps[at], steps[at + 1] = steps[at + 1], steps[at]
    elif chance < 0.85:
        del steps[at]
    else:
        steps.insert(at, steps[at])
    return steps


def pairs(seed: int) -> Iterator[Pair]:
    """Yield an empty question and a transcript, without end: plain text to continue."""
    rng = random.Random(seed)  # noqa: S311
    while True:
        task, scene, steps = _chore(rng)
        if rng.random() >= RIGHT_SHARE:
            steps = _disturbed(steps, rng)
        yield "", _head(task, scene) + _listed(steps)


def _head(task: str, scene: list[str]) -> str:
    return f"Scene: {'. '.join(scene)}.\nTask: {task}\nSteps:"


def _listed(steps: list[str]) -> str:
    return "".join(f" {i}. {step}" for i, step in enumerate([*steps, "done"], start=1))


def ordered_and_disturbed(rng: random.Random) -> tuple[str, str, str]:
    """Return the head of a transcript, its steps in working order, and in one that fails."""
    while True:
        task, scene, steps = _chore(rng)
        wrong = _disturbed(steps, rng)
        head, wrong = _head(task, scene), _listed(wrong)
        if len(wrong) == len(_listed(steps)) and not works(head + wrong):
            return head, _listed(steps), wrong


def works(transcript: str) -> bool:
    """Whether a transcript's steps can be carried out and do the task."""
    scene, task, said = (line.partition(": ")[2] for line in transcript.split("\n"))
    steps = [step.strip() for step in re.split(r"\d+\.", said) if step.strip()][:-1]
    wanted = re.match(
        r"put the (.+?) in the ([a-z ]+?)( and close it)?(, then press the (.+))?$", task
    )
    if wanted is None:
        return False
    thing, holder, close, _, switch = wanted.groups()
    doors = dict(re.findall(r"the ([a-z ]+) is (open|closed)", scene))
    things = {thing: "cube", holder: "drawer" if holder in doors else "bin"}
    things |= {switch: "button"} if switch else {}
    opened = [Predicate("open", (name,)) for name, how in doors.items() if how == "open"]
    world = World.made(things, opened, OPERATORS["person"])
    goal = [Predicate("in", (thing, holder))]
    goal += [Predicate("pressed", (switch,))] if switch else []
    goal += [Predicate("closed", (holder,))] if close else []
    for number, step in enumerate(steps, start=1):
        verb, _, target = step.partition(" the ")
        skill = _SKILLS.get(verb, "press")
        # What is to be pressed at last is pressed last.
        if world.unmet(skill, target) or (skill == "press" and number < len(steps)):
            return False
        world.force(skill, target)
    return all(map(world.holds, goal))
