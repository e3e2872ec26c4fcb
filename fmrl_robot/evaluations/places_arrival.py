"""Whether a quadruped gets to a place: a marker or a point aside, with other markers in the way.

It is placed among three markers as the home scene has them; the task leads to one of them and then
back, so that others lie in the way, and to the far side. Ground truth says where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.control.floor_skills import BEFORE_M
from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.shares import share
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop
from fmrl_sim.own_eyes import OwnEyes

WITHIN_M = 0.3
"""Of the place half a metre before a marker, or of the point."""
SHOVED_M = 0.05
"""A marker that moved as far was run into."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """One errand: to a marker, to another one, and back."""

    robot: str
    seed: int


def attempt(errand: Errand) -> dict[str, Any]:
    """Carry it out; how far off each arrival was, and whether anything was run into."""
    spec, rng = find_robot(errand.robot), np.random.default_rng(errand.seed)
    gate, eyes = Gate(spec), OwnEyes(errand.seed)
    body = MujocoBody(SCENES.load("ground")(errand.robot), gate, seed=errand.seed)
    loop = Loop(body, gate, QuadrupedController(spec), eyes)
    eyes.believed = lambda: loop.supervisor.state
    loop.idle(2.0)
    colours = rng.permutation(["red", "green", "blue"])[:2].tolist()
    names = [f"{colour}_marker" for colour in colours]
    plan = parse(f"go({names[0]});go({names[1]});go(start)")
    start = body.data.qpos[:2].copy()
    before = {o.name: body.data.body(o.name).xpos.copy() for o in body.scene.objects}
    off: list[float] = []
    why = ""
    for step in plan:
        outcome = loop.execute(step)
        loop.idle(0.5)
        if outcome is None or not outcome.success:
            why = outcome.message if outcome else "interrupted"
            break
        here = body.data.qpos[:2]
        if step.target in before:
            middle = body.data.body(step.target).xpos[:2]
            off.append(abs(float(np.linalg.norm(here - middle)) - BEFORE_M))
        else:
            off.append(float(np.linalg.norm(here - start)))
    moved = max(float(np.linalg.norm(body.data.body(n).xpos - at)) for n, at in before.items())
    return {"errand": errand, "off_m": off, "of": len(plan), "shoved_m": moved, "why": why}


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Seeds in which every arrival was near enough and nothing was run into."""
    arrived = [len(row["off_m"]) == row["of"] and max(row["off_m"]) <= WITHIN_M for row in found]
    off = [value for row in found for value in row["off_m"]]
    return {
        "robot": found[0]["errand"].robot,
        "arrived": share(sum(arrived), len(found)),
        "first_arrival": share(
            sum(bool(r["off_m"]) and r["off_m"][0] <= WITHIN_M for r in found), len(found)
        ),
        "shoved_something": sum(row["shoved_m"] > SHOVED_M for row in found),
        "off_m": {
            "median": round(float(np.median(off)), 3),
            "p95": round(float(np.percentile(off, 95)), 3),
        },
        "failed": [
            f"seed {row['errand'].seed}: {row['why'] or np.round(row['off_m'], 2).tolist()}"
            for row, good in zip(found, arrived, strict=True)
            if not good
        ],
    }
