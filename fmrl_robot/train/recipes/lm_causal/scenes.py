"""Symbolic scenes of the tabletop, drawn at random, and plans carried out in them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fmrl_robot.errors import FmrlError
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.planners.cube_world import CONTAINERS, CUBES
from fmrl_robot.skills import Unmet, World
from fmrl_robot.types import Pose, Predicate, Scene, SceneObject, SubGoal


def draw_scene(rng: random.Random) -> Scene:
    """Draw where each cube is, whether the drawer is open, and seldom a cube in the hand."""
    below: dict[str, str] = {}
    for cube in rng.sample(CUBES, len(CUBES)):
        free = [c for c in below if c not in below.values()]
        chance = rng.random()
        if chance < 0.55:
            below[cube] = "table"
        elif chance < 0.8 or not free:
            below[cube] = rng.choice(CONTAINERS)
        else:
            below[cube] = rng.choice(free)
    world = World(below=below, held=None, drawer_open=rng.random() < 0.4, pressed=False)
    if rng.random() < 0.1:
        world.held = rng.choice([c for c in below if world.clear(c)])
        del below[world.held]
    return scene_of(world)


def scene_of(world: World) -> Scene:
    """Write a symbolic state as a scene."""
    objects = tuple(
        SceneObject(
            name=name,
            category=name.rpartition("_")[2],
            color=name.partition("_")[0] if "_" in name else "",
            pose=Pose(position=np.zeros(3)),
            size=np.full(3, 0.04),
        )
        for name in (*CUBES, *CONTAINERS, "button")
    )
    return Scene(stamp_s=0.0, objects=objects, predicates=facts_of(world))


def facts_of(world: World) -> frozenset[Predicate]:
    """Say what holds, as a camera would: where cubes are, hand, drawer and button."""
    facts = {
        Predicate("in" if place in CONTAINERS else "on", (cube, place))
        for cube, place in world.below.items()
    }
    facts.add(Predicate("held", (world.held,)) if world.held else Predicate("hand_empty"))
    facts.add(Predicate("open" if world.drawer_open else "closed", ("drawer",)))
    if world.pressed:
        facts.add(Predicate("pressed", ("button",)))
    return frozenset(facts)


@dataclass(frozen=True, slots=True)
class Story:
    """A plan carried out: its skills, and what holds before and after each."""

    subgoals: tuple[SubGoal, ...]
    goal: tuple[Predicate, ...]
    facts: tuple[frozenset[Predicate], ...]
    """One more than ``subgoals``."""


def tell(scene: Scene, steps: Sequence[str]) -> Story | None:
    """Carry out steps of the plan language in a scene; None where they mean nothing in it."""
    try:
        subgoals, goal = plan_expansion.expand(plan_language.parse(";".join(steps)), scene)
        world = World.of(scene)
        facts = [facts_of(world)]
        for subgoal in subgoals:
            world.apply(subgoal.skill, subgoal.target)
            facts.append(facts_of(world))
    except (FmrlError, Unmet):
        return None
    return Story(tuple(subgoals), goal, tuple(facts)) if subgoals else None
