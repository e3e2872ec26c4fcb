"""SkillEnv's quick back end: the symbolic world itself, with chances and durations as measured."""

from __future__ import annotations

import random

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.chances import chance
from fmrl_robot.skills.domain import CONTAINERS, Act, Domain
from fmrl_robot.skills.env.playing import PlayedSkillEnv, SkillEnvOptions
from fmrl_robot.skills.env.tasks import Task, TaskSource
from fmrl_robot.skills.macros import DRAWER
from fmrl_robot.skills.world import World
from fmrl_robot.types import Image

Figures = dict[tuple[str, str], tuple[float, float]]
"""Chance and seconds by skill and target."""


def symbolic_env(
    tasks: TaskSource,
    robot: str,
    num_envs: int,
    options: SkillEnvOptions | None = None,
    *,
    slips: float | None = None,
) -> PlayedSkillEnv:
    """Make a SkillEnv without physics.

    Args:
        tasks: draws tasks, such as ``table_tasks()``.
        robot: whose chances and durations count.
        num_envs: worlds.
        options: how it is played.
        slips: share of tries that fail, 0 to 1; None for what was measured.
    """
    known: dict[Domain, Figures] = {}
    return PlayedSkillEnv(tasks, lambda: SymbolicStage(robot, slips, known), num_envs, options)


class SymbolicStage:
    """Draws what comes of a skill."""

    def __init__(self, robot: str, slips: float | None, known: dict[Domain, Figures]) -> None:
        self._robot, self._slips, self._known = robot, slips, known
        self._figures: Figures = {}

    def begin(self, task: Task, rng: random.Random) -> World:
        """See Stage."""
        del rng
        whole = task.start.domain
        if whole not in self._known:
            self._known[whole] = self._look_up(whole)
        self._figures = self._known[whole]
        return task.start.copy()

    def do(self, act: Act, world: World, rng: random.Random) -> tuple[bool, float]:
        """See Stage."""
        success, seconds = self._figures[act.name, act.target]
        if world.bits & act.thwarts or rng.random() >= success:
            world.bits = act.after_failing(world.bits)
            return False, seconds
        world.bits = act.after(world.bits)
        return True, seconds

    def disturb(self, world: World, rng: random.Random) -> None:
        """See Stage."""
        move_one(world, rng)

    def picture(self) -> Image:
        """Refuse; the symbolic world has no look."""
        raise ConfigError(
            "expected a back end with a camera for a picture, got the symbolic one; use that of "
            "fmrl_sim.skill_env",
            ErrorCode.CAPABILITY_MISSING,
        )

    def _look_up(self, whole: Domain) -> Figures:
        found: Figures = {}
        for name, skill in whole.skills.items():
            for target in whole.of_category(*skill.targets):
                known = chance(self._robot, name, whole.things[target])
                success = known.success if self._slips is None else 1.0 - self._slips
                found[name, target] = (success, known.seconds)
        return found


def move_one(world: World, rng: random.Random) -> None:
    """Somebody takes a free cube that is in sight and puts it elsewhere."""
    whole = world.domain

    def shut(place: str) -> bool:
        return whole.things[place] == DRAWER and not world.is_open(place)

    free = [
        c for c in world.movable if world.below(c) and world.clear(c) and not shut(world.base(c))
    ]
    if not free:
        return
    cube = rng.choice(free)
    mask, places = whole.below[cube]
    chosen = rng.choice(
        [
            bit
            for bit, place in places.items()
            if bit and not shut(place) and place != world.below(cube)
            and (whole.things[place] in (*CONTAINERS, "table"))
        ]
    )  # fmt: skip
    world.bits = world.bits & ~mask | chosen
