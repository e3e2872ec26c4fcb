"""Forty instructions that mix places, turns, distances, postures and gaits, judged by the physics.

The planner is scripted: it answers each instruction with the plan that stands beside it, so that
what is measured is everything below a planner, plan check and independent reading included. In a
loop without ROS, or in the whole graph.
"""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.evaluations.graph_run import run_episodes
from fmrl_robot.plancheck import check
from fmrl_robot.plancheck.intent import check_intent
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.shares import share
from fmrl_robot.types import Plan
from fmrl_sim.body import MujocoBody
from fmrl_sim.goals import goal_of
from fmrl_sim.judge import judge
from fmrl_sim.lockstep import Loop
from fmrl_sim.own_eyes import OwnEyes
from fmrl_sim.recorder import Recorder

TIMEOUT_S = 180.0


@lru_cache(maxsize=1)
def cases() -> tuple[dict[str, str], ...]:
    """The instructions, each with its plan and its judge's form."""
    text = files("fmrl_robot.evaluations.instructions").joinpath("places.yaml").read_text("utf-8")
    return tuple(cast("list[dict[str, str]]", yaml.safe_load(text)))


def attempt(number: int, robot: str = "go2", seed: int = 0) -> dict[str, Any]:
    """Check and carry out one of them in a loop without ROS, and judge it by its record."""
    case, spec = cases()[number], find_robot(robot)
    gate, eyes = Gate(spec), OwnEyes(seed)
    body = MujocoBody(SCENES.load("ground")(robot), gate, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), body)
        loop = Loop(body, gate, QuadrupedController(spec), eyes, lambda *_: recorder.add(body))
        eyes.believed = lambda: loop.supervisor.state
        loop.idle(2.0)
        plan = Plan(
            instruction=case["text"], method="scripted", subgoals=tuple(parse(case["plan"]))
        )
        refused = check(plan, loop.scene, spec) or check_intent(plan, loop.scene, spec)
        why = refused[0].message if refused else ""
        for step in () if refused else plan.subgoals:
            outcome = loop.execute(step)
            if outcome is None or not outcome.success:
                why = outcome.message if outcome else "interrupted"
                break
        loop.idle(1.0)
        recorder.close()
        verdict = judge(Path(folder), goal_of(case["judged"], "quadruped"))
    return {"number": number, "text": case["text"], "done": verdict.done and not why,
            "why": why or verdict.reason}  # fmt: skip


def in_graph(robot: str, folder: Path, only: list[int]) -> list[dict[str, Any]]:
    """Give them to the whole graph, one after the other, and judge each by its record."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [cases()[n] for n in only]
    table = folder / "planner.yaml"
    table.write_text(
        yaml.safe_dump({f'Instruction: "{c["text"]}"\nAnswer:': c["plan"] for c in chosen})
    )
    episodes = [
        {"number": n, "seed": n, "instruction": c["text"], "timeout_s": TIMEOUT_S}
        for n, c in zip(only, chosen, strict=True)
    ]
    results = run_episodes(
        episodes, folder, {"robot": robot, "language_model": f"scripted:{table}"}
    )
    found: list[dict[str, Any]] = []
    for episode, (case, result) in enumerate(zip(chosen, results, strict=True), start=1):
        verdict = judge(folder, goal_of(case["judged"], "quadruped"), episode)
        told = bool(result.get("success"))
        found.append(
            {"number": result["number"], "text": case["text"], "done": verdict.done,
             "told": told, "why": verdict.reason if told else json.dumps(result.get("error_msg"))}
        )  # fmt: skip
    return found


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Count."""
    return {
        "done": share(sum(row["done"] for row in found), len(found)),
        "failed": [f"{r['number']}. {r['text']}: {r['why']}" for r in found if not r["done"]],
    }
