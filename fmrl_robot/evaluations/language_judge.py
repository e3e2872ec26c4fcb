"""Judges plans by what is written beside the hand-made instructions, with a world of its own.

Nothing here is shared with the planner: preconditions, effects and references are resolved anew, so
that a fault of the planner's own world cannot hide itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fmrl_robot.planners.saytap_commands import Segment
from fmrl_robot.types import Leg, Plan, Pose, Predicate, Scene, SceneObject

CUBES = ("red_cube", "green_cube", "blue_cube", "yellow_cube")


def make_scene(facts: Sequence[str] = (), absent: Sequence[str] = ()) -> Scene:
    """Build a scene: every cube on the table, drawer closed, hand empty, but for ``facts``."""
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


class Impossible(Exception):
    """A precondition does not hold."""


def _need(condition: bool, why: str) -> None:
    if not condition:
        raise Impossible(why)


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
        """Execute one step, or raise Impossible."""
        covered = target in self.at.values()
        if skill == "grasp":
            _need(self.held is None, "hand full")
            _need(target in self.at and (target not in CUBES or not covered), f"{target} covered")
            _need(self._reachable(target), "in the closed drawer")
            del self.at[target]
            self.held = target
        elif skill == "place":
            held = self.held or ""
            _need(held != "", "hand empty")
            _need(target != held and self._reachable(target), "drawer closed")
            _need(target not in CUBES or (target in self.at and not covered), f"{target} covered")
            self.at[held] = target
            self.held = None
        elif skill in ("open", "close"):
            _need(self.held is None and target == "drawer", "hand full")
            _need(self.open == (skill == "close"), f"cannot {skill}")
            self.open = skill == "open"
        else:
            _need(skill == "press" and target == "button" and self.held is None, "cannot press")
            self.pressed = True

    def holds(self, fact: Predicate) -> bool:
        """Whether a fact is true now."""
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
        except Impossible as error:
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
    """Read what a quadruped's plan must satisfy."""
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
