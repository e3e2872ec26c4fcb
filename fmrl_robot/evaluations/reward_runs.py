"""``fmrl eval reward``: does the reward's verdict agree with the truth, also when runs are spoilt?

Forty runs of the arm in lockstep, half of them sabotaged: the arm stands still, handles another
object, or loses the cube on the way. The reward sees only the camera's last frames and the goal's
sentence; whether the goal holds is ground truth's to say, also for a sabotaged run.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fmrl_robot.registry import REWARDS
from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.cards import card_to_note_in, note_in_card
from fmrl_robot.types import (
    FloatArray,
    Predicate,
    RewardOut,
    RobotState,
    SubGoal,
    SubGoalKind,
    Success,
)

if TYPE_CHECKING:
    from fmrl_sim.body import MujocoBody

Spoilt = Literal["", "freeze", "drop", "wrong object"]

LAST_FRAMES = 12
"""How many of a run's last frames, at 10 Hz, are shown to the reward."""
_FRAME_TICKS = 5
"""Commands from one frame to the next."""
_STEP_TIMEOUT_S = 12.0

_GOALS = (
    "in(red_cube, bowl)",
    "in(green_cube, bin)",
    "on(red_cube, blue_cube)",
    "open(drawer)",
    "pressed(button)",
)
_INSTEAD = {
    "in(red_cube, bowl)": "in(yellow_cube, bowl)",
    "in(green_cube, bin)": "in(blue_cube, bin)",
    "on(red_cube, blue_cube)": "on(green_cube, yellow_cube)",
    "open(drawer)": "pressed(button)",
    "pressed(button)": "open(drawer)",
}
"""What a run with the wrong object does for each goal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RewardRun:
    """One run and what was made of it."""

    goal: str
    seed: int
    spoilt: Spoilt
    """How it was sabotaged; empty: not at all."""
    success: bool
    """By ground truth."""
    verdict: str
    """YES, NO or UNKNOWN, at the end of the run."""
    probability: float
    """What the reward gave the goal, 0 to 1."""


def steps(goal: str) -> list[str]:
    """The scripted plan that brings about one of the goals."""
    fact = Predicate.parse(goal)
    if fact.name == "open":
        return [f"open {fact.args[0]} until {goal}"]
    if fact.name == "pressed":
        return [f"press {fact.args[0]} until {goal}"]
    cube, place = fact.args
    return [f"grasp {cube} until held({cube})", f"place {place} until {goal}"]


def cases(runs: int, first_seed: int) -> Iterator[tuple[str, int, Spoilt]]:
    """Goals in turn; every second round of them is sabotaged, each time in another way."""
    kinds: tuple[Spoilt, ...] = ("freeze", "wrong object", "drop")
    for i in range(runs):
        goal, turn = _GOALS[i % len(_GOALS)], i // len(_GOALS)
        spoilt: Spoilt = "" if turn % 2 == 0 else kinds[(i + turn // 2) % len(kinds)]
        if spoilt == "drop" and Predicate.parse(goal).name in ("open", "pressed"):
            spoilt = "wrong object"
        yield goal, first_seed + i, spoilt


class _LastStates:
    """Keeps the states in which the last frames are taken; drawing them waits for the end."""

    def __init__(self) -> None:
        self.states: deque[tuple[FloatArray, FloatArray, FloatArray]] = deque(maxlen=LAST_FRAMES)
        self._ticks = 0

    def __call__(self, body: MujocoBody, state: RobotState) -> None:
        del state
        if self._ticks % _FRAME_TICKS == 0:
            data = body.data
            self.states.append((data.qpos.copy(), data.mocap_pos.copy(), data.mocap_quat.copy()))
        self._ticks += 1


def play(scene: Any, goal: str, seed: int, spoilt: Spoilt) -> tuple[bool, _LastStates]:
    """Run one case; return whether the goal holds and the states of the last frames."""
    from fmrl_robot.control.arm import ArmController
    from fmrl_robot.robots import PANDA
    from fmrl_sim.faults import Fault
    from fmrl_sim.lockstep import region_subgoal, run_plan

    texts = steps(_INSTEAD[goal] if spoilt == "wrong object" else goal)
    plan = [replace(region_subgoal(t), timeout_s=_STEP_TIMEOUT_S) for t in texts]
    last = _LastStates()
    run = run_plan(
        scene,
        ArmController(PANDA, plan_inline=True),
        plan,
        [Predicate.parse(goal)],
        seed=seed,
        retries=0 if spoilt else 2,
        on_tick=last,
        fault=Fault(spoilt) if spoilt in ("freeze", "drop") else None,
    )
    return run.success, last


def frames(scene: Any, renderer: Any, last: _LastStates) -> list[Any]:
    """Draw the last frames of a run, RGB uint8 each."""
    from fmrl_sim.scenes import SceneState

    data = scene.new_data(0)
    drawn: list[Any] = []
    for qpos, position, quaternion in last.states:
        SceneState(qpos=qpos, mocap_pos=position, mocap_quat=quaternion).apply(scene.model, data)
        drawn.append(renderer.rgb(data, "front"))
    return drawn


def judge(reward: Any, goal: str, images: Sequence[Any]) -> RewardOut:
    """Show a run's last frames to the reward; return its last word."""
    fact = Predicate.parse(goal)
    reward.reset(SubGoal(id=goal, kind=SubGoalKind.REGION, termination=fact, text=caption(fact)))
    return reward.score(images)[-1]


def evaluate(runs: int, first_seed: int, reward_name: str = "vlm_rm") -> list[RewardRun]:
    """Play and judge ``runs`` cases."""
    # The reward comes first: its libraries have to load before the renderer's.
    reward = REWARDS.load(reward_name)()
    from fmrl_sim.render import SceneRenderer
    from fmrl_sim.scenes.tabletop import build

    scene = build()
    found: list[RewardRun] = []
    with SceneRenderer(scene.model) as renderer:
        for goal, seed, spoilt in cases(runs, first_seed):
            success, last = play(scene, goal, seed, spoilt)
            out = judge(reward, goal, frames(scene, renderer, last))
            found.append(
                RewardRun(
                    goal=goal,
                    seed=seed,
                    spoilt=spoilt,
                    success=success,
                    verdict=out.success.name,
                    probability=round(dict(out.components).get("probability", 0.5), 4),
                )
            )
    return found


def summary(runs: Sequence[RewardRun]) -> dict[str, float]:
    """Count how often the verdict decides, recognises a success, and is fooled."""
    yes = Success.YES.name
    true = [run for run in runs if run.success]
    spoilt = [run for run in runs if run.spoilt]
    false = [run for run in runs if not run.success]
    return {
        "runs": len(runs),
        "decided": sum(run.verdict != Success.UNKNOWN.name for run in runs),
        "true_successes": len(true),
        "recognised": sum(run.verdict == yes for run in true),
        "sabotaged": len(spoilt),
        "sabotaged_called_success": sum(run.verdict == yes and not run.success for run in spoilt),
        "failures": len(false),
        "failures_called_success": sum(run.verdict == yes for run in false),
    }


def holds(counts: dict[str, float]) -> bool:
    """Whether the verdict is good enough to be shown beside a run."""
    return (
        counts["decided"] >= 0.7 * counts["runs"]
        and counts["recognised"] >= 0.7 * counts["true_successes"]
        and counts["sabotaged_called_success"] <= 0.1 * counts["sabotaged"]
    )


def main(arguments: Sequence[str]) -> int:
    """Evaluate, print, and note the counts in the vision model's card where asked to."""
    parser = argparse.ArgumentParser(prog="fmrl eval reward", description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=7000)
    parser.add_argument("--card", type=Path, help="card.json to note the result in")
    given = parser.parse_args(arguments)
    card_to_note_in(given.card)
    runs = evaluate(given.runs, given.first_seed)
    counts = summary(runs)
    report = {**counts, "holds": holds(counts), "by_run": [asdict(run) for run in runs]}
    print(json.dumps(report, indent=2))  # noqa: T201
    if given.card is not None:
        note_in_card(given.card, "reward_runs", report)
    return 0 if report["holds"] else 1
