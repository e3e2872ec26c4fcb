"""The quadruped's half of ``fmrl eval rearm``: gaits, postures and driving by hand, then a trot."""

from __future__ import annotations

import numpy as np

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.rearm import Trial, Tried
from fmrl_robot.evaluations.rearm_stop import rearm, stop
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.types import ContactPattern, Outcome, Scene, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop
from fmrl_sim.tasks import contact_gaits as gaits

ACTIVITIES = ("trot", "pace", "bound", "walk", "sit", "stand_up", "drive")
VX_M_S, TROT_S = 0.5, 3.0
"""Of the trot that is the next task."""
SHARE = 0.7
"""Of its way that has to be covered, the start from a stance included."""
UPRIGHT = 0.9
"""Cosine of the greatest tilt at its end."""
REST_S = (0.0, 4.0)
"""From a stop to the request: from a robot that still sinks to one that has long lain."""


def attempt(trial: Trial) -> Tried:
    """Carry out one trial."""
    spec, rng = find_robot(trial.robot), np.random.default_rng(trial.seed)
    scene, gate = SCENES.load("ground")(trial.robot), Gate(spec)
    body = MujocoBody(scene, gate, seed=trial.seed)
    loop = Loop(body, gate, QuadrupedController(spec), lambda body: Scene(stamp_s=body.now))
    loop.idle(1.0)
    _begin(loop, trial.activity, rng)
    stopped = stop(loop, trial.way, lambda: QuadrupedController(spec), rng.uniform(*REST_S))
    why = rearm(loop)
    if why or not stopped:
        return Tried(trial=trial, stopped=stopped, rearmed=False, done=False, why=why)
    outcome, way_m = _trot(loop)
    stood_up = outcome.error_code == ErrorCode.ROBOT_FELL
    if stood_up:
        outcome = loop.execute(_skill("stand_up")) or Outcome(success=False)
        if outcome.success:
            outcome, way_m = _trot(loop)
    why = _missed(loop, outcome, way_m)
    return Tried(
        trial=trial, stopped=stopped, rearmed=True, done=not why, stood_up=stood_up, why=why
    )


def _begin(loop: Loop, activity: str, rng: np.random.Generator) -> None:
    """Do something, to a random moment of it."""
    moment = loop.body.now + rng.uniform(0.2, 3.0)
    vx = float(rng.uniform(-1.0, 1.0))
    if activity == "drive":
        while loop.body.now < moment:
            loop.supervisor.drive(Velocity(vx=VX_M_S))
            loop.tick()
        return
    if activity == "stand_up":
        loop.body.throw(rng)
        loop.idle(2.0)
        moment += 2.0
    goal = _gait(activity, vx, 60.0) if activity in gaits.KINDS else _skill(activity, vx)
    ended = loop.execute(goal, lambda: loop.body.now >= moment)
    if ended is not None and not ended.success:
        raise RuntimeError(f"expected {activity} to go on or to be done, got {ended!r}")


def _gait(kind: str, vx: float, duration_s: float) -> SubGoal:
    return SubGoal(
        id=kind,
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=ContactPattern(contacts=gaits.pattern(kind)),
        velocity=Velocity(vx=vx),
        duration_s=duration_s,
        timeout_s=duration_s + 5.0,
    )


def _skill(name: str, vx: float = 0.0) -> SubGoal:
    velocity = Velocity(vx=vx) if name == "walk" else None
    return SubGoal(id=name, kind=SubGoalKind.SKILL, skill=name, velocity=velocity, timeout_s=10.0)


def _trot(loop: Loop) -> tuple[Outcome, float]:
    """Return how the next task ended, and how far it went in m."""
    start = loop.body.data.qpos[:2].copy()
    outcome = loop.execute(_gait("trot", VX_M_S, TROT_S))
    return outcome or Outcome(success=False), float(np.linalg.norm(loop.body.data.qpos[:2] - start))


def _missed(loop: Loop, outcome: Outcome, way_m: float) -> str:
    """What is wrong with a robot that was to trot; empty: nothing."""
    if not outcome.success:
        return f"{outcome.error_code} {outcome.message}"
    x, y = loop.body.data.qpos[4:6]
    if 1 - 2 * (x * x + y * y) < UPRIGHT:
        return "it ended tilted"
    if way_m < SHARE * VX_M_S * TROT_S:
        return f"it went {way_m:.2f} m"
    status = loop.gate.status()
    return "" if status.stops == 1 else f"stopped again: {status.reason}"
