"""``fmrl eval rearm``: stop a robot at any moment, re-arm it, and see it do its next task.

Shipped policies, controllers and the gate, in simulation and without ROS. A trial begins a task,
stops the robot at a random moment of it in one of four ways, waits, asks once for re-arming, and
gives the next task: a trot, or a cube into the bowl. Ground truth says whether that was done.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from fmrl_robot.robots import ROBOTS
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.shares import share

WAYS = ("asked", "silence", "late", "killed")
"""Somebody asks; the controller hangs; its commands come late; it dies and another one comes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One stop."""

    robot: str
    activity: str
    """What the robot is doing, see rearm_quadruped and rearm_arm."""
    way: str
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """How it went on."""

    trial: Trial
    stopped: bool
    """The gate had stopped the robot; a trial without is no trial."""
    rearmed: bool
    """By one request."""
    done: bool
    """The next task."""
    stood_up: bool = False
    """Before it a quadruped had to be told to stand up."""
    why: str = ""
    """Not."""


def ways_of(robot: str) -> tuple[str, ...]:
    """Ways in which this robot can be stopped; an arm bears commands that come late."""
    return WAYS if find_robot(robot).kind == "quadruped" else ("asked", "silence", "killed")


def activities_of(robot: str) -> tuple[str, ...]:
    """What this robot can be stopped at."""
    from fmrl_robot.evaluations import rearm_arm, rearm_quadruped

    kind = rearm_arm if find_robot(robot).kind == "arm" else rearm_quadruped
    return tuple(kind.ACTIVITIES)


def trials(robot: str, way: str, count: int, first_seed: int = 0) -> list[Trial]:
    """So many trials, the activities in turn."""
    names = activities_of(robot)
    return [
        Trial(robot=robot, activity=names[i % len(names)], way=way, seed=first_seed + i)
        for i in range(count)
    ]


def attempt(trial: Trial) -> Tried:
    """Carry out one trial."""
    from fmrl_robot.evaluations import rearm_arm, rearm_quadruped

    if find_robot(trial.robot).kind == "arm":
        return rearm_arm.attempt(trial)
    return rearm_quadruped.attempt(trial)


def summary(way: str, tried: Sequence[Tried]) -> dict[str, Any]:
    """Count."""
    return {
        "robot": tried[0].trial.robot,
        "way": way,
        "stopped": sum(t.stopped for t in tried),
        "rearmed": share(sum(t.rearmed for t in tried), len(tried)),
        "next_task_done": share(sum(t.done for t in tried), len(tried)),
        "told_to_stand_up": sum(t.stood_up for t in tried),
        "failed": [f"{t.trial.activity} seed {t.trial.seed}: {t.why}" for t in tried if not t.done],
    }


def main(arguments: Sequence[str]) -> int:
    """Read the command line, run, print a row for each way to be stopped.

    Returns:
        0: every robot was stopped, re-armed and did its next task.
    """
    parser = argparse.ArgumentParser(prog="fmrl eval rearm", description=__doc__)
    parser.add_argument("--robot", default="go2", choices=ROBOTS.names())
    parser.add_argument("--ways", nargs="+", choices=WAYS, help="default: all that fit the robot")
    parser.add_argument("--runs", type=int, default=60, help="of each way")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=4)
    given = parser.parse_args(arguments)
    every = True
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for way in given.ways or ways_of(given.robot):
            planned = trials(given.robot, way, given.runs, given.first_seed)
            tried = list(pool.map(attempt, planned))
            print(json.dumps(summary(way, tried)), flush=True)  # noqa: T201
            every &= all(t.stopped and t.rearmed and t.done for t in tried)
    return 0 if every else 1
