"""The arm's half of ``fmrl eval spine``: templates of tasks, judged by predicates at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.shares import share
from fmrl_robot.types import Predicate

COLORS = ("red", "green", "blue", "yellow")
TIMEOUT_S = 180.0
SUCCESS, OF_TEN = 0.9, 7
"""Wanted over all, and of ten in every template."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A kind of task; ``{a}``, ``{b}`` and ``{c}`` are colours drawn by seed."""

    name: str
    says: tuple[str, ...]
    """Ways to say it, taken in turn."""
    goal: tuple[str, ...]
    at: tuple[tuple[str, str], ...] = ()
    """Where cubes start, as scene options have it."""


TEMPLATES: tuple[Template, ...] = (
    Template(
        name="bowl",
        says=("put the {a} cube in the bowl", "place the {a} block into the bowl"),
        goal=("in({a}_cube, bowl)",),
    ),
    Template(
        name="bin",
        says=("put the {a} cube in the bin", "drop the {a} cube into the bin"),
        goal=("in({a}_cube, bin)",),
    ),
    Template(
        name="stack",
        says=("stack the {a} cube on the {b} cube", "put the {a} cube on top of the {b} cube"),
        goal=("on({a}_cube, {b}_cube)",),
    ),
    Template(
        name="tower of three",
        says=(
            "build a tower with the {a} cube at the bottom, the {b} cube in the middle and the "
            "{c} cube on top",
            "stack the {b} cube on the {a} cube, then the {c} cube on the {b} cube",
        ),
        goal=("on({b}_cube, {a}_cube)", "on({c}_cube, {b}_cube)"),
    ),
    Template(
        name="out of the bowl",
        says=("take the {a} cube out of the bowl", "remove the {a} cube from the bowl"),
        goal=("on({a}_cube, table)",),
        at=(("{a}_cube", "bowl"),),
    ),
    Template(name="open", says=("open the drawer", "pull the drawer open"), goal=("open(drawer)",)),
    Template(
        name="into the drawer",
        says=(
            "put the {a} cube into the drawer and close it",
            "open the drawer, put the {a} cube in the drawer, then close the drawer",
        ),
        goal=("in({a}_cube, drawer)", "closed(drawer)"),
    ),
    Template(
        name="press after placing",
        says=(
            "put the {a} cube in the bowl, then press the button",
            "place the {a} cube in the bin and then press the button",
        ),
        goal=("pressed(button)", "in({a}_cube, {place})"),
    ),
)


def settings(folder: Path) -> dict[str, str]:
    """Launch arguments beside the robot's; none."""
    del folder
    return {}


def episodes(count: int, first_seed: int, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every template with ``count`` seeds of its own."""
    found: list[dict[str, Any]] = []
    for number, template in enumerate(TEMPLATES):
        if only and template.name not in only:
            continue
        for i in range(count):
            seed = first_seed + 100 * number + i
            drawn = np.random.default_rng(seed).permutation(len(COLORS))
            a, b, c, _ = (COLORS[k] for k in drawn)
            says = template.says[i % len(template.says)]
            place = "bin" if "bin" in says else "bowl"
            names = {"a": a, "b": b, "c": c, "place": place}
            options: dict[str, Any] = {}
            if template.at:
                options["at"] = [[x.format(**names), y] for x, y in template.at]
            found.append(
                {
                    "kind": template.name,
                    "seed": seed,
                    "options": options,
                    "instruction": says.format(**names),
                    "goal": [g.format(**names) for g in template.goal],
                    "timeout_s": TIMEOUT_S,
                }
            )
    return found


def judged(results: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Add the judge's word to every episode: ``done`` and ``reason``."""
    from fmrl_sim.goals import Goal
    from fmrl_sim.judge import judge

    found: list[dict[str, Any]] = []
    for number, result in enumerate(results, start=1):
        goal = Goal(predicates=tuple(Predicate.parse(text) for text in result["goal"]))
        verdict = judge(folder, goal, number)
        before = judge(folder, goal, number, row=0)
        if before.done:
            raise AssertionError(f"episode {number} begins with its goal reached: {result}")
        found.append({**result, "done": verdict.done, "reason": verdict.reason})
    return found


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count successes over all and by template, with Wilson intervals."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    by_kind = {k: done_of([row for row in rows if row["kind"] == k]) for k in kinds}
    whole = done_of(rows)
    worst = min(of["share"] for of in by_kind.values())
    return {
        "success": whole,
        "by_kind": by_kind,
        "claims_that_are_true": done_of([row for row in rows if row["success"]]),
        "median_s": float(np.median([row.get("seconds", np.nan) for row in rows])),
        "replans": sum(row.get("replans", 0) for row in rows),
        "holds": whole["share"] >= SUCCESS and worst >= OF_TEN / 10,
    }


def done_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of episodes that the judge calls done."""
    return share(sum(row["done"] for row in rows), len(rows))


def words(of: dict[str, Any]) -> str:
    """A proportion as a cell of a table."""
    low, high = of["wilson95"]
    return f"{of['successes']}/{of['n']} ({low:.0%} to {high:.0%})"


def table(figures: dict[str, Any]) -> str:
    """Markdown."""
    lines = ["| arm: template | done, Wilson 95 % |", "|---|---|"]
    lines += [f"| {name} | {words(of)} |" for name, of in figures["by_kind"].items()]
    lines += [
        f"| **all** | **{words(figures['success'])}** |",
        f"| of those that the graph calls done | {words(figures['claims_that_are_true'])} |",
    ]
    return "\n".join(lines)
