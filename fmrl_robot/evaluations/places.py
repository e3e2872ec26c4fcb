"""``fmrl eval places``: whether a quadruped knows where it is, gets to places, and does errands.

Three parts, each judged by ground truth: ``drift`` (odometry after walks of ten metres, on level
and on rough ground), ``arrival`` (at markers with others in the way, and back), and
``instructions`` (forty that mix places, turns, distances, postures and gaits, with a scripted
planner). Without ROS; ``--graph`` gives the instructions to the whole graph.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

PARTS = ("drift", "arrival", "instructions")
DRIFT_MEDIAN, DRIFT_P95, ARRIVAL, DONE = 5.0, 10.0, 0.95, 0.9
"""Wanted: drift in per cent of the way with sensors as they are, shares of arrivals and errands."""
ROBOTS = ("go2", "go1")


def main(arguments: Sequence[str]) -> int:
    """Read the command line, run, print a row a figure.

    Returns:
        0: every figure is as wanted.
    """
    parser = argparse.ArgumentParser(prog="fmrl eval places", description=__doc__)
    parser.add_argument("--robot", default="go2", choices=ROBOTS)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--runs", type=int, default=100, help="errands; a fifth as many walks")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", help="instructions by number, from 0")
    parser.add_argument("--graph", action="store_true", help="instructions in the whole graph")
    parser.add_argument("--out", type=Path, default=Path("runs/places"), help="of the graph's run")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    good = True
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        if "drift" in given.parts:
            good &= _drift(pool, given)
        if "arrival" in given.parts:
            good &= _arrival(pool, given)
        if "instructions" in given.parts:
            good &= _instructions(pool, given)
    return 0 if good else 1


def _drift(pool: ProcessPoolExecutor, given: argparse.Namespace) -> bool:
    from fmrl_robot.evaluations.places_drift import GROUNDS, Walk, attempt, summary

    good = True
    for ground in GROUNDS:
        seeds = range(given.first_seed, given.first_seed + max(1, given.runs // 5))
        walks = [Walk(robot=given.robot, ground=ground, seed=seed) for seed in seeds]
        row = summary(list(pool.map(attempt, walks)))
        _say({"part": "drift", **row})
        drift = row["sensors_drift_percent"]
        good &= drift["median"] <= DRIFT_MEDIAN and drift["p95"] <= DRIFT_P95
    return good


def _arrival(pool: ProcessPoolExecutor, given: argparse.Namespace) -> bool:
    from fmrl_robot.evaluations.places_arrival import Errand, attempt, summary

    seeds = range(given.first_seed, given.first_seed + given.runs)
    row = summary(list(pool.map(attempt, [Errand(robot=given.robot, seed=s) for s in seeds])))
    _say({"part": "arrival", **row})
    return row["arrived"]["share"] >= ARRIVAL


def _instructions(pool: ProcessPoolExecutor, given: argparse.Namespace) -> bool:
    from fmrl_robot.evaluations.places_course import attempt, cases, in_graph, summary

    numbers = given.only or list(range(len(cases())))
    if given.graph:
        rows = in_graph(given.robot, given.out, numbers)
    else:
        rows = list(pool.map(partial(attempt, robot=given.robot, seed=given.first_seed), numbers))
    row = summary(rows)
    _say({"part": "instructions", "graph": given.graph, **row})
    return row["done"]["share"] >= DONE


def _say(row: dict[str, object]) -> None:
    print(json.dumps(row), flush=True)  # noqa: T201
