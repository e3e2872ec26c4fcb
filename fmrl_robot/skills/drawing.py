"""Draw symbolic states at random, and write them as the scenes that a camera would tell."""

from __future__ import annotations

import random
from collections.abc import Mapping
from zlib import crc32

import numpy as np

from fmrl_robot.skills.domain import CONTAINERS, TABLE
from fmrl_robot.skills.operators import OPERATORS
from fmrl_robot.skills.world import World
from fmrl_robot.types import Pose, Predicate, Scene, SceneObject

OPEN_SHARE, HELD_SHARE = 0.4, 0.1
_ON_TABLE, _NOT_STACKED = 0.55, 0.8
"""Shares of cubes on the table, and of those that are not on another."""
SIZE_M = 0.04
NEAR_M, FAR_M = 0.45, 1.6
"""From the arm to things within and beyond its reach."""


def draw(
    rng: random.Random,
    things: Mapping[str, str],
    *,
    relations: tuple[tuple[str, ...], ...] = (),
    held: float = HELD_SHARE,
) -> World:
    """Draw where each cube is, whether drawers are open, and seldom a cube in the hand.

    Args:
        rng: draws.
        things: categories by name.
        relations: further facts that may hold, as Domain has them; none does.
        held: share of states with a cube in the hand.
    """
    cubes = [name for name, category in things.items() if category == "cube"]
    holders = [name for name, category in things.items() if category in CONTAINERS]
    below: dict[str, str] = {}
    for cube in rng.sample(cubes, len(cubes)):
        free = [c for c in below if c not in below.values()]
        chance = rng.random()
        if chance < _ON_TABLE:
            below[cube] = TABLE
        elif holders and (chance < _NOT_STACKED or not free):
            below[cube] = rng.choice(holders)
        else:
            below[cube] = rng.choice(free) if free else TABLE
    facts = [Predicate("in" if p in holders else "on", (c, p)) for c, p in below.items()]
    for name, category in things.items():
        if category == "drawer" and rng.random() < OPEN_SHARE:
            facts.append(Predicate("open", (name,)))
    uncovered = [c for c in below if c not in below.values()]
    if uncovered and rng.random() < held:
        facts.append(Predicate("held", (rng.choice(uncovered),)))
    return World.made(things, facts, OPERATORS["arm"], relations)


def scene_of(world: World, told: frozenset[Predicate] | None = None) -> Scene:
    """Write a symbolic state as a scene.

    Args:
        world: whose things there are.
        told: the facts that are known; None for all. A thing that is nowhere among them, and is
            movable, is not seen.
    """
    facts = world.facts() if told is None else told
    seen = {f.args[0] for f in facts if f.name in ("on", "in", "held")}
    far = {f.args[0] for f in facts if f.name == "far"}
    return Scene(
        stamp_s=0.0,
        objects=tuple(
            SceneObject(
                name=name,
                category=category,
                color=name.partition("_")[0] if "_" in name else "",
                pose=Pose(position=_somewhere(name, FAR_M if name in far else NEAR_M)),
                size=np.full(3, SIZE_M),
            )
            for name, category in world.things.items()
            if category != TABLE and (name not in world.movable or name in seen)
        ),
        predicates=facts,
    )


def _somewhere(name: str, distance_m: float) -> np.ndarray:
    """A position at this distance in front of the arm, always the same for a name."""
    angle = (crc32(name.encode()) % 1000 / 1000 - 0.5) * 0.8
    return np.array([distance_m * np.cos(angle), distance_m * np.sin(angle), SIZE_M / 2])
