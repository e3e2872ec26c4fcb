"""Symbolic scenes of the tabletop, drawn at random, and plans carried out in them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from fmrl_robot.errors import FmrlError
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.skills import Unmet, World
from fmrl_robot.skills.drawing import draw, scene_of
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.types import Predicate, Scene, SubGoal


def draw_scene(rng: random.Random) -> Scene:
    """Draw a scene of the tabletop."""
    return scene_of(draw(rng, TABLETOP))


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
        facts = [world.facts()]
        for subgoal in subgoals:
            world.apply(subgoal.skill, subgoal.target)
            facts.append(world.facts())
    except (FmrlError, Unmet):
        return None
    return Story(tuple(subgoals), goal, tuple(facts)) if subgoals else None
