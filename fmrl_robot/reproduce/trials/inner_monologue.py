"""Inner Monologue's trial: tasks on a table where steps slip, by how much the planner hears."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.methods.inner_monologue import InnerMonologue
from fmrl_robot.planning import Question
from fmrl_robot.reproduce.trials.stepping import MOST, ROBOT, Person, model, play
from fmrl_robot.skills import World
from fmrl_robot.skills.captioner import caption
from fmrl_robot.skills.env import SkillEnvOptions, TableOptions, Task, symbolic_env, table_tasks
from fmrl_robot.skills.tabletop import CUBES
from fmrl_robot.types import Predicate, Scene, SubGoal

FIRST_SEED, OF_A_SEED = 40_000, 1000
"""Tasks of trial ``seed`` begin at FIRST_SEED + OF_A_SEED * seed."""
TABLES = TableOptions(families=("put", "stack", "clear out", "store", "open", "press"))


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Play every task; see Ablation.trial.

    Settings:
        model: as fm names it.
        hears: channels, separated by commas.
        slips: share of skills that fail.
        moved: share of skills after which somebody moves a cube.
        wrong: share of detections that say the opposite.
    """
    asked = model(str(settings["model"]), budget.folder.parent / "answers")
    wrong = float(settings.get("wrong", 0.0))
    channels = tuple(filter(None, str(settings["hears"]).split(",")))
    planner = InnerMonologue(asked, sees=lambda scene, fact: seen(scene, fact, wrong, seed))
    env = symbolic_env(
        table_tasks(TABLES), ROBOT, 1,
        SkillEnvOptions(max_steps=10 * MOST, moved=float(settings.get("moved", 0.0))),
        slips=float(settings.get("slips", 0.0)),
    )  # fmt: skip
    first = FIRST_SEED + OF_A_SEED * seed
    played = [
        play(
            planner, env, first + i, channels=channels, person=person,
            blur=lambda scene, subgoal: blurred(scene, subgoal, wrong, seed),
        )
        for i in range(int(budget.amounts["tasks"]))
    ]  # fmt: skip
    scores = {
        "success": float(np.mean([p.done for p in played])),
        "steps": float(np.mean([p.steps for p in played])),
        "questions": float(np.mean([p.asked for p in played])),
    }
    budget.report(" ".join(f"{name}={value:.3f}" for name, value in scores.items()))
    return Measured(scores=scores, model=asked.model_id)


def _errs(wrong: float, seed: int, scene: Scene, what: object) -> bool:
    """Whether a detector is wrong about something: the same each time it looks at one moment."""
    return random.Random(f"{seed} {scene.stamp_s:.4f} {what}").random() < wrong  # noqa: S311


def seen(scene: Scene, fact: Predicate, wrong: float, seed: int) -> bool:
    """Whether a fact is seen to hold, by eyes that are wrong in a share of facts."""
    return scene.holds(fact) != _errs(wrong, seed, scene, f"scene {fact}")


def blurred(scene: Scene, subgoal: SubGoal, wrong: float, seed: int) -> Scene:
    """What detectors make of a scene: the fact that ends the step, and what lies on the table."""
    lying = [Predicate("on", (cube, "table")) for cube in CUBES]
    facts = scene.predicates
    for fact in dict.fromkeys((*lying, subgoal.termination)):
        if fact is not None and _errs(wrong, seed, scene, f"detector {fact}"):
            facts = facts ^ {fact}
    return replace(scene, predicates=facts)


def person(task: Task, truth: Callable[[], World]) -> Person:
    """Somebody who sees how things are, and says so."""
    del task

    def answer(question: Question) -> str:
        world = truth()
        asked = question.text.partition("is it true that ")[2].rstrip("?")
        known = {caption(fact) for fact in world.facts()}
        return "yes" if asked in known else "no"

    return answer
