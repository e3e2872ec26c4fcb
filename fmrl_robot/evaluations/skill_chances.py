"""``fmrl eval skills``: how often each skill of the arm succeeds in MuJoCo, and how long it takes.

The table is played at random, one single skill after another, the kinds least tried first; the
physics says what came of each. ``--update`` keeps the figures as data of the symbolic world
(``fmrl_robot/skills/measured.json``); without it they are compared with what is kept there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from fmrl_robot.files import replacing
from fmrl_robot.shares import share
from fmrl_robot.skills.chances import FILE, chance, measured

ROBOT = "panda"
STEPS = 12
"""Skills in one scene before the next is drawn."""
APART = 0.05
"""By this much a figure may differ from the one that is kept."""

Kind = tuple[str, str]
"""A skill and the category of its target."""


def try_skills(seed: int, tries: int, seconds: float) -> dict[str, dict[Kind, float]]:
    """Play until each kind was tried often enough or time is up.

    Args:
        seed: of tasks and choices.
        tries: wanted of each kind.
        seconds: after which to stop, by the clock on the wall; one skill is tried in any case.

    Returns:
        By kind: ``tries``, ``successes`` and ``seconds`` in all.
    """
    from fmrl_robot.skills.env import SkillEnvOptions, TableOptions, table_tasks
    from fmrl_sim.skill_env import mujoco_env

    until = time.monotonic() + seconds
    options = SkillEnvOptions(macros=False, max_steps=STEPS)
    env = mujoco_env(table_tasks(TableOptions(held=0.0)), options=options)
    rng, now = random.Random(seed), env.reset(seed)  # noqa: S311
    found: dict[str, dict[Kind, float]] = {
        name: defaultdict[Kind, float](float) for name in ("tries", "successes", "seconds")
    }
    counts = found["tries"]
    while not counts or time.monotonic() < until:
        view, menu = now.views[0], env.menu(0)
        # The last one is "done".
        open_to_it = np.flatnonzero(view.admissible[:-1]).tolist()
        if not open_to_it:
            now = env.step([len(menu.choices) - 1])
            continue
        kinds = {
            n: (c.name, menu.domain.things[c.args[-1]]) for n, c in enumerate(menu.choices[:-1])
        }
        urgency = {n: _tried(kinds[n], set(kinds.values()), counts) for n in open_to_it}
        least = min(urgency.values())
        chosen = rng.choice([n for n in open_to_it if urgency[n] == least])
        # What makes rare kinds possible is tried as well, however often it was.
        if rng.random() < 0.3:
            chosen = rng.choice(open_to_it)
        kind = kinds[chosen]
        now = env.step([chosen])
        found["tries"][kind] += 1
        found["successes"][kind] += now.done[0]
        found["seconds"][kind] += float(now.seconds[0])
        if len(counts) >= len(set(kinds.values())) and min(counts.values()) >= tries:
            break
    return {name: dict(of) for name, of in found.items()}


def _tried(kind: Kind, kinds: set[Kind], counts: Mapping[Kind, float]) -> float:
    """How often a kind was tried; of a grasp, how often what only it makes possible was."""
    if kind[0] != "grasp":
        return counts.get(kind, 0.0)
    return min(counts.get(k, 0.0) for k in kinds if k[0] == "place")


def rows(parts: Sequence[Mapping[str, Mapping[Kind, float]]]) -> dict[str, dict[str, Any]]:
    """Counts of several processes as the file keeps them, by skill and category."""
    found: dict[str, dict[str, Any]] = {}
    for kind in sorted({kind for part in parts for kind in part["tries"]}):
        tries, successes, seconds = (
            sum(part[name].get(kind, 0.0) for part in parts)
            for name in ("tries", "successes", "seconds")
        )
        found.setdefault(kind[0], {})[kind[1]] = {
            "successes": int(successes),
            "tries": int(tries),
            "seconds": round(seconds / tries, 2),
        }
    return found


def compared(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each figure beside the one that is kept."""
    lines: list[dict[str, Any]] = []
    for skill, categories in found.items():
        for category, row in categories.items():
            kept = chance(ROBOT, skill, category)
            now = share(row["successes"], row["tries"])
            lines.append(
                {
                    "skill": skill,
                    "of": category,
                    **now,
                    "seconds": row["seconds"],
                    "kept": round(kept.success, 4),
                    "kept_seconds": kept.seconds,
                    "within": abs(now["share"] - kept.success) <= APART,
                }
            )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Measure; with ``--update`` keep what was found, else compare, 1 where a figure is apart."""
    parser = argparse.ArgumentParser(prog="fmrl eval skills", description=__doc__)
    parser.add_argument("--tries", type=int, default=200, help="of each kind, in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60.0, help="the most that it may take")
    parser.add_argument("--update", action="store_true", help=f"write {FILE.name}")
    given = parser.parse_args(arguments)
    each = -(-given.tries // given.processes)
    seeds = [1_000 * given.seed + number for number in range(given.processes)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.processes, mp_context=context) as pool:
        jobs = [pool.submit(try_skills, s, each, 60 * given.minutes) for s in seeds]
        found = rows([job.result() for job in jobs])
    lines = compared(found)
    print(json.dumps(lines, indent=2))  # noqa: T201
    if given.update:
        kept = dict(measured())
        kept["measured"] = {**kept["measured"], ROBOT: found}
        with replacing(FILE) as draft:
            draft.write_text(json.dumps(kept, indent=2) + "\n")
        return 0
    return int(not all(line["within"] for line in lines))
