"""A quadruped's plan with skills in it, beside its instruction.

The reading of a quadruped's instructions knows gaits and no postures, and reads a plan by its rows,
which a skill has not. So a walk is read as if it trotted, what it walks like being its own affair;
and a posture needs a clause that asks for it by name: what stands before and after that clause is
compared with what stands before and after that step. What is unclear is refused. Plans that go to
places, turn or walk distances are read more strictly, in quadruped_course.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent import quadruped, quadruped_course
from fmrl_robot.plancheck.intent.quadruped_clauses import read
from fmrl_robot.skills.body_skills import BODY_SKILLS
from fmrl_robot.types import ContactPattern, Plan, Problem, SubGoal, SubGoalKind

WORDS: Mapping[str, str] = {
    "sit": r"\b(?:sit|sits|sitting|sat|haunches|(?:take|have) a seat)\b",
    "stand_up": r"\b(?:(?:stand|get|getting|standing) (?:back )?up|on (?:to )?your feet|rise)\b",
}
"""How a posture is asked for, and forbidden."""
_TROT = np.repeat(np.array([[1, 0], [0, 1], [0, 1], [1, 0]], dtype=np.bool_), 13, axis=1)
"""Rows FL, FR, RL, RR over 26 columns, 0.52 s."""


def problems(plan: Plan) -> tuple[Problem, ...]:
    """Return the first way in which a plan is not what its instruction asks for."""
    steps = _rows(plan)
    if any(quadruped_course.goes(s) for s in steps):
        whole = replace(plan, subgoals=steps)
        return tuple(quadruped_course.problems(whole, understood(plan)))[:1]
    if all(s.skill not in WORDS for s in steps):
        return quadruped.problems(plan.instruction, replace(plan, subgoals=steps))
    return tuple(_with_postures(replace(plan, subgoals=steps)))[:1]


def understood(plan: Plan) -> str:
    """Say in words what a plan would do."""
    return ", then ".join(_said(plan, step) for step in plan.subgoals) or quadruped.understood(plan)


def _said(plan: Plan, step: SubGoal) -> str:
    if quadruped_course.goes(step) and step.skill in BODY_SKILLS:
        return quadruped_course.say(step)
    if step.kind != SubGoalKind.SKILL:
        return quadruped.understood(replace(plan, subgoals=(step,)))
    name = BODY_SKILLS[step.skill].said if step.skill in BODY_SKILLS else step.skill
    v = step.velocity
    if v is None:
        return name
    ways = ((v.vx, "forward", "backward"), (v.vy, "to the left", "to the right"))
    told = [f"{a if speed > 0 else b} at {abs(speed):g} m/s" for speed, a, b in ways if speed]
    told += [f"turning {'left' if v.wz > 0 else 'right'} at {abs(v.wz):g} rad/s"] if v.wz else []
    return f"{name} {' and '.join(told) or 'on the spot'} for {step.duration_s:g} s"


def _rows(plan: Plan) -> tuple[SubGoal, ...]:
    """The steps, with rows for those that move without."""
    trot = ContactPattern(contacts=_TROT)
    return tuple(
        replace(s, pattern=trot) if s.pattern is None and s.velocity is not None else s
        for s in plan.subgoals
    )


def _with_postures(plan: Plan) -> Iterator[Problem]:
    would = f"I would {understood(plan)}"
    gaits = tuple(s for s in plan.subgoals if s.skill not in WORDS)
    found = quadruped.problems(plan.instruction, replace(plan, subgoals=gaits)) if gaits else ()
    yield from (p for p in found if p.code == ErrorCode.INTENT_FORBIDDEN)
    reading = read(plan.instruction)
    text, begun = reading.text, 0
    for i, step in enumerate(plan.subgoals):
        if step.skill not in WORDS:
            continue
        name = BODY_SKILLS[step.skill].said
        of_it = [c for c in reading.clauses if re.search(WORDS[step.skill], c.text)]
        if any(c.status == "ban" for c in of_it):
            message = f"{would}, but you forbade to {name}; say it in other words"
            yield Problem(code=int(ErrorCode.INTENT_FORBIDDEN), message=message)
        asking = next((c for c in of_it if c.status == "ask" and c.text in text), None)
        if asking is None:
            message = f"{would}, but nobody asked me to {name}; say it in other words"
            yield Problem(code=int(ErrorCode.INTENT_EXCEEDED), message=message)
            return
        before, _, text = text.partition(asking.text)
        yield from _part(plan, before, plan.subgoals[begun:i])
        begun = i + 1
    yield from _part(plan, text, plan.subgoals[begun:])


def _part(plan: Plan, text: str, steps: tuple[SubGoal, ...]) -> tuple[Problem, ...]:
    """What is wrong between two postures; nothing where nothing is asked for and nothing done."""
    if steps:
        return quadruped.problems(text, replace(plan, subgoals=steps))
    missing = next((c.text.strip(" ,.!?") for c in read(text).asked() if c.mentions), "")
    if not missing:
        return ()
    would = f"I would {understood(plan)}"
    message = f"{would}, but you asked also for {missing!r}; say it in other words"
    return (Problem(code=int(ErrorCode.INTENT_INCOMPLETE), message=message),)
