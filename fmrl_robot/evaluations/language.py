"""``fmrl eval language``: plans for hand-written instructions, judged by goals written beside them.

The instructions of ``arm.yaml`` and ``quadruped.yaml`` were written by people who knew robot and
scene but neither the training corpus nor its generator, and are sorted by what makes them hard.
Those of ``seen_*.yaml`` guided the corpus, and are reported apart.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.errors import ErrorCode, FmrlError, Terminal
from fmrl_robot.evaluations.language_baseline import fit as fit_linear
from fmrl_robot.evaluations.language_judge import judge_arm, make_scene, segments
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.undressing import calls
from fmrl_robot.methods.psl import PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.plancheck import check, check_intent
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.planners.prompting import short_prompt
from fmrl_robot.planners.saytap_commands import COMMANDS, problems
from fmrl_robot.planners.step_words import DONE, NEXT_GRAMMAR, next_prompt
from fmrl_robot.planning import Context
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.shares import share
from fmrl_robot.train.cards import card_to_note_in, note_in_card
from fmrl_robot.types import Plan, Predicate, Scene

SETS = ("arm", "quadruped", "seen_arm", "seen_quadruped")
REFUSALS = frozenset({"unknown_object", "unsafe", "impossible", "refusal"})
DECLINED = (ErrorCode.OBJECT_UNKNOWN, ErrorCode.INSTRUCTION_REFUSED)
"""Codes of a refusal; any other error is a failure, also where refusing was right."""
FAILED_SHARE = 0.2
"""How often a step fails in the loop that asks for one step at a time."""
MAX_ASKED = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One instruction and what was made of it."""

    set: str
    phenomenon: str
    text: str
    should_refuse: bool
    refused: bool
    wrong: str
    """What is wrong with the plan; empty: nothing."""


def load(name: str) -> list[dict[str, Any]]:
    """Return the cases of one of SETS."""
    file = files("fmrl_robot.evaluations").joinpath("instructions", f"{name}.yaml")
    return yaml.safe_load(file.read_text("utf-8"))


def scene_of(case: dict[str, Any], robot: str) -> Scene:
    """Return the scene that a case is about; a quadruped's is empty."""
    if robot != "panda":
        return Scene(stamp_s=0.0)
    return make_scene(case.get("scene", []), case.get("absent", []))


def evaluate(model: Any, name: str, every: int = 1) -> list[Result]:
    """Plan for a set's instructions, or for every nth of them."""
    arm = name.endswith("arm")
    planner: Any = PSL(model) if arm else SayTap(model)
    return [_run(planner, name, "panda" if arm else "go2", case) for case in load(name)[::every]]


def _run(planner: Any, name: str, robot: str, case: dict[str, Any]) -> Result:
    scene = scene_of(case, robot)
    phenomenon = case.get("phenomenon") or case["kind"]
    should = bool(case.get("refuse")) or phenomenon in REFUSALS
    refused = False
    try:
        planner.reset(case["text"], robot)
        plan = planner.propose(Context.of(scene))
    except FmrlError as error:
        refused = isinstance(error, Terminal) and error.code in DECLINED
        wrong = "" if should and refused else f"{error.code.name}: {error}"
    else:
        wrong = _wrong(plan, scene, robot, case, should)
    if phenomenon == "saytap":
        phenomenon = f"saytap {case['style']}"
    return Result(
        set=name,
        phenomenon=phenomenon,
        text=case["text"],
        should_refuse=should,
        refused=refused,
        wrong=wrong,
    )


def _wrong(plan: Plan, scene: Scene, robot: str, case: dict[str, Any], should: bool) -> str:
    if should:
        return f"not refused: {[s.text for s in plan.subgoals]}"
    spec = get_robot(robot)
    if found := check(plan, scene, spec) or check_intent(plan, scene, spec):
        return f"plan check: {found[0].message}"
    if robot == "panda":
        return judge_arm(case, scene, plan)
    wanted = segments(case) if "segments" in case else _command(case["command"]).segments
    return "; ".join(problems(plan.subgoals, wanted))


def _command(number: int) -> Any:
    return next(c for c in COMMANDS if c.number == number)


def by_phenomenon(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Shares of right answers by phenomenon, in the order of the file."""
    names = dict.fromkeys(r.phenomenon for r in results)
    return {name: right([r for r in results if r.phenomenon == name]) for name in names}


def right(results: Sequence[Result]) -> dict[str, Any]:
    """Share of right answers with its interval."""
    return share(sum(not r.wrong for r in results), len(results))


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The figures that count, over results of one set."""
    good = [r for r in results if not r.should_refuse]
    bad = [r for r in results if r.should_refuse]
    said: dict[str, Any] = {"plans": right(good)}
    test = [r for r in good if r.phenomenon.startswith("saytap")]
    if test:
        said["saytap_25_times_6"] = right(test)
    said["refused_rightly"] = share(sum(r.refused for r in bad), len(bad))
    said["refused_wrongly"] = share(sum(r.refused for r in good), len(good))
    said["by_phenomenon"] = by_phenomenon(results)
    return said


def next_steps(model: Any, every: int = 1, seed: int = 0) -> dict[str, Any]:
    """Ask for one step at a time, some of which fail; share of arm instructions brought to goal."""
    rng = random.Random(seed)  # noqa: S311
    cases = [c for c in load("arm") if not c.get("refuse")][::every]
    reached = [_one_at_a_time(model, case, rng) for case in cases]
    return share(sum(reached), len(reached))


def _one_at_a_time(model: Any, case: dict[str, Any], rng: random.Random) -> bool:
    """Carry out what the model names, tell it how that ended, until it says that all is done."""
    history: list[tuple[str, bool]] = []
    for _ in range(MAX_ASKED):
        asked = short_prompt("next", next_prompt(case["text"], history))
        answer = calls(model.generate(asked, grammar=NEXT_GRAMMAR, max_tokens=60)[0].text)
        if answer == DONE:
            break
        if answer.startswith("refuse"):
            return False
        history.append((answer, rng.random() >= FAILED_SHARE))
    scene = scene_of(case, "panda")
    try:
        steps = plan_language.parse(";".join(step for step, success in history if success))
        subgoals, _ = plan_expansion.expand(steps, scene)
    except FmrlError:
        return False
    goal = tuple(Predicate.parse(f) for f in case["goal"])
    plan = Plan(instruction=case["text"], method="next", subgoals=subgoals, goal=goal)
    return not judge_arm(case, scene, plan)


def report(model: Any, every: int = 1, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure everything; ``every`` thins the sets out."""
    found: dict[str, Any] = {"model": model.model_id}
    for name in SETS:
        results = evaluate(model, name, every)
        found[name] = summary(results)
        if not name.startswith("seen"):
            found[name]["confused"] = [
                {"text": r.text, "wrong": r.wrong} for r in results if r.wrong
            ]
        tell(f"{name}: {json.dumps(found[name]['plans'])}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure a model, print, and note the figures in a card where asked to."""
    parser = argparse.ArgumentParser(prog="fmrl eval language", description=__doc__)
    parser.add_argument("--model", default="embedded", help="back end, as fm names it")
    parser.add_argument("--every", type=int, default=1, help="only every nth instruction")
    parser.add_argument("--next", action="store_true", help="also one step at a time")
    parser.add_argument("--linear", action="store_true", help="a linear classifier beside it")
    parser.add_argument("--card", type=Path, help="card.json to note the result in")
    given = parser.parse_args(arguments)
    card_to_note_in(given.card)
    model = load_language_model(given.model)
    found = report(model, given.every)
    if given.next:
        found["next_step_with_failures"] = next_steps(model, given.every)
    if given.linear:
        beside = report(fit_linear(), given.every)
        found["linear_classifier"] = {
            name: {k: v for k, v in beside[name].items() if k not in ("confused", "by_phenomenon")}
            for name in SETS
        }
    print(json.dumps(found, indent=1))  # noqa: T201
    if given.card is not None:
        note_in_card(given.card, "language", found)
    return 0
