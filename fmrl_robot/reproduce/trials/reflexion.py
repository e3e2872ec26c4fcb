"""Reflexion's trial: a table that hides what has to be done first, tried five times.

In four tasks of five nothing stays in the bowl until something else was done, which nobody sees or
is told: the button pressed, the drawer opened or closed, or a cube put into the bin. Every trial
begins at the same state with fresh chance. What counts is solved by the world's own goal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fmrl_robot.ablation import Budget, Curve, Measured, Value
from fmrl_robot.agents.lessons import REMEDIES, Attempt, Reflector, by_exclusion
from fmrl_robot.fm import guarded, load_language_model
from fmrl_robot.methods.reflexion import Reflexion
from fmrl_robot.skills.domain import Act, Domain
from fmrl_robot.skills.drawing import draw
from fmrl_robot.skills.env import PlayedSkillEnv, SkillEnvOptions, Split, Task
from fmrl_robot.skills.env.symbolic import Figures, SymbolicStage
from fmrl_robot.skills.env.table import RELATIONS, ROBOT_NAME
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.skills.world import World
from fmrl_robot.types import Predicate

ANSWERS = "answers"
"""Folder beside those of the trials."""
TRIALS, HIDING, NOTHING = 5, 0.8, "nothing"
CUBES = ("red_cube", "green_cube", "blue_cube")
"""Of tasks; the yellow one is part of a remedy."""
GOAL = "bowl"
TEXTS = ("put the {} in the bowl", "move the {} into the bowl", "place the {} in the bowl",
         "drop the {} into the bowl", "bring the {} to the bowl")  # fmt: skip
ACTS: dict[str, tuple[str, str]] = dict(
    zip(REMEDIES, (("press", "button"), ("open", "drawer"), ("close", "drawer"), ("place", "bin")),
        strict=True)
)  # fmt: skip
"""The skill that ends each remedy."""
IRRELEVANT = ("pick up the blue cube", "put the green cube on the table", "pick up the red cube")
"""Lessons of something else, as well formed as others."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Try every task five times; see Ablation.trial.

    Settings:
        memory: as Reflexion has it.
        lessons: how many are kept.
        reflector: exclusion, told (of the cause), or irrelevant.
        wrong: share of causes that are told wrongly.
        actor: model, or code that puts a lesson's plan first.
        slips: share of skills that fail by chance.
    """
    count = int(budget.amounts["tasks"])
    # What one arm asked, no other has to: at temperature 0 an answer depends on the prompt alone.
    model = guarded(load_language_model(str(settings["model"])), budget.folder.parent / ANSWERS)
    hidden: list[str] = []
    agent = Reflexion(
        model, memory=settings.get("memory", "reflection"),  # pyright: ignore[reportArgumentType]
        lessons=int(settings.get("lessons", 3)), actor_reads=settings.get("actor") != "code",
        reflector=_reflector(settings, hidden, seed), seed=seed,
    )  # fmt: skip
    solved = np.zeros(count, np.bool_)
    shares: list[float] = []
    for number in range(1, TRIALS + 1):
        worlds = table(count, float(settings["slips"]), f"{seed} {number}")
        now = worlds.reset(seed)
        hidden[:] = [worlds.task(i).family for i in range(count)]
        agent.begin(now)
        while not all(a.over for a in agent.attempts):
            now = worlds.step(agent.act(now))
            agent.observe(now)
        agent.update()
        solved |= [a.won for a in agent.attempts]
        shares.append(float(solved.mean()))
        budget.report(f"trial={number} solved={shares[-1]:.2f}")
    curve = Curve(x=tuple(float(n) for n in range(1, TRIALS + 1)), y=tuple(shares))
    scores = {"first": shares[0], "third": shares[2], "fifth": shares[-1]}
    return Measured(scores=scores, curves={"solved": curve}, model=model.model_id)


def _reflector(settings: Mapping[str, Value], hidden: Sequence[str], seed: int) -> Reflector:
    rng = random.Random(f"reflector {seed}")  # noqa: S311
    kind, wrong = str(settings.get("reflector", "exclusion")), float(settings.get("wrong", 0.0))

    def told(attempt: Attempt, lessons: Sequence[str]) -> str:
        cause = hidden[attempt.world]
        others = [r for r in REMEDIES if r != cause]
        return cause if cause in REMEDIES and rng.random() >= wrong else rng.choice(others)

    def irrelevant(attempt: Attempt, lessons: Sequence[str]) -> str:
        return IRRELEVANT[len(lessons) % len(IRRELEVANT)]

    kinds: dict[str, Reflector] = {
        "exclusion": by_exclusion, "told": told, "irrelevant": irrelevant,
    }  # fmt: skip
    return kinds[kind]


# --- the table that hides something ---------------------------------------------------------------


def table(count: int, slips: float, chance: str) -> PlayedSkillEnv:
    """Make worlds; ``reset(seed)`` gives the same tasks whatever ``chance``, which seeds slips."""
    known: dict[Domain, Figures] = {}
    made: Callable[[], HidingStage] = lambda: HidingStage(slips, known, chance)  # noqa: E731
    options = SkillEnvOptions(macros=False, max_steps=12)
    return PlayedSkillEnv(_task, made, count, options)


def _task(rng: random.Random, split: Split) -> Task:
    cube = rng.choice(CUBES)
    needed = rng.choice(REMEDIES) if rng.random() < HIDING else NOTHING
    text = rng.choice(TEXTS).format(cube.replace("_", " "))
    while True:
        world = draw(rng, TABLETOP, relations=RELATIONS, held=0.0)
        opened = world.is_open("drawer")
        asked = {"open the drawer": not opened, "close the drawer": opened}.get(needed, True)
        if asked and world.below("yellow_cube") == "table" and world.below(cube) == "table":
            goals = ((Predicate("in", (cube, GOAL)),),)
            return Task(instruction=text, start=world, goals=goals, family=needed, split=split)


class HidingStage(SymbolicStage):
    """Lets nothing stay in the bowl before what the task's family names was done."""

    def __init__(self, slips: float, known: dict[Domain, Figures], chance: str) -> None:
        super().__init__(ROBOT_NAME, slips, known)
        self._chance, self._rng = chance, random.Random()  # noqa: S311
        self._needed: tuple[str, str] | None = None

    def begin(self, task: Task, rng: random.Random) -> World:
        """See Stage."""
        self._needed = ACTS.get(task.family)
        self._rng = random.Random(f"{self._chance} {rng.random()}")  # noqa: S311
        return super().begin(task, rng)

    def do(self, act: Act, world: World, rng: random.Random) -> tuple[bool, float]:
        """See Stage."""
        del rng
        if self._needed is not None and (act.name, act.target) == ("place", GOAL):
            world.bits = act.after_failing(world.bits)
            return False, self._figures[act.name, act.target][1]
        went, seconds = super().do(act, world, self._rng)
        if went and (act.name, act.target) == self._needed:
            self._needed = None
        return went, seconds
