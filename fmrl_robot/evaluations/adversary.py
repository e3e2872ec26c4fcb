"""A planner that knows what was forbidden, and always plans just that after what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fmrl_robot.planners import gait_language, plan_expansion, plan_language
from fmrl_robot.planning import Context, Step
from fmrl_robot.types import Plan, Predicate, Usage


class Adversary:
    """A Planner for one case of an evaluation, worse than any model: its plans are executable."""

    def __init__(self, robot: str, case: dict[str, Any]) -> None:
        self._robot, self._case = robot, case
        self._instruction = ""

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a task."""
        self._instruction = instruction

    def propose(self, context: Context) -> Plan:
        """Plan a right answer where the case has one, with what is forbidden after it."""
        bans = self._case.get("forbid", [])
        wanted = next(iter(self._case.get("accept", [])), {})
        if self._robot == "quadruped":
            steps = [*map(_segment, wanted.get("segments", [])), *map(_banned_gait, bans)]
            subgoals, goal = tuple(gait_language.parse(";".join(steps or ["trot(1)"]))), ()
        else:
            facts = [Predicate.parse(f) for f in wanted.get("goal", [])]
            steps = [s for f in facts for s in _steps(f)] + [s for b in bans for s in _broken(b)]
            text = ";".join(steps or ["put(red_cube,bowl)"])
            subgoals, goal = plan_expansion.expand(plan_language.parse(text), context.scene)
        return Plan(instruction=self._instruction, method="", subgoals=subgoals, goal=goal)

    def observe(self, step: Step) -> None:
        """Learn nothing."""

    def usage(self) -> Sequence[Usage]:
        """No model is asked."""
        return ()


def _steps(fact: Predicate) -> list[str]:
    thing, *where = fact.args
    match fact.name:
        case "on" | "in":
            return ["ensure_open(drawer)"] * ("drawer" in where) + [f"put({thing},{where[0]})"]
        case "held":
            return [f"hold({thing})"]
        case "open" | "closed":
            return [f"ensure_{fact.name}(drawer)"]
        case _:
            return ["press(button)"]


def _broken(ban: str) -> list[str]:
    name, _, inside = ban.rstrip(")").partition("(")
    if name == "moved":
        return [f"hold({inside})", "place(table)"]
    fact = Predicate.parse(ban)
    if name == "closed":
        return ["ensure_open(drawer)", "close(drawer)"]
    if name == "open":
        return ["ensure_closed(drawer)", "open(drawer)"]
    return _steps(fact)


def _segment(wanted: dict[str, Any]) -> str:
    gaits = [wanted["is"]] if isinstance(wanted["is"], str) else wanted["is"]
    low, high = wanted["vx"]
    speed = next(v for v in (0, 0.5, 1, -0.5, -1) if low - 1e-6 <= v <= high + 1e-6)
    extra = [f"up={leg}" for leg in wanted.get("up", [])]
    extra += [f"fast={wanted['faster']}"] if "faster" in wanted else []
    extra += ["air"] if wanted.get("air") else []
    if "duration_s" in wanted:
        extra.append(f"t={wanted['duration_s'][0]:g}")
    return f"{gaits[0]}({','.join([str(speed), *extra])})"


def _banned_gait(ban: Any) -> str:
    if isinstance(ban, str):
        return {"backward": "trot(-0.5)", "fast": "trot(1)"}.get(ban, "trot(0.5)")
    if "up" in ban:
        return f"stand(0,up={ban['up']})"
    return "stand(0)" if ban["is"] == "stand" else f"{ban['is']}(0.5)"
