"""What an experiment came to, as one JSON object from which its page is written."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fmrl_robot.ablation import Ablation, Bar
from fmrl_robot.reproduce.statistics import Estimate, Scores, difference, estimate, together
from fmrl_robot.reproduce.trial_job import TrialJob
from fmrl_robot.train.cards import rounded

ONE = "all"
"""Name of the only task of a measure that tells none apart."""


def outcome(name: str, ablation: Ablation, jobs: Sequence[TrialJob], minutes: float) -> Any:
    """Gather what the trials left.

    Args:
        name: of the system.
        ablation: of it.
        jobs: its trials, carried out.
        minutes: that passed on the clock, those of runs that were gone on with included.
    """
    results = [job.result() for job in jobs]
    done = [result for result in results if result.get("state") == "done"]
    scores = {arm.name: _scores(ablation, done, arm.name) for arm in ablation.arms}
    failed = [
        {"run": job.name, "error": result.get("error", "not run")}
        for job, result in zip(jobs, results, strict=True)
        if result.get("state") != "done"
    ]
    short = {job.arm for job, r in zip(jobs, results, strict=True) if r.get("state") != "done"}
    return rounded(
        {
            "system": name,
            "ablation": ablation.statement(),
            "digest": ablation.digest(),
            "amounts": dict(jobs[0].amounts),
            "seeds": sorted({job.seed for job in jobs}),
            "models": sorted({r["measured"]["model"] for r in done} - {""}),
            "commits": sorted({r["commit"] for r in done} - {""}),
            "machine": machine(),
            "minutes": minutes,
            "trial_minutes": sum(r["seconds"] for r in done) / 60,
            "failed": failed,
            "estimates": {
                arm: {measure: asdict(estimate(s)) for measure, s in of.items()}
                for arm, of in scores.items()
            },
            "bars": [_judged(bar, scores, short) for bar in ablation.bars],
            "curves": {arm.name: _curves(done, arm.name) for arm in ablation.arms},
            "scores": scores,
        }
    )


def _scores(ablation: Ablation, done: Sequence[dict[str, Any]], arm: str) -> dict[str, Scores]:
    """By measure and task, one score a seed; measures that nobody told are left out."""
    found: dict[str, dict[str, list[float]]] = {}
    for measure in ablation.measures:
        for result in done:
            told = result["measured"]["scores"].get(measure.name)
            if result["arm"] != arm or told is None:
                continue
            by_task: Mapping[str, float] = told if isinstance(told, Mapping) else {ONE: told}
            for task, value in by_task.items():
                found.setdefault(measure.name, {}).setdefault(task, []).append(float(value))
    return dict(found)


def _judged(bar: Bar, scores: Mapping[str, Mapping[str, Scores]], short: set[str]) -> Any:
    """The bar with its figure; ``holds`` is None where nobody can tell."""
    mine = scores[bar.arm].get(bar.measure)
    others = scores[bar.against].get(bar.measure) if bar.against else None
    told = None
    if mine and (others or not bar.against):
        told = difference(mine, others) if others else estimate(mine)
    sound = not {bar.arm, bar.against} & short
    return {
        **asdict(bar),
        "value": told.value if told else None,
        "low": told.low if told else None,
        "high": told.high if told else None,
        "holds": holds(bar, told) if told and sound else None,
    }


def holds(bar: Bar, told: Estimate) -> bool | None:
    """Whether the worse end of the interval clears the bar; None without an interval."""
    if told.low is None or told.high is None:
        return None
    if bar.at_least is not None:
        return told.low >= bar.at_least
    return bar.at_most is not None and told.high <= bar.at_most


def _curves(done: Sequence[dict[str, Any]], arm: str) -> dict[str, Any]:
    mine = [r["measured"]["curves"] for r in done if r["arm"] == arm]
    names = dict.fromkeys(name for curves in mine for name in curves)
    return {n: together([(c[n]["x"], c[n]["y"]) for c in mine if n in c]) for n in names}


def machine() -> dict[str, Any]:
    """What minutes depend on."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}
