"""Chores, a world of skills in the words of ``policies/lm-prior``: put away, press a switch.

*Plain*, what the prior believes is right. *Quirk*, the door is locked until the switch was pressed,
which nobody sees, and the prior would press it last. A chore ends when it is done or time is up,
whatever is said: to the prior a pressed switch is the end. Where choices are not masked, those that
cannot be carried out are on the list too, and come to nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fmrl_robot.protocols import SkillEnv
from fmrl_robot.skills.env import PlayedSkillEnv, SkillEnvOptions, Split, Task, symbolic_env
from fmrl_robot.skills.env.table import RELATIONS, ROBOT_NAME
from fmrl_robot.skills.operators import OPERATORS
from fmrl_robot.skills.world import World
from fmrl_robot.types import Image, Predicate, SkillStep, SubGoal

KITCHEN = {"red_mug": "cube", "white_plate": "cube", "cupboard": "drawer", "bell": "button"}
PANTRY = {**KITCHEN, "old_jar": "cube", "blue_bottle": "cube"}
"""More things than a chore is about."""
OFFICE = {"green_book": "cube", "small_key": "cube", "cabinet": "drawer", "lamp": "button"}
"""Names by which the prior knows things, with the categories that say what can be done to them."""
HORIZON = 15
OPEN_SHARE = 0.25
"""Of doors that are open at first, where none is locked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoreOptions:
    """Which chores there are."""

    things: Mapping[str, str]
    locked: float = 0.0
    """Share of chores in which only the switch unlocks the door."""
    closing: float = 0.0
    """Share in which the door is to be closed in the end."""
    unmasked: bool = False
    """Whether choices that cannot be carried out are listed."""


def chores(options: ChoreOptions, num_envs: int) -> SkillEnv:
    """Make the world without physics and without slips."""

    def task(rng: random.Random, split: Split) -> Task:
        return _task(rng, split, options)

    played = SkillEnvOptions(macros=False, max_steps=HORIZON, done_ends=False)
    made = symbolic_env(task, ROBOT_NAME, num_envs, played, slips=0.0)
    return Unmasked(made) if options.unmasked else made


def _task(rng: random.Random, split: Split, options: ChoreOptions) -> Task:
    things = options.things
    (door,) = (name for name, kind in things.items() if kind == "drawer")
    (switch,) = (name for name, kind in things.items() if kind == "button")
    thing = rng.choice([name for name, kind in things.items() if kind == "cube"])
    locked, closing = rng.random() < options.locked, rng.random() < options.closing
    opened = rng.random() < OPEN_SHARE and not options.locked
    facts = [Predicate("open", (door,))] if opened else []
    world = World.made(things, facts, OPERATORS["arm"], RELATIONS)
    if locked:
        world.bits |= world.domain.bit(Predicate("locked", (door,)))
    words = f"put the {thing} in the {door}{' and close it' * closing}, then press the {switch}"
    goal = [Predicate("in", (thing, door)), Predicate("pressed", (switch,))]
    goal += [Predicate("closed", (door,))] if closing else []
    return Task(
        instruction=words.replace("_", " "), start=world, goals=(tuple(goal),), family="chore",
        split=split,
    )  # fmt: skip


class Unmasked:
    """A SkillEnv that lists every choice as admissible; one that is not costs a step."""

    def __init__(self, worlds: PlayedSkillEnv) -> None:
        self._worlds, self.num_envs = worlds, worlds.num_envs

    def reset(self, seed: int) -> SkillStep:
        """Begin; see SkillEnv."""
        return _unmasked(self._worlds.reset(seed))

    def step(self, choices: Sequence[int | SubGoal]) -> SkillStep:
        """Do a choice in each world; see SkillEnv."""
        return _unmasked(self._worlds.step(choices))

    def picture(self, world: int) -> Image:
        """Look; see SkillEnv."""
        return self._worlds.picture(world)


def _unmasked(now: SkillStep) -> SkillStep:
    views = tuple(replace(v, admissible=np.ones(len(v.phrases), np.bool_)) for v in now.views)
    return replace(now, views=views)
