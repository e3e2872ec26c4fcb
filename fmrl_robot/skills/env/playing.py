"""Playing a world of skills, whatever carries the skills out.

Tasks are drawn by seed, world and episode, so that every back end plays the same ones. What differs
between back ends is a Stage: the symbolic one draws by measured chances, MuJoCo's moves a robot.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.domain import Act, Domain
from fmrl_robot.skills.env.menu import Menu, menu
from fmrl_robot.skills.env.tasks import Split, Task, TaskSource, wording
from fmrl_robot.skills.env.views import Views
from fmrl_robot.skills.env.words import DONE
from fmrl_robot.skills.world import World
from fmrl_robot.types import Image, Predicate, SkillStep, SkillView, SubGoal

REFUSED_S = 1.0
"""What a choice costs that cannot be carried out, and what it takes to say that one is done."""
Result = tuple[float, bool, bool, float, bool]
"""Reward, terminated, truncated, seconds, and whether a choice did what it was to do."""


class Stage(Protocol):
    """Where skills are carried out: one world's."""

    def begin(self, task: Task, rng: random.Random) -> World:
        """Set up the start of a task; the state that came of it."""
        ...

    def do(self, act: Act, world: World, rng: random.Random) -> tuple[bool, float]:
        """Carry out a skill that can be, and bring ``world`` up to date.

        Returns:
            Whether it did what it was to do, and how many seconds it took.
        """
        ...

    def disturb(self, world: World, rng: random.Random) -> None:
        """Somebody moves a thing; ``world`` is brought up to date."""
        ...

    def picture(self) -> Image:
        """Look; raises ConfigError(CAPABILITY_MISSING) where nothing can be seen."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillEnvOptions:
    """How a world of skills is played."""

    split: Split = "seen"
    macros: bool = True
    """Whether an arm chooses put, hold and ensure instead of grasp, place, open and close."""
    done_ends: bool = True
    """Whether an episode ends with ``done``, else as soon as the task is done."""
    max_steps: int = 15
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
    rng: random.Random
    number: int
    view: SkillView
    """What was seen last."""
    steps: int = 0


class PlayedSkillEnv:
    """A SkillEnv on stages of one kind."""

    def __init__(
        self,
        tasks: TaskSource,
        stage: Callable[[], Stage],
        num_envs: int,
        options: SkillEnvOptions | None = None,
    ) -> None:
        """Build it; ``reset`` begins.

        Args:
            tasks: draws tasks, such as ``table_tasks()``.
            stage: makes a world's stage.
            num_envs: worlds.
            options: how it is played.
        """
        self.num_envs = num_envs
        self._tasks, self._options = tasks, options or SkillEnvOptions()
        self._stages = [stage() for _ in range(num_envs)]
        self._episodes: list[_Episode] = []
        self._views: dict[Domain, Views] = {}
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
        results: list[Result] = []
        last: dict[int, SkillView] = {}
        for number, choice in enumerate(choices):
            episode = self._episodes[number]
            result = self._play(episode, self._stages[number], choice)
            results.append(result)
            episode.view = episode.views(episode.world.bits)
            if result[1] or result[2]:
                last[number] = episode.view
                self._episodes[number] = self._begin(number, episode.number + 1)
        return self._told(results, last)

    def picture(self, world: int) -> Image:
        """Look at one world; see SkillEnv."""
        return self._stages[world].picture()

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
        world = self._stages[number].begin(task, rng)
        goals = tuple(_bits(world, goal) for goal in task.goals)
        return _Episode(task, world, views, goals, rng, episode, views(world.bits))

    def _play(self, episode: _Episode, stage: Stage, choice: int | SubGoal) -> Result:
        episode.steps += 1
        truncated = episode.steps >= self._options.max_steps
        if isinstance(choice, SubGoal):
            _check(episode.world.domain, choice)
            steps, done = [episode.world.act(choice.skill, choice.target)], False
        else:
            views = episode.views
            done = views.menu.choices[choice].name == DONE
            allowed = not done and bool(episode.view.admissible[choice])
            seen = views.seen(episode.world.bits)
            steps = views.menu.skills(choice, seen) if allowed else None
        seconds, succeeded = (0.0, False) if steps is None else _carry_out(episode, stage, steps)
        seconds = seconds or REFUSED_S
        if self._options.moved and episode.rng.random() < self._options.moved:
            stage.disturb(episode.world, episode.rng)
        reached = _reached(episode)
        if done and self._options.done_ends:
            return float(reached), True, False, seconds, reached
        if reached and not self._options.done_ends:
            return 1.0, True, False, seconds, succeeded
        return 0.0, False, truncated, seconds, succeeded

    def _told(self, results: Sequence[Result], last: dict[int, SkillView]) -> SkillStep:
        rewards, terminated, truncated, seconds, done = zip(*results, strict=True)
        return SkillStep(
            instructions=tuple(e.task.instruction for e in self._episodes),
            views=tuple(e.view for e in self._episodes),
            rewards=np.array(rewards, np.float32),
            terminated=np.array(terminated),
            truncated=np.array(truncated),
            seconds=np.array(seconds, np.float32),
            done=done,
            last=last,
        )


def _check(domain: Domain, asked: SubGoal) -> None:
    skill = domain.skills.get(asked.skill)
    if skill is None:
        raise ConfigError(
            f"expected a skill among {', '.join(domain.skills)}, got {asked.skill!r}",
            ErrorCode.SKILL_UNKNOWN,
        )
    try:
        skill.values(asked)
    except ValueError as error:
        raise ConfigError(str(error), ErrorCode.PARAMETER_OUT_OF_BOUNDS) from error


def _carry_out(episode: _Episode, stage: Stage, steps: Sequence[Act]) -> tuple[float, bool]:
    """Do skill after skill until one fails; the seconds it took, and whether all went well."""
    world, passed = episode.world, 0.0
    for act in steps:
        if act.whole.fails(world.bits):
            return passed, False
        went, seconds = stage.do(act, world, episode.rng)
        passed += seconds
        if not went:
            return passed, False
    return passed, True


def _reached(episode: _Episode) -> bool:
    bits = episode.world.bits
    return any(bits & must == must and not bits & absent for must, absent in episode.goals)


def _bits(world: World, goal: Sequence[Predicate]) -> tuple[int, int]:
    """Which bits a goal wants set and unset."""
    must = absent = 0
    for fact in goal:
        if fact.name == "closed":
            absent |= world.domain.bit(Predicate("open", fact.args))
        else:
            must |= world.domain.bit(fact)
    return must, absent
