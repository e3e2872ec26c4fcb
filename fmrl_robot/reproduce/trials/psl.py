"""PSL's trial: tasks of two to four stages on the table, planned and carried out in MuJoCo.

One episode is one reset of the table, one instruction, one plan by the method as it runs in the
graph, and its controller behind the gate; the recorded physics alone say whether the goal holds a
second after the end. What an arm switches off is told in its settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.control.arm import ArmController
from fmrl_robot.errors import FmrlError
from fmrl_robot.evaluations.spine_arm import episodes
from fmrl_robot.fm import load_language_model
from fmrl_robot.methods.psl import PSL
from fmrl_robot.planning import Context
from fmrl_robot.registry import SCENES
from fmrl_robot.reproduce.trials.psl_flat import flat
from fmrl_robot.reproduce.trials.scripted_hands import ScriptedHands
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.types import Predicate, SubGoal

if TYPE_CHECKING:
    from fmrl_sim.lockstep import Loop

ROBOT, TASKS = "panda", ("bowl", "stack", "into the drawer", "tower of three")
FIRST_SEED, OF_A_SEED = 20_000, 1000
"""Tables and instructions of trial ``seed`` begin at FIRST_SEED + OF_A_SEED * seed."""
REST_S = 1.0
LOCAL = 0.5
"""Progress at which a stage's local policy begins."""
SLOWEST_S = 30.0
"""A stage whose region is not reached by then is over."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Carry out every task several times; see Ablation.trial.

    Settings:
        flat: one policy without a plan instead, trained first.
        model: as fm names it.
        timeout_s: of each stage's local policy, in the place of the condition that ends it.
        reversed: the plan's last step first.
        noise_m: standard deviation of poses as the planner and controller have them.
        scripted: written primitives in the place of the learned local policies.
    """
    if settings.get("flat"):
        return flat(seed, budget)
    wanted = TASKS[: int(budget.amounts["tasks"])]
    found: dict[str, list[tuple[bool, float]]] = {task: [] for task in wanted}
    model = _model(str(settings["model"]))
    first = FIRST_SEED + OF_A_SEED * seed
    for episode in episodes(int(budget.amounts["episodes"]), first, wanted):
        found[episode["kind"]].append(_carry_out(episode, model, settings))
    success = {task: float(np.mean([done for done, _ in told])) for task, told in found.items()}
    seconds = {task: float(np.mean([s for _, s in told])) for task, told in found.items()}
    scores = {"success": success, "bowl": success["bowl"], "seconds": seconds}
    return Measured(scores=scores, model=model.model_id)


@cache
def _model(name: str) -> Any:
    return load_language_model(name)


@cache
def _table() -> Any:
    return SCENES.load("tabletop")(robot=ROBOT)


def _carry_out(
    episode: Mapping[str, Any], model: Any, settings: Mapping[str, Value]
) -> tuple[bool, float]:
    """Whether the goal holds a second after the end, and the seconds that it took."""
    from fmrl_sim.body import MujocoBody
    from fmrl_sim.lockstep import Loop, NoisyTruth, SceneNoise
    from fmrl_sim.scenes.base import SceneOptions

    robot = find_robot(ROBOT)
    gate = Gate(robot)
    options = SceneOptions.from_json(episode["options"])
    body = MujocoBody(_table(), gate, seed=episode["seed"], options=options)
    noise = settings.get("noise_m")
    look = NoisyTruth(episode["seed"], SceneNoise(position_m=float(noise)) if noise else None)
    kind = ScriptedHands if settings.get("scripted") else ArmController
    loop = Loop(body, gate, kind(robot, plan_inline=True), look)
    loop.idle(0.2)
    began = body.now
    planner = PSL(model)
    try:
        planner.reset(episode["instruction"], ROBOT)
        plan = planner.propose(Context.of(loop.scene)).subgoals
    except FmrlError:  # no plan is a failure like another
        plan = ()
    if settings.get("reversed"):
        plan = tuple(reversed(plan))
    if timeout_s := settings.get("timeout_s"):
        by_the_clock(loop, plan, float(timeout_s))
    else:
        loop.carry_out(plan)
    took = body.now - began
    loop.idle(REST_S)
    return body.holds([Predicate.parse(fact) for fact in episode["goal"]]), took


def by_the_clock(loop: Loop, plan: Sequence[SubGoal], timeout_s: float) -> None:
    """Give each stage's local policy so long, whatever it has come to, then begin the next.

    What the stage itself says of its end is not heard: neither success nor failure.
    """
    for subgoal in plan:
        began, local_s = loop.body.now, 0.0
        loop.execute(subgoal, lambda: True)
        while local_s < timeout_s and loop.body.now - began < SLOWEST_S:
            before = loop.body.now
            ended = loop.tick()
            if local_s or loop.supervisor.progress >= LOCAL:
                local_s += loop.body.now - before
            elif ended is not None:  # its region cannot be reached: there is nothing to time
                break
