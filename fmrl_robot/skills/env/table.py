"""The world *table*: an arm before cubes, containers, a drawer and a button; and its tasks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from fmrl_robot.skills.captioner import say_thing
from fmrl_robot.skills.domain import CONTAINERS, TABLE
from fmrl_robot.skills.drawing import draw
from fmrl_robot.skills.env.tasks import Split, Task, pair, wording
from fmrl_robot.skills.env.words import say
from fmrl_robot.skills.macros import DRAWER
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.skills.world import World
from fmrl_robot.types import Predicate

ROBOT_NAME = "panda"
RELATIONS = (("far", "cube"), ("locked", "drawer"))
OTHER_COLORS = ("purple", "orange", "white", "black", "pink", "brown", "grey", "cyan")
OTHER_NAMES = {
    "bowl": ("dish", "cup", "tray"),
    "bin": ("crate", "basket", "bucket"),
    "drawer": ("cabinet", "locker", "chest"),
    "button": ("switch", "bell", "knob"),
}
"""What things of the split *objects* are called, by category."""

Goal = tuple[Predicate, ...]
Part = tuple[str, tuple[Goal, ...]]
"""Words of a task and its goals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableOptions:
    """What makes a table harder; shares are of tasks, 0 to 1."""

    families: tuple[str, ...] = ()
    """Of FAMILIES; empty for all."""
    locked: float = 0.0
    """Drawers that are closed and that only a press of the button unlocks; nobody sees it."""
    far: float = 0.0
    """Tasks that name no cube, in which all but one or two cubes are out of reach."""
    held: float = 0.1
    """Tasks that begin with a cube in the hand."""


def table_tasks(options: TableOptions | None = None) -> Callable[[random.Random, Split], Task]:
    """Return what draws tasks."""
    chosen = options or TableOptions()
    names = chosen.families or tuple(FAMILIES)

    def task(rng: random.Random, split: Split) -> Task:
        return _task(rng, split, chosen, names)

    return task


def _task(rng: random.Random, split: Split, options: TableOptions, names: Sequence[str]) -> Task:
    things = _things(rng, split)
    names = [n for n in names if split != "combinations" or n in PAIRED]
    count = rng.choice((2, 3)) if split == "longer" else 1
    for _ in range(1000):
        world = draw(rng, things, relations=RELATIONS, held=options.held)
        _lock(rng, world, options.locked)
        chosen = rng.sample(names, min(count, len(names)))
        parts = [FAMILIES[name](rng, world, split) for name in chosen]
        goals = _together([goals for _, goals in parts])
        if "any" in chosen and rng.random() < options.far:
            _put_away(rng, world)
        task = Task(
            instruction=", then ".join(words for words, _ in parts),
            start=world,
            goals=goals,
            family="+".join(chosen),
            split=split,
        )
        if goals and not task.reached(world):
            return task
    raise AssertionError(f"no task of {names!r} can be asked for in {things!r}")


def _things(rng: random.Random, split: Split) -> Mapping[str, str]:
    if split != "objects":
        return TABLETOP
    colors = rng.sample(OTHER_COLORS, 4)
    others = {rng.choice(names): category for category, names in OTHER_NAMES.items()}
    return {**{f"{color}_cube": "cube" for color in colors}, **others}


def _lock(rng: random.Random, world: World, share: float) -> None:
    """Close and lock some of the drawers."""
    for drawer in world.domain.of_category(DRAWER):
        if rng.random() < share:
            world.bits |= world.domain.bit(Predicate("locked", (drawer,)))
            world.bits &= ~world.domain.bit(Predicate("open", (drawer,)))


def _put_away(rng: random.Random, world: World) -> None:
    """Leave one or two cubes, clear and on the table, within reach."""
    alone = [c for c in world.movable if world.clear(c) and world.below(c) == TABLE]
    kept = rng.sample(alone, min(len(alone), rng.choice((1, 2))))
    for cube in alone:
        if kept and cube not in kept:
            world.bits |= world.domain.bit(Predicate("far", (cube,)))


def _together(parts: Sequence[tuple[Goal, ...]]) -> tuple[Goal, ...]:
    """Every way to reach one goal of each part; none where parts contradict each other."""
    found: list[Goal] = []
    for goals in product(*parts):
        facts = tuple(dict.fromkeys(fact for goal in goals for fact in goal))
        inside = {f.args[0] for f in facts if f.name == "in"}
        about = [(f.args[0], f.name in ("open", "closed", "pressed")) for f in facts]
        # A tower in a drawer would keep it from closing.
        tower = any(f.name == "on" and f.args[1] in inside for f in facts)
        if len(set(about)) == len(about) and not tower:
            found.append(facts)
    return tuple(found)


# --- families -------------------------------------------------------------------------------------


def _holders(world: World) -> tuple[str, ...]:
    return world.domain.of_category(*CONTAINERS)


def _said(world: World, split: Split, name: str, *args: str) -> str:
    return say(name, args, world.things, wording(split))


def _put(rng: random.Random, world: World, split: Split) -> Part:
    """A named cube into a container without a door."""
    places = [p for p in _holders(world) if world.things[p] != DRAWER]
    cube, place = pair(rng, world.movable, places, split)
    return _said(world, split, "put", cube, place), ((Predicate("in", (cube, place)),),)


def _stack(rng: random.Random, world: World, split: Split) -> Part:
    """A named cube on another."""
    cube, place = pair(rng, world.movable, world.movable, split)
    return _said(world, split, "put", cube, place), ((Predicate("on", (cube, place)),),)


def _clear_out(rng: random.Random, world: World, split: Split) -> Part:
    """A named cube onto the table."""
    cube, _ = pair(rng, world.movable, [TABLE], "objects")
    return _said(world, split, "put", cube, TABLE), ((Predicate("on", (cube, TABLE)),),)


def _store(rng: random.Random, world: World, split: Split) -> Part:
    """A named cube into the drawer, and the drawer closed."""
    cube, drawer = pair(rng, world.movable, world.domain.of_category(DRAWER), "objects")
    words = f"{_said(world, split, 'put', cube, drawer)} and close {say_thing(drawer)}"
    return words, ((Predicate("in", (cube, drawer)), Predicate("closed", (drawer,))),)


def _open(rng: random.Random, world: World, split: Split) -> Part:
    """The drawer open or closed, whichever it is not."""
    drawer = rng.choice(world.domain.of_category(DRAWER))
    name, fact = ("close", "closed") if world.is_open(drawer) else ("open", "open")
    return _said(world, split, name, drawer), ((Predicate(fact, (drawer,)),),)


def _press(rng: random.Random, world: World, split: Split) -> Part:
    """The button pressed."""
    button = rng.choice(world.domain.of_category("button"))
    return _said(world, split, "press", button), ((Predicate("pressed", (button,)),),)


def _any(rng: random.Random, world: World, split: Split) -> Part:
    """Any cube into a container without a door; which one is left to the robot."""
    place = rng.choice([p for p in _holders(world) if world.things[p] != DRAWER])
    verb = "move a cube so that it is" if wording(split) == "other" else "put a cube"
    goals = tuple((Predicate("in", (cube, place)),) for cube in world.movable)
    return f"{verb} in {say_thing(place)}", goals


FAMILIES: dict[str, Callable[[random.Random, World, Split], Part]] = {
    "put": _put,
    "stack": _stack,
    "clear out": _clear_out,
    "store": _store,
    "open": _open,
    "press": _press,
    "any": _any,
}
"""Kinds of task by name."""
PAIRED = ("put", "stack")
"""Those of a pair of things, some pairs of which are held out."""
