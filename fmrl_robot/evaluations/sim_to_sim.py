"""``fmrl eval sim-to-sim``: do the same policy files work in another physics engine?

The shipped policies, their controller and the gate drive a robot in PyBullet, which knows nothing
of MuJoCo but masses, joints and shapes. Of a quadruped, headings differ by seed, and so do the
floor's friction and the moment at which the gait begins; of an arm, what stands where, and by how
much the camera errs. Falls, speed, contacts and what lies where are PyBullet's own.
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

from fmrl_robot.control.arm import ArmController
from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import ROBOTS, RobotSpec
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.shares import share
from fmrl_robot.types import (
    BoolArray,
    ContactPattern,
    FloatArray,
    Predicate,
    SubGoal,
    SubGoalKind,
    Velocity,
)
from fmrl_sim.body import TICK_S
from fmrl_sim.ground_truth import CUBES
from fmrl_sim.tasks import contact_gaits as gaits

SKIP_S = 1.0
"""The robot gets into its gait; counts for falls only."""
STANDING_UP = 0.5
"""Cosine of the tilt below which a quadruped has fallen."""
ARM_TASKS = {
    "grasp": (("grasp {cube} until held({cube})",), "held({cube})"),
    "place in the bowl": (
        ("grasp {cube} until held({cube})", "place bowl until in({cube},bowl)"),
        "in({cube},bowl)",
    ),
    "place in the bin": (
        ("grasp {cube} until held({cube})", "place bin until in({cube},bin)"),
        "in({cube},bin)",
    ),
}
"""Plan and goal, the cube by seed."""


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
        from fmrl_sim.bullet import BulletBody

        rng = np.random.default_rng(seed)
        self.gate = Gate(robot)
        friction = float(rng.uniform(0.6, 1.0))
        scene = SCENES.load("ground")(robot=robot.name)
        self.body = BulletBody(scene, self.gate, seed=seed, friction=friction)
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
            self.fell |= self.fallen()
            velocities.append(self.body.velocity())
            contacts.append(self.body.foot_contacts())
        return np.array(velocities), np.array(contacts)

    def fallen(self) -> bool:
        """Whether it lies, or has tipped over."""
        height, (x, y) = self.body.data.qpos[2], self.body.data.qpos[4:6]
        low = height < 0.5 * self.body.robot.base_height_m
        return bool(low or 1 - 2 * (x * x + y * y) < STANDING_UP)


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
    """Read the command line, run, print a row for each gait or task.

    Returns:
        0: nobody fell in trot and pace; 85 of 100 grasps and places ended as wanted.
    """
    parser = argparse.ArgumentParser(prog="fmrl eval sim-to-sim", description=__doc__)
    parser.add_argument("--robot", default="go2", choices=ROBOTS.names())
    parser.add_argument("--gaits", nargs="+", default=["trot", "pace", "bound"])
    parser.add_argument("--vx", type=float, default=0.5)
    parser.add_argument("--runs", type=int, default=100, help="of each gait")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=4)
    given = parser.parse_args(arguments)
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        if find_robot(given.robot).kind == "arm":
            return _arm(pool, given)
        upright = True
        for gait in given.gaits:
            walks = [
                Walk(robot=given.robot, gait=gait, vx=given.vx, seed=seed, seconds=given.seconds)
                for seed in range(given.runs)
            ]
            row = summary(gait, given.vx, list(pool.map(walk, walks)))
            upright &= gait == "bound" or row["upright"]["successes"] == given.runs
            print(json.dumps(row), flush=True)  # noqa: T201
    return 0 if upright else 1


def handle(robot: str, task: str, seed: int) -> bool:
    """Carry out one of ARM_TASKS once; whether PyBullet says that it is done."""
    from fmrl_sim.bullet import BulletBody
    from fmrl_sim.lockstep import region_subgoal, run_plan

    spec = find_robot(robot)
    cube = CUBES[seed % len(CUBES)]
    plan, goal = ARM_TASKS[task]
    run = run_plan(
        SCENES.load("tabletop")(robot=robot),
        ArmController(spec, plan_inline=True),
        [region_subgoal(step.format(cube=cube)) for step in plan],
        [Predicate.parse(goal.format(cube=cube))],
        seed=seed,
        retries=0,
        body_kind=BulletBody,
    )
    return run.success


def _arm(pool: ProcessPoolExecutor, given: argparse.Namespace) -> int:
    good = True
    for task in ARM_TASKS:
        n = given.runs
        done = list(pool.map(handle, [given.robot] * n, [task] * n, range(n)))
        row = {"task": task, "success": share(sum(done), n), "failed_seeds": _failed(done)}
        good &= sum(done) >= 0.85 * n
        print(json.dumps(row), flush=True)  # noqa: T201
    return 0 if good else 1


def _failed(done: Sequence[bool]) -> list[int]:
    return [seed for seed, success in enumerate(done) if not success]
