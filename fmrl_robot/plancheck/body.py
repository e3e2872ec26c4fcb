"""What is wrong with a step of a quadruped's body skills: what it names, how far, in what scene.

Places are things that stand on the floor of the scene, or where the plan began. What is in the way
is no fault of a plan: the robot finds its way around it when it goes, and says so where there is
none.
"""

from __future__ import annotations

from collections.abc import Iterator

from fmrl_robot.errors import ErrorCode
from fmrl_robot.skills.body_skills import BODY_SKILLS, SINCE, START
from fmrl_robot.types import Plan, Problem, Scene, SubGoal

Finding = tuple[ErrorCode, str]
"""What is wrong with a step, and in words."""


def body_step(subgoal: SubGoal, scene: Scene) -> Finding | None:
    """Return what is wrong with a step whose skill is one of BODY_SKILLS, but for its velocity."""
    skill = BODY_SKILLS[subgoal.skill]
    known = {*(skill.amounts or {}), *((SINCE,) if START in skill.aims else ())}
    for name, _ in subgoal.params:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            return (
                ErrorCode.PARAMETER_OUT_OF_BOUNDS,
                f"{subgoal.skill}: expected parameters among {names}, got {name!r}",
            )
    try:
        measured = skill.measured(subgoal)
    except ValueError as error:
        return ErrorCode.PARAMETER_OUT_OF_BOUNDS, f"{subgoal.skill}: {error}"
    ways = (
        ("a thing to aim at", bool(skill.aims and subgoal.target)),
        ("how far", measured),
        ("a velocity", skill.moves and subgoal.velocity is not None),
    )
    takes = (bool(skill.aims), skill.amounts is not None, skill.moves)
    given = [name for name, is_given in ways if is_given]
    if any(takes) and len(given) != 1:
        one_of = " or ".join(name for (name, _), can in zip(ways, takes, strict=True) if can)
        got = " and ".join(given) or "none"
        return ErrorCode.PLAN_SCHEMA, f"{subgoal.skill}: expected {one_of}, got {got}"
    return _aimed(subgoal, scene) if skill.aims and subgoal.target else None


def _aimed(subgoal: SubGoal, scene: Scene) -> Finding | None:
    aims = BODY_SKILLS[subgoal.skill].aims
    if subgoal.target == START and START in aims:
        return None
    thing = scene.find(subgoal.target)
    if thing is None:
        seen = ", ".join(o.name for o in scene.objects) or "nothing"
        return (
            ErrorCode.OBJECT_UNKNOWN,
            f"expected something in the scene, got {subgoal.target!r}; it has {seen}",
        )
    if thing.category not in aims:
        return (
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
            f"{subgoal.skill} takes a {' or '.join(aims)}, got the {thing.category} "
            f"{subgoal.target!r}",
        )
    return None


def returns(plan: Plan) -> Iterator[Problem]:
    """Find steps that go back to where they themselves begin."""
    for step, subgoal in enumerate(plan.subgoals):
        since = dict(subgoal.params).get(SINCE, "")
        if subgoal.target == START and (not since or since == subgoal.id):
            yield Problem(
                code=int(ErrorCode.PRECONDITION_UNMET),
                message=f"step {step + 1}: {subgoal.skill}({START}) leads back to an earlier "
                f"step, got {since!r}; go somewhere first",
                step=step,
            )
