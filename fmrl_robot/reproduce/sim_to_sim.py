"""``fmrl eval sim-to-sim``: does the same policy file walk in another physics engine?

The shipped policy, its controller and the gate drive a quadruped in PyBullet, which knows nothing
of MuJoCo but the robot's masses, joints and shapes. Headings differ by seed, and so do the floor's
friction and the moment at which the gait begins. Falls, speed and contacts are PyBullet's own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.robots import RobotSpec
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.train.cards import share
from fmrl_robot.types import BoolArray, ContactPattern, FloatArray, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import TICK_S
from fmrl_sim.tasks import contact_gaits as gaits

SKIP_S = 1.0
"""The robot gets into its gait; counts for falls only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """One run."""

    robot: str
    gait: str
    vx: float
    seed: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Walked:
    """How it went."""

    fell: bool
    stopped: bool
    """The gate has stopped the robot."""
    vx_m_s: float
    """Mean forward speed."""
    vx_rms_error_m_s: float
    contact_match: float


class Rig:
    """Robot, gate and controller in turn, no clock."""

    def __init__(self, robot: RobotSpec, seed: int) -> None:
        from fmrl_sim.bullet import BulletQuadruped

        rng = np.random.default_rng(seed)
        self.gate = Gate(robot)
        friction = float(rng.uniform(0.6, 1.0))
        self.body = BulletQuadruped(robot, self.gate, seed=seed, friction=friction)
        _, self._lease, _ = self.gate.acquire("sim-to-sim")
        self.supervisor = Supervisor(QuadrupedController(robot))
        self._ticks = round(robot.command_dt_s / TICK_S)
        self._dt_s = robot.command_dt_s
        self.fell = False
        self.go(float(rng.uniform(0.8, 1.2)))

    def go(self, seconds: float) -> tuple[FloatArray, BoolArray]:
        """Pass time; return velocity (n, 3) and contacts (n, 4) after each command."""
        velocities: list[FloatArray] = []
        contacts: list[BoolArray] = []
        for _ in range(round(seconds / self._dt_s)):
            command, _ = self.supervisor.tick(self.body.read(), None)
            self.body.submit(replace(command, lease=self._lease))
            for _ in range(self._ticks):
                self.body.tick()
            self.fell |= self.body.fallen()
            velocities.append(self.body.velocity())
            contacts.append(self.body.foot_contacts())
        return np.array(velocities), np.array(contacts)


def walk(run: Walk) -> Walked:
    """Walk once."""
    robot = find_robot(run.robot)
    rig = Rig(robot, run.seed)
    rows = gaits.pattern(run.gait)
    goal = SubGoal(
        id=run.gait,
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=ContactPattern(contacts=rows),
        velocity=Velocity(vx=run.vx),
        duration_s=run.seconds + 10.0,
    )
    rig.supervisor.begin(goal, None)
    velocity, contacts = rig.go(run.seconds)
    skip = round(SKIP_S / robot.command_dt_s)
    wanted = rows[:, np.arange(len(contacts)) % rows.shape[1]].T
    vx = velocity[skip:, 0]
    rig.body.close()
    return Walked(
        fell=rig.fell,
        stopped=bool(rig.gate.status().stops),
        vx_m_s=float(vx.mean()),
        vx_rms_error_m_s=float(np.sqrt(np.square(vx - run.vx).mean())),
        contact_match=float((wanted == contacts)[skip:].mean()),
    )


def summary(gait: str, vx: float, runs: Sequence[Walked]) -> dict[str, Any]:
    """Of the runs of one gait and speed."""
    return {
        "gait": gait,
        "vx_wanted_m_s": vx,
        "upright": share(sum(not run.fell for run in runs), len(runs)),
        "stopped": sum(run.stopped for run in runs),
        "vx_m_s": float(np.mean([run.vx_m_s for run in runs])),
        "vx_rms_error_m_s": float(np.mean([run.vx_rms_error_m_s for run in runs])),
        "contact_match": float(np.mean([run.contact_match for run in runs])),
    }


def main(arguments: Sequence[str]) -> int:
    """Read the command line, walk, print a row for each gait; 0: nobody fell in trot and pace."""
    parser = argparse.ArgumentParser(prog="fmrl eval sim-to-sim", description=__doc__)
    parser.add_argument("--robot", default="go2")
    parser.add_argument("--gaits", nargs="+", default=["trot", "pace", "bound"])
    parser.add_argument("--vx", type=float, default=0.5)
    parser.add_argument("--runs", type=int, default=100, help="of each gait")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=4)
    given = parser.parse_args(arguments)
    upright = True
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for gait in given.gaits:
            walks = [
                Walk(robot=given.robot, gait=gait, vx=given.vx, seed=seed, seconds=given.seconds)
                for seed in range(given.runs)
            ]
            row = summary(gait, given.vx, list(pool.map(walk, walks)))
            upright &= gait == "bound" or row["upright"]["successes"] == given.runs
            print(json.dumps(row), flush=True)  # noqa: T201
    return 0 if upright else 1
