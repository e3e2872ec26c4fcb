"""The world *yard*: a quadruped among places with ways, stairs, gates and things to find.

A layout is a tree of ways with a few more, so that every place can be reached: a way that is
blocked is never one of the tree, and the pad that opens a gate lies on the near side of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fmrl_robot.skills.captioner import say_thing
from fmrl_robot.skills.domain import ROBOT, domain
from fmrl_robot.skills.env.tasks import Split, Task, allowed, wording
from fmrl_robot.skills.env.words import say
from fmrl_robot.skills.operators import OPERATORS
from fmrl_robot.skills.world import World, told
from fmrl_robot.types import Predicate

ROBOT_NAME = "go2"
RELATIONS = (
    ("way", "place", "place"),
    ("stairs", "place", "place"),
    ("blocked", "place", "place"),
    ("bars", "gate", "place", "place"),
    ("wired", "pad", "gate"),
    ("lies", "pad", "place"),
    ("lies", "thing", "place"),
)
THINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "seen": {
        "place": ("oak", "pond", "shed", "bench", "well", "fence"),
        "gate": ("garden_gate",),
        "pad": ("blue_pad",),
        "thing": ("ball", "bone", "cap"),
    },
    "objects": {
        "place": ("hut", "rock", "bridge", "tent", "statue", "hedge"),
        "gate": ("iron_gate",),
        "pad": ("red_pad",),
        "thing": ("stick", "glove", "key"),
    },
}
"""Names by split and category; other splits have those of ``seen``."""
BLOCKED_SHARE = 0.5

Edge = tuple[str, str]
Part = tuple[str, tuple[Predicate, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class YardOptions:
    """What a yard has."""

    families: tuple[str, ...] = ()
    """Of FAMILIES; empty for all."""
    further_ways: int = 2
    """Ways beyond those of the tree, half of them blocked."""
    gate: bool = True
    stairs: bool = True
    robots: tuple[str, ...] = (ROBOT,)
    """Names of the quadrupeds; tasks are the first one's."""


def yard_tasks(options: YardOptions | None = None) -> Callable[[random.Random, Split], Task]:
    """Return what draws tasks."""
    chosen = options or YardOptions()

    def task(rng: random.Random, split: Split) -> Task:
        return _task(rng, split, chosen)

    return task


def _task(rng: random.Random, split: Split, options: YardOptions) -> Task:
    names = list(options.families or FAMILIES)
    names = [n for n in names if split != "combinations" or n in PAIRED]
    count = 2 if split == "longer" else 1
    for _ in range(1000):
        world = _draw(rng, split, options)
        chosen = rng.sample(names, min(count, len(names)))
        parts = [FAMILIES[name](rng, world, split, options.robots[0]) for name in chosen]
        goal = tuple(dict.fromkeys(fact for _, facts in parts for fact in facts))
        task = Task(
            instruction=", then ".join(words for words, _ in parts),
            start=world,
            goals=(goal,),
            family="+".join(chosen),
            split=split,
        )
        if not task.reached(world):
            return task
    raise AssertionError(f"no task of {names!r} can be asked for")


def _draw(rng: random.Random, split: Split, options: YardOptions) -> World:
    """Draw a layout and where everything is."""
    named = THINGS.get(split, THINGS["seen"])
    things = {name: kind for kind, names in named.items() for name in names}
    # One robot needs no name: what has none is called the robot.
    things |= {name: ROBOT for name in options.robots}
    whole = domain(tuple(things.items()), tuple(OPERATORS["quadruped"].items()), RELATIONS)
    world = World(whole)
    places = rng.sample(named["place"], len(named["place"]))
    tree = [(places[rng.randrange(n)], places[n]) for n in range(1, len(places))]
    others = [
        (a, b)
        for n, a in enumerate(places)
        for b in places[n + 1 :]
        if (a, b) not in tree and (b, a) not in tree
    ]
    facts: list[Predicate] = []
    for edge in tree:
        facts += _both("way", edge)
    for edge in rng.sample(others, min(len(others), options.further_ways)):
        facts += _both("way", edge)
        facts += _both("blocked", edge) if rng.random() < BLOCKED_SHARE else []
    special = rng.sample(tree, 2)
    if options.stairs:
        facts += _both("stairs", special[0])
    if options.gate:
        (gate,), (pad,) = named["gate"], named["pad"]
        facts += [Predicate("bars", (gate, *edge)) for edge in (special[1], special[1][::-1])]
        near = _near_side(tree, special[1], places[0])
        facts += [Predicate("wired", (pad, gate)), Predicate("lies", (pad, rng.choice(near)))]
    facts += [Predicate("lies", (t, rng.choice(named["place"]))) for t in named["thing"]]
    facts += [Predicate("at", (robot, places[0])) for robot in options.robots]
    told(world, facts)
    return world


def _both(name: str, edge: Edge) -> list[Predicate]:
    return [Predicate(name, edge), Predicate(name, edge[::-1])]


def _near_side(tree: Sequence[Edge], cut: Edge, start: str) -> list[str]:
    """The places that can be reached from ``start`` without one edge of the tree."""
    found, grown = [start], True
    while grown:
        grown = False
        for a, b in tree:
            if (a, b) != cut and (a in found) != (b in found):
                found.append(b if a in found else a)
                grown = True
    return found


# --- families -------------------------------------------------------------------------------------


def _go(rng: random.Random, world: World, split: Split, robot: str) -> Part:
    """To a named place."""
    places, start = world.domain.places, world.where(robot)
    # Where no pair of the split begins, the goal is reached already and all is drawn anew.
    fitting = [b for b in places if allowed(start, b, split)] or [start]
    goal = rng.choice(fitting)
    words = say("walk", (goal,), world.things, wording(split))
    return words, (Predicate("at", (robot, goal)),)


def _find(rng: random.Random, world: World, split: Split, robot: str) -> Part:
    """A thing that lies nobody knows where."""
    thing = rng.choice(world.domain.of_category("thing"))
    verb = "look for" if wording(split) == "other" else "find"
    return f"{verb} {say_thing(thing)}", (Predicate("found", (thing,)),)


def _open_gate(rng: random.Random, world: World, split: Split, robot: str) -> Part:
    """The gate open."""
    gate = rng.choice(world.domain.of_category("gate"))
    verb = "see that {} is open" if wording(split) == "other" else "open {}"
    return verb.format(say_thing(gate)), (Predicate("open", (gate,)),)


FAMILIES: dict[str, Callable[[random.Random, World, Split, str], Part]] = {
    "go": _go,
    "find": _find,
    "open the gate": _open_gate,
}
"""Kinds of task by name."""
PAIRED = ("go",)
"""Those of a pair of places, some pairs of which are held out."""
