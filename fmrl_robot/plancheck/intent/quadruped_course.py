"""A quadruped's plan that goes to places, beside its instruction: act by act, in the order said.

The instruction is read by forms (quadruped_places.py), the plan by its steps alone. Every act has
to be the next step, every stretch of other words is held against the gaits that stand there by the
reading of gaits, and what is forbidden may be no step. What was not read in full is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent import quadruped
from fmrl_robot.plancheck.intent.quadruped_places import Act, read_places
from fmrl_robot.skills.body_skills import BODY_SKILLS, START, angle_rad, way_m
from fmrl_robot.types import Plan, Problem, SubGoal, SubGoalKind

GOING = ("go_to", "go_around", "turn")
"""Skills that only this reading knows, beside a walk for a distance."""
TURN_TOLERANCE_DEG, WAY_TOLERANCE_M = 1.0, 0.05
_WHOLE_DEG = 360.0


def goes(step: SubGoal) -> bool:
    """Whether a step goes somewhere, turns, or walks a distance."""
    walks = step.skill == "walk" and step.velocity is None
    return step.kind == SubGoalKind.SKILL and (step.skill in GOING or walks)


def say(step: SubGoal) -> str:
    """Say in words what a step that goes somewhere, or takes a posture, would do."""
    name = BODY_SKILLS[step.skill].said if step.skill in BODY_SKILLS else step.skill
    thing = f"the {step.target.replace('_', ' ')}"
    if step.skill == "turn" and not step.target:
        degrees = math.degrees(angle_rad(step))
        return f"turn {'left' if degrees > 0 else 'right'} by {abs(degrees):.0f} degrees"
    if step.skill == "turn":
        return f"turn to {thing}"
    if step.skill == "walk":
        forward, left = way_m(step)
        ways = ((forward, "forward", "backward"), (left, "to the left", "to the right"))
        return "walk " + " and ".join(f"{abs(d):g} m {a if d > 0 else b}" for d, a, b in ways if d)
    if step.skill == "go_to":
        return "go back to the start" if step.target == START else f"go to {thing}"
    return f"{name} {thing}" if step.skill == "go_around" else name


def problems(plan: Plan, would: str) -> Iterator[Problem]:
    """Yield why a plan with steps that go somewhere is not what its instruction asks for.

    Args:
        plan: its steps that move have rows, so that the reading of gaits can read them.
        would: the plan in words.
    """

    def wrong(code: ErrorCode, why: str) -> Problem:
        return Problem(code=int(code), message=f"I would {would}, {why}; say it in other words")

    reading = read_places(plan.instruction)
    for no in reading.banned:
        if any(_does(step, no) for step in plan.subgoals):
            yield wrong(ErrorCode.INTENT_FORBIDDEN, f"but you forbade {no.text!r}")
    if reading.unread:
        yield wrong(ErrorCode.INTENT_INCOMPLETE, f"but I do not understand {reading.unread!r}")
    if not reading.parts:
        yield wrong(ErrorCode.INTENT_NOTHING, "but nothing in what you wrote asks for that")
    steps = list(plan.subgoals)
    for part in reading.parts:
        if isinstance(part, Act):
            if not steps or not _does(steps[0], part):
                later = any(_does(step, part) for step in steps[1:])
                if later and _acts(steps[0]):
                    extra = f"but nobody asked me to {say(steps[0])} there"
                    yield wrong(ErrorCode.INTENT_EXCEEDED, extra)
                asked = f"but you asked also for {part.text!r}, in that order"
                yield wrong(ErrorCode.INTENT_INCOMPLETE, asked)
                return
            steps.pop(0)
        else:
            gaits = _until_act(steps)
            steps = steps[len(gaits) :]
            if not gaits:
                yield wrong(ErrorCode.INTENT_INCOMPLETE, f"but you asked also for {part!r}")
                return
            yield from quadruped.problems(part, replace(plan, subgoals=tuple(gaits)))
    if steps:
        left = say(steps[0]) if _acts(steps[0]) else "do so many things"
        yield wrong(ErrorCode.INTENT_EXCEEDED, f"but nobody asked me to {left}")


def _acts(step: SubGoal) -> bool:
    return goes(step) or step.skill in ("sit", "stand_up")


def _until_act(steps: Sequence[SubGoal]) -> list[SubGoal]:
    """The gaits at the head of what is left."""
    end = next((i for i, s in enumerate(steps) if _acts(s)), len(steps))
    return list(steps[:end])


def _does(step: SubGoal, act: Act) -> bool:
    """Whether a step does what an act says."""
    if not _acts(step):
        return act.kind == "walk_backward" and step.velocity is not None and step.velocity.vx < 0
    degrees = math.degrees(angle_rad(step)) if step.skill == "turn" else 0.0
    forward, left = way_m(step) if step.skill == "walk" else (0.0, 0.0)
    thing = step.target == f"{act.thing}_marker"
    match act.kind:
        case "go_to" | "go_around":
            return step.skill == act.kind and thing
        case "go_back":
            return step.skill == "go_to" and step.target == START
        case "turn_to":
            return step.skill == "turn" and thing
        case "turn_any":
            return step.skill == "turn"
        case "walk_backward":
            return forward < 0
        case "turn":
            wanted = abs(act.amount) if act.either else act.amount
            got = abs(degrees) if act.either else degrees
            return (
                step.skill == "turn" and not step.target and abs(got - wanted) <= TURN_TOLERANCE_DEG
            )
        case "walk_forward" | "walk_left":
            along, across = (forward, left) if act.kind == "walk_forward" else (left, forward)
            return (
                step.skill == "walk"
                and abs(along - act.amount) <= WAY_TOLERANCE_M
                and abs(across) <= WAY_TOLERANCE_M
            )
        case _:
            return step.skill == act.kind
