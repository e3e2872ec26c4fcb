"""SkillEnv's quick back end: the symbolic world itself, with chances and durations as measured.

Tasks are drawn by seed, world and episode, so that another back end plays the same ones.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.chances import chance
from fmrl_robot.skills.domain import CONTAINERS, ROBOT, Act, Domain
from fmrl_robot.skills.env.menu import Menu, menu
from fmrl_robot.skills.env.tasks import Split, Task, TaskSource, wording
from fmrl_robot.skills.env.views import Views
from fmrl_robot.skills.env.words import DONE
from fmrl_robot.skills.macros import DRAWER
from fmrl_robot.skills.world import World
from fmrl_robot.types import Image, Predicate, SkillStep, SkillView, SubGoal

REFUSED_S = 1.0
"""What a choice costs that cannot be carried out, and what it takes to say that one is done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillEnvOptions:
    """How a world of skills is played."""

    split: Split = "seen"
    macros: bool = True
    """Whether an arm chooses put, hold and ensure instead of grasp, place, open and close."""
    done_ends: bool = True
    """Whether an episode ends with ``done``, else as soon as the task is done."""
    max_steps: int = 15
    slips: float | None = None
    """Share of tries that fail, 0 to 1; None for what was measured."""
    moved: float = 0.0
    """Share of steps after which somebody has moved a cube."""
    hides: bool = False
    """Whether a closed drawer hides what is in it."""


@dataclass(slots=True)
class _Episode:
    task: Task
    world: World
    views: Views
    goals: tuple[tuple[int, int], ...]
    """Bits that must and must not be there, any pair of which is the task done."""
    chances: dict[str, dict[str, tuple[float, float]]]
    rng: random.Random
    steps: int = 0
    number: int = 0


class SymbolicSkillEnv:
    """A SkillEnv without physics."""

    def __init__(
        self, tasks: TaskSource, robot: str, num_envs: int, options: SkillEnvOptions | None = None
    ) -> None:
        """Build it; ``reset`` begins.

        Args:
            tasks: draws tasks, such as ``table_tasks()``.
            robot: whose chances and durations count.
            num_envs: worlds.
            options: how it is played.
        """
        self.num_envs = num_envs
        self._tasks, self._robot = tasks, robot
        self._options = options or SkillEnvOptions()
        self._episodes: list[_Episode] = []
        self._views: dict[Domain, Views] = {}
        self._chances: dict[Domain, dict[str, dict[str, tuple[float, float]]]] = {}
        self._seed = 0

    # --- the protocol -----------------------------------------------------------------------------

    def reset(self, seed: int) -> SkillStep:
        """Begin every world anew; see SkillEnv."""
        self._seed = seed
        self._episodes = [self._begin(number, 0) for number in range(self.num_envs)]
        return self._told([(0.0, False, False, 0.0, True)] * self.num_envs, {})

    def step(self, choices: Sequence[int | SubGoal]) -> SkillStep:
        """Do one choice in each world; see SkillEnv.

        Raises:
            ConfigError: there are more or fewer choices than worlds, or one has no such number.
        """
        if len(choices) != len(self._episodes):
            raise ConfigError(
                f"expected {len(self._episodes)} choices, got {len(choices)}; reset first, then "
                "choose once a world"
            )
        results: list[tuple[float, bool, bool, float, bool]] = []
        last: dict[int, SkillView] = {}
        for number, choice in enumerate(choices):
            episode = self._episodes[number]
            result = self._play(episode, choice)
            results.append(result)
            if result[1] or result[2]:
                last[number] = episode.views(episode.world.bits)
                self._episodes[number] = self._begin(number, episode.number + 1)
        return self._told(results, last)

    def picture(self, world: int) -> Image:
        """Refuse; the symbolic world has no look."""
        raise ConfigError(
            f"expected a back end with a camera for a picture of world {world}, got the symbolic "
            "one; use the mujoco back end",
            ErrorCode.CAPABILITY_MISSING,
        )

    # --- for whoever studies a run ----------------------------------------------------------------

    def task(self, world: int) -> Task:
        """The task of a world, with what nobody sees."""
        return self._episodes[world].task

    def truth(self, world: int) -> World:
        """The state of a world as it really is."""
        return self._episodes[world].world.copy()

    def menu(self, world: int) -> Menu:
        """What may be chosen in a world."""
        return self._episodes[world].views.menu

    # --- playing ----------------------------------------------------------------------------------

    def _begin(self, number: int, episode: int) -> _Episode:
        rng = random.Random(f"{self._seed} {number} {episode}")  # noqa: S311
        task = self._tasks(rng, self._options.split)
        whole = task.start.domain
        views = self._views.get(whole)
        if views is None:
            asked = menu(whole, self._options.macros, wording(self._options.split))
            views = self._views[whole] = Views(asked, hides=self._options.hides)
            self._chances[whole] = self._figures(whole)
        goals = tuple(_bits(task.start, goal) for goal in task.goals)
        return _Episode(
            task, task.start.copy(), views, goals, self._chances[whole], rng, 0, episode
        )

    def _figures(self, whole: Domain) -> dict[str, dict[str, tuple[float, float]]]:
        """Chance and duration by skill and target."""
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for name, skill in whole.skills.items():
            for target in whole.of_category(*skill.targets):
                known = chance(self._robot, name, whole.things[target])
                slips = self._options.slips
                success = known.success if slips is None else 1.0 - slips
                found.setdefault(name, {})[target] = (success, known.seconds)
        return found

    def _play(
        self, episode: _Episode, choice: int | SubGoal
    ) -> tuple[float, bool, bool, float, bool]:
        """Reward, terminated, truncated, seconds, and whether it did what it was to do."""
        episode.steps += 1
        truncated = episode.steps >= self._options.max_steps
        if isinstance(choice, SubGoal):
            steps, allowed, done = [(choice.skill, choice.target)], True, False
            self._check(episode, choice)
        else:
            views, bits = episode.views, episode.world.bits
            done = views.menu.choices[choice].name == DONE
            allowed = bool(views(bits).admissible[choice])
            steps = views.menu.skills(choice, views.seen(bits)) if allowed else []
        seconds, succeeded = self._carry_out(episode, steps) if allowed else (0.0, False)
        seconds = seconds or REFUSED_S
        if self._options.moved and episode.rng.random() < self._options.moved:
            _move_one(episode.world, episode.rng)
        reached = self._reached(episode)
        if done and self._options.done_ends:
            return float(reached), True, False, seconds, reached
        if reached and not self._options.done_ends:
            return 1.0, True, False, seconds, succeeded
        return 0.0, False, truncated, seconds, succeeded

    def _check(self, episode: _Episode, asked: SubGoal) -> None:
        skill = episode.world.domain.skills.get(asked.skill)
        if skill is None:
            raise ConfigError(
                f"expected a skill among {', '.join(episode.world.domain.skills)}, got "
                f"{asked.skill!r}",
                ErrorCode.SKILL_UNKNOWN,
            )
        try:
            skill.values(asked)
        except ValueError as error:
            raise ConfigError(str(error), ErrorCode.PARAMETER_OUT_OF_BOUNDS) from error

    def _carry_out(self, episode: _Episode, steps: Sequence[tuple[str, str]]) -> tuple[float, bool]:
        """Do skill after skill until one fails; the seconds it took, and whether all went well."""
        world, whole, rng = episode.world, episode.world.domain, episode.rng
        passed = 0.0
        for name, target in steps:
            act: Act = whole.act(name, target, whole.situation(world.bits, ROBOT))
            if act.whole.fails(world.bits):
                return passed, False
            success, seconds = episode.chances[name][target]
            passed += seconds
            if world.bits & act.thwarts or rng.random() >= success:
                world.bits = act.after_failing(world.bits)
                return passed, False
            world.bits = act.after(world.bits)
        return passed, True

    @staticmethod
    def _reached(episode: _Episode) -> bool:
        bits = episode.world.bits
        return any(bits & must == must and not bits & absent for must, absent in episode.goals)

    def _told(
        self,
        results: Sequence[tuple[float, bool, bool, float, bool]],
        last: dict[int, SkillView],
    ) -> SkillStep:
        rewards, terminated, truncated, seconds, done = zip(*results, strict=True)
        return SkillStep(
            instructions=tuple(e.task.instruction for e in self._episodes),
            views=tuple(e.views(e.world.bits) for e in self._episodes),
            rewards=np.array(rewards, np.float32),
            terminated=np.array(terminated),
            truncated=np.array(truncated),
            seconds=np.array(seconds, np.float32),
            done=done,
            last=last,
        )


def _bits(world: World, goal: Sequence[Predicate]) -> tuple[int, int]:
    """Which bits a goal wants set and unset."""
    must = absent = 0
    for fact in goal:
        if fact.name == "closed":
            absent |= world.domain.bit(Predicate("open", fact.args))
        else:
            must |= world.domain.bit(fact)
    return must, absent


def _move_one(world: World, rng: random.Random) -> None:
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
