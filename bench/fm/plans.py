"""Plans of the embedded planner, from the sentence to sub-goals."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import numpy as np

from bench.common import Table
from bench.fm.models import Models
from bench.fm.record import Record
from fmrl_robot.errors import FmrlError
from fmrl_robot.evaluations.language import load, scene_of
from fmrl_robot.methods.psl import PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planning import Context


def plans(models: Models, record: Record) -> Table:
    """Every instruction written by hand."""
    table = Table("Plans of the embedded planner", ("", "plans", "p50, ms", "p95, ms"))
    model = models.load("embedded")
    for kind, planner, robot in (
        ("arm", PSL(model), "panda"), ("quadruped", SayTap(model), "go2"),
    ):  # fmt: skip
        times_s = [_plan(planner, robot, case) for case in load(f"seen_{kind}")]
        p50, p95 = (1e3 * float(np.percentile(times_s, q)) for q in (50, 95))
        record.figures[f"plan {kind}"] = {"p50_ms": p50, "p95_ms": p95, "plans": len(times_s)}
        table.add(kind, str(len(times_s)), f"{p50:.0f}", f"{p95:.0f}")
        if kind == "arm":
            record.under_bar("plan_p50_ms", p50)
    return table


def _plan(planner: PSL | SayTap, robot: str, case: dict[str, Any]) -> float:
    scene = scene_of(case, robot)
    begin = time.perf_counter()
    with suppress(FmrlError):  # a refusal is an answer as well
        planner.reset(case["text"], robot)
        planner.propose(Context.of(scene))
    return time.perf_counter() - begin
