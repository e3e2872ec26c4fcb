"""The arm's half of ``fmrl eval rearm``: every phase of every skill, then a cube into the bowl."""

from __future__ import annotations

import numpy as np

from fmrl_robot.control.arm import ArmController
from fmrl_robot.evaluations.rearm import Trial, Tried
from fmrl_robot.evaluations.rearm_stop import rearm, stop
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.types import Predicate
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop, NoisyTruth, region_subgoal

GRASP, PLACE = "grasp red_cube until held(red_cube)", "place bowl until in(red_cube, bowl)"
OPEN = "open drawer until open(drawer)"
PLANS = {
    "grasp": (GRASP,),
    "place": (GRASP, PLACE),
    "open": (OPEN,),
    "close": (OPEN, "close drawer until closed(drawer)"),
    "press": ("press button until pressed(button)",),
}
"""A skill, and what has to be done before it."""
PHASES = {"transit": (0.1, 60), "local": (0.5, 80), "retreat": (0.8, 25), "verify": (0.9, 2)}
"""As a controller's progress tells them, and about how many command periods they last."""
ACTIVITIES = tuple(f"{skill} {phase}" for phase in PHASES for skill in PLANS)
HELD, DONE = Predicate.parse("held(red_cube)"), Predicate.parse("in(red_cube, bowl)")
REST_S = (0.0, 1.0)


def attempt(trial: Trial) -> Tried:
    """Carry out one trial."""
    spec, rng = find_robot(trial.robot), np.random.default_rng(trial.seed)
    scene, gate = SCENES.load("tabletop")(trial.robot), Gate(spec)
    body = MujocoBody(scene, gate, seed=trial.seed)
    loop = Loop(body, gate, ArmController(spec, plan_inline=True), NoisyTruth(trial.seed))
    loop.idle(0.2)
    _begin(loop, trial.activity, rng)
    held = body.holds([HELD])

    def fresh() -> ArmController:
        return ArmController(spec, plan_inline=True)

    stopped = stop(loop, trial.way, fresh, rng.uniform(*REST_S))
    why = rearm(loop)
    if why or not stopped:
        return Tried(trial=trial, stopped=stopped, rearmed=False, done=False, why=why)
    if held and not body.holds([HELD]):
        why = "the cube was dropped; "
    plan = (PLACE,) if HELD in body.facts() else (GRASP, PLACE)
    steps = () if body.holds([DONE]) else loop.carry_out([region_subgoal(s) for s in plan])
    loop.idle(1.0)
    done = body.holds([DONE]) and gate.status().stops == 1
    why += "; ".join(s.outcome.message for s in steps if not s.outcome.success)
    return Tried(trial=trial, stopped=stopped, rearmed=True, done=done, why=why)


def _begin(loop: Loop, activity: str, rng: np.random.Generator) -> None:
    """Do something, to a random moment of a phase of it."""
    skill, phase = activity.split()
    progress, lasts = PHASES[phase]
    left = int(rng.integers(lasts))

    def now() -> bool:
        nonlocal left
        if loop.supervisor.progress < progress:
            return False
        left -= 1
        return left < 0 or loop.supervisor.progress > progress

    *before, last = PLANS[skill]
    for step in before:
        loop.carry_out([region_subgoal(step)])
    loop.execute(region_subgoal(last), now)
