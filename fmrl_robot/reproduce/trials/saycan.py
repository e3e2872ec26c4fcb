"""SayCan's trial: tasks on the table, by language, by value, by both, and by controls."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.fm import load_text_embedder
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.saycan import SayCan, text_of
from fmrl_robot.planners.step_words import NEXT_GRAMMAR
from fmrl_robot.planning import Context
from fmrl_robot.reproduce.trials.stepping import MOST, ROBOT, model, play
from fmrl_robot.skills import World
from fmrl_robot.skills.env import (
    SkillEnvOptions,
    Split,
    TableOptions,
    Task,
    symbolic_env,
    table_tasks,
)
from fmrl_robot.skills.env.menu import Choice, menu
from fmrl_robot.skills.env.tasks import TaskSource
from fmrl_robot.skills.tabletop import CUBES
from fmrl_robot.skills.values import SkillValues
from fmrl_robot.train.skill_values import calibration, rollouts
from fmrl_robot.types import FloatArray, Predicate

FIRST_SEED, OF_A_SEED = 30_000, 1000
"""Tasks of trial ``seed`` begin at FIRST_SEED + OF_A_SEED * seed."""
TABLES = TableOptions(families=("any", "put"), held=0.3)
SLIPS = 0.3
"""Of executions."""
UNREFUSED = NEXT_GRAMMAR.replace("root ::= refuse | ", "root ::= ")
"""Any next step of the plan language; refusals are no choice, as little as for the other arms."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Play every task twice, without and with slips; see Ablation.trial.

    Settings:
        model: as fm names it, or ``oracle``.
        combine: product, language, value, shuffled or generative.
    """
    named, combine = str(settings["model"]), str(settings["combine"])
    kept = budget.folder.parent / "answers"
    asked = oracle() if named == "oracle" else model(named, kept)
    values = SkillValues.load()
    planner = _planner(combine, asked, values, seed)
    scores: dict[str, float | Mapping[str, float]] = {}
    feasible: list[float] = []
    for name, slips in (("plan", 0.0), ("execution", SLIPS)):
        env = symbolic_env(tasks(), ROBOT, 1, SkillEnvOptions(max_steps=10 * MOST), slips=slips)
        first = FIRST_SEED + OF_A_SEED * seed
        played = [play(planner, env, first + i) for i in range(int(budget.amounts["tasks"]))]
        scores[name] = float(np.mean([p.done for p in played]))
        feasible += [p.feasible / p.steps for p in played if p.steps]
        budget.report(f"{name}={scores[name]:.3f}")
    scores["feasible"] = float(np.mean(feasible))
    rows, came = rollouts(int(budget.amounts["tries"]), FIRST_SEED + OF_A_SEED * seed)
    figures = calibration(values.of(rows), came)
    scores |= {"brier": figures["brier"], "ece": figures["ece"]}
    return Measured(scores=scores, model=asked.model_id)


def tasks() -> TaskSource:
    """Half name a cube; half name none, and there all but one or two are out of reach."""
    drawn = table_tasks(TABLES)

    def task(rng: random.Random, split: Split) -> Task:
        found = drawn(rng, split)
        if found.family == "any":
            _put_away(found.start, rng)
        return found

    return task


def _put_away(world: World, rng: random.Random) -> None:
    """Leave one or two cubes within reach, on which nothing lies; what is held is."""
    free = [c for c in world.movable if world.clear(c) and world.held != c]
    held = [] if world.held is None else [world.held]
    kept = [*held, *rng.sample(free, rng.choice((1, 2)) - len(held))]
    for cube in set(world.movable) - set(kept):
        world.bits |= world.domain.bit(Predicate("far", (cube,)))


def _planner(combine: str, asked: Any, values: SkillValues, seed: int) -> SayCan:
    if combine == "language":
        return SayCan(asked, values=_certain, done_value=1.0)
    if combine == "value":
        return _ValueAlone(asked, values=values)
    if combine == "shuffled":
        return SayCan(asked, values=_Shuffled(values, seed))
    if combine == "generative":
        return _Generative(asked, values=_certain)
    return SayCan(asked, values=values)


def _certain(world: World, choices: Sequence[Choice]) -> FloatArray:
    del world
    return np.ones(len(choices))


class _Shuffled:
    """Each choice has the value of another, always of the same one."""

    def __init__(self, values: SkillValues, seed: int) -> None:
        self._values, self._seed = values, seed

    def __call__(self, world: World, choices: Sequence[Choice]) -> FloatArray:
        order = np.random.default_rng(self._seed).permutation(len(choices))
        return self._values(world, choices)[order]


class _ValueAlone(SayCan):
    """Says that every choice is equally likely."""

    def said(self, context: Context, texts: Sequence[str]) -> FloatArray:
        del context
        return np.ones(len(texts))


class _Generative(SayCan):
    """Writes a step and takes the choice whose text is nearest; it knows no values."""

    def choose(self, context: Context) -> str:
        domain = World.of(context.scene).domain
        texts = [text_of(choice) for choice in menu(domain, True, "seen").choices]
        asked = self.prompt(context)
        (answer,) = self.model.generate(asked, grammar=UNREFUSED, max_tokens=40)
        near = _embedder().embed_texts([answer.text.strip() or "nothing", *texts])
        return texts[int(np.argmax(near[1:] @ near[0]))]


@cache
def _embedder() -> Any:
    return load_text_embedder()


# --- an oracle that sees all ----------------------------------------------------------------------


def oracle() -> ScriptedLM:
    """A table that knows from the facts in its prompt what can be done."""
    return ScriptedLM({"": _next}, model_id="oracle")


def _next(prompt: str) -> dict[str, float]:
    """The steps that lead on, evenly likely; ``done`` once the place holds what was asked for."""
    *_, instruction = re.findall(r'Instruction: "([^"]*)"', prompt)
    facts = set(re.findall(r"^- (.*)$", prompt, re.MULTILINE))
    cube = re.search(r"the (\w+) cube", instruction)
    place = instruction.split()[-1]
    named = [f"{cube.group(1)}_cube"] if cube else list(CUBES)
    if any(f"in({c}, {place})" in facts for c in named):
        return {"done": 1.0}
    held = [c for c in named if f"held({c})" in facts]
    covered = {c for c in CUBES for d in CUBES if f"on({d}, {c})" in facts}
    # Where nothing lies on it, it is taken without moving anything else.
    open_to = [c for c in named if f"far({c})" not in facts and c not in covered]
    best = held or open_to or named
    return {f"put({c},{place})": 1.0 / len(best) for c in best}
