"""Judges plans by what is written beside the hand-made instructions, with a world of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fmrl_robot.errors import FmrlError
from fmrl_robot.methods.psl import PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.plancheck import check
from fmrl_robot.planners.saytap_commands import Segment, problems
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.types import Leg, Plan, Pose, Predicate, Scene, SceneObject

DATA = Path(__file__).parent / "data"
CUBES = ("red_cube", "green_cube", "blue_cube", "yellow_cube")


def load(robot_kind: str) -> list[dict[str, Any]]:
    return yaml.safe_load((DATA / f"instructions_{robot_kind}.yaml").read_text("utf-8"))


def make_scene(facts: list[str] = (), absent: list[str] = ()) -> Scene:
    given = [Predicate.parse(f) for f in facts]
    moved = {p.args[0] for p in given}
    held = [p for p in given if p.name == "held"]
    defaults = [Predicate("on", (c, "table")) for c in CUBES if c not in moved and c not in absent]
    if "drawer" not in moved:
        defaults.append(Predicate("closed", ("drawer",)))
    if not held:
        defaults.append(Predicate("hand_empty"))
    names = [*(c for c in CUBES if c not in absent), "bowl", "bin", "drawer", "button"]
    objects = tuple(
        SceneObject(
            name=n,
            category=n.rpartition("_")[2],
            color=n.partition("_")[0] if "_" in n else "",
            pose=Pose(position=np.array([0.4, 0.1 * i - 0.3, 0.02])),
            size=np.full(3, 0.04),
        )
        for i, n in enumerate(names)
    )
    facts_now = set(given + defaults)
    clear = {*CUBES, "bowl", "bin", "drawer"} - {
        p.args[1] for p in facts_now if p.name in ("on", "in")
    }
    facts_now |= {Predicate("clear", (c,)) for c in clear if c not in absent}
    return Scene(
        stamp_s=0.0, objects=objects, predicates=frozenset(facts_now), source="ground_truth"
    )


class World:
    """Executes sub-goals strictly: a precondition that does not hold is an error."""

    def __init__(self, scene: Scene) -> None:
        facts = scene.predicates
        self.at = {p.args[0]: p.args[1] for p in facts if p.name in ("on", "in")}
        self.held = next((p.args[0] for p in facts if p.name == "held"), None)
        self.open = Predicate("open", ("drawer",)) in facts
        self.pressed = False

    def _reachable(self, thing: str) -> bool:
        while thing in self.at:
            thing = self.at[thing]
        return thing != "drawer" or self.open

    def run(self, skill: str, target: str) -> None:
        covered = target in self.at.values()
        if skill == "grasp":
            assert self.held is None, "hand full"
            assert target in self.at and (target not in CUBES or not covered), f"{target} covered"
            assert self._reachable(target), "in the closed drawer"
            del self.at[target]
            self.held = target
        elif skill == "place":
            assert self.held is not None, "hand empty"
            assert target != self.held and self._reachable(target), "drawer closed"
            assert target not in CUBES or (target in self.at and not covered), f"{target} covered"
            self.at[self.held] = target
            self.held = None
        elif skill in ("open", "close"):
            assert self.held is None and target == "drawer", "hand full"
            assert self.open == (skill == "close"), f"cannot {skill}"
            self.open = skill == "open"
        else:
            assert skill == "press" and target == "button" and self.held is None
            self.pressed = True

    def holds(self, fact: Predicate) -> bool:
        match fact.name:
            case "on" | "in":
                return self.at.get(fact.args[0]) == fact.args[1]
            case "held":
                return self.held == fact.args[0]
            case "open":
                return self.open
            case "closed":
                return not self.open
            case _:
                return self.pressed


def judge_arm(case: dict[str, Any], scene: Scene, plan: Plan) -> str:
    """Return what is wrong, or an empty string."""
    world = World(scene)
    before = dict(world.at)
    order = [Predicate.parse(f) for f in case.get("order", [])]
    reached = [-1] * len(order)
    for i, step in enumerate(plan.subgoals):
        try:
            world.run(step.skill, step.target)
        except AssertionError as error:
            return f"step {i} {step.skill}({step.target}): {error}"
        for j, fact in enumerate(order):
            if reached[j] < 0 and world.holds(fact):
                reached[j] = i
    goal = [Predicate.parse(f) for f in case["goal"]]
    missing = [str(f) for f in goal if not world.holds(f)]
    if missing:
        return f"not reached: {missing}"
    if reached != sorted(reached):
        return f"order: {reached}"
    named = {a for f in goal for a in f.args} | set(case.get("free", []))
    moved = [c for c in before if c not in named and world.at.get(c) != before[c]]
    if (
        moved
        or (world.held and world.held not in named)
        or (world.pressed and "button" not in named)
    ):
        return f"more than asked: {moved} {world.held} {world.pressed}"
    return ""


def segments(case: dict[str, Any]) -> list[Segment]:
    return [
        Segment(
            gaits=tuple([s["is"]] if isinstance(s["is"], str) else s["is"]),
            vx=tuple(s["vx"]),
            up=frozenset(Leg(leg) for leg in s.get("up", [])),
            air=s.get("air", False),
            faster=Leg(s["faster"]) if "faster" in s else None,
            period_s=tuple(s["period_s"]) if "period_s" in s else None,
            duration_s=tuple(s["duration_s"]) if "duration_s" in s else None,
        )
        for s in case["segments"]
    ]


@dataclass
class Result:
    kind: str
    text: str
    wrong: str


def run_case(planner: Any, robot: str, case: dict[str, Any]) -> Result:
    scene = (
        make_scene(case.get("scene", []), case.get("absent", []))
        if robot == "panda"
        else Scene(stamp_s=0.0)
    )
    refuse = case.get("refuse", False)
    try:
        planner.reset(case["text"], robot)
        plan = planner.propose(scene)
    except FmrlError as error:
        wrong = "" if refuse else f"refused: {error}"
    else:
        if refuse:
            wrong = f"not refused: {[s.text for s in plan.subgoals]}"
        elif found := check(plan, scene, get_robot(robot)):
            wrong = f"plan check: {found[0].message}"
        elif robot == "panda":
            wrong = judge_arm(case, scene, plan)
        else:
            wrong = "; ".join(problems(plan.subgoals, segments(case)))
    return Result(case["kind"], case["text"], wrong)


def evaluate(model: Any, robot_kind: str, every: int = 1) -> list[Result]:
    """Plan for the hand-written instructions, or for every nth of them."""
    planner, robot = (PSL(model), "panda") if robot_kind == "arm" else (SayTap(model), "go2")
    return [run_case(planner, robot, case) for case in load(robot_kind)[::every]]


def by_kind(results: list[Result]) -> dict[str, tuple[int, int]]:
    kinds = dict.fromkeys(r.kind for r in results)
    return {
        k: (sum(not r.wrong for r in results if r.kind == k), sum(r.kind == k for r in results))
        for k in kinds
    }
