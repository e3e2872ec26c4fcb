"""The checks in their order: schema, skill, object, bounds, symbolic steps, workspace, goal.

Each refusal names the failing step and says in a sentence what is wrong, because the model that
made the plan gets that sentence back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from fmrl_robot.errors import ErrorCode, apart
from fmrl_robot.plancheck.body import Finding, body_step, returns
from fmrl_robot.registry import SKILLS
from fmrl_robot.robots import RobotSpec
from fmrl_robot.skills import TABLE, Unmet, World
from fmrl_robot.skills import skill as find_skill
from fmrl_robot.skills.body_skills import BODY_SKILLS
from fmrl_robot.types import Plan, Problem, Scene, SubGoal, SubGoalKind

MAX_STEPS = 40
MAX_SPEED_M_S = 1.5
MAX_TURN_RAD_S = 2.0
MAX_DURATION_S = 60.0
MAX_TIMEOUT_S = 600.0
MAX_COLUMNS = 200
REACH_MARGIN_M = 0.02
"""Perception is that wrong at worst; a target this far outside is not refused for it."""


def _no_names() -> tuple[str, ...]:
    return ()


def _body_skills() -> tuple[str, ...]:
    return tuple(BODY_SKILLS)


ACCEPTED: Mapping[str, Mapping[SubGoalKind, Callable[[], tuple[str, ...]]]] = {
    "arm": {SubGoalKind.REGION: SKILLS.names, SubGoalKind.SKILL: SKILLS.names},
    "quadruped": {SubGoalKind.CONTACT_PATTERN: _no_names, SubGoalKind.SKILL: _body_skills},
}
"""What the controller of a kind of robot carries out: kinds of sub-goal, each with the names of its
skills; no name where it is about none."""


def check(plan: Plan, scene: Scene, robot: RobotSpec) -> tuple[Problem, ...]:
    """Return why ``plan`` must not be carried out; empty when it may.

    The first problem found is the only one reported for symbolic steps, since what follows an
    impossible step means nothing.

    Args:
        plan: arranged (fmrl_robot/runtime/order.py): its steps stand in the order in which they
            would be carried out.
        scene: as it is now.
        robot: who would carry it out.
    """
    problems = list(_schema(plan, robot)) or list(_each(plan, lambda s: _alone(s, scene)))
    problems = problems or list(_symbolic(plan, scene)) or list(returns(plan))
    return tuple(problems or _each(plan, lambda s: _workspace(s, scene, robot)))


def _each(plan: Plan, look: Callable[[SubGoal], Finding | None]) -> Iterator[Problem]:
    for step, subgoal in enumerate(plan.subgoals):
        found = look(subgoal)
        if found:
            yield Problem(code=int(found[0]), message=f"step {step + 1}: {found[1]}", step=step)


def _schema(plan: Plan, robot: RobotSpec) -> Iterator[Problem]:
    count = len(plan.subgoals)
    # A goal that already holds needs no step.
    if count > MAX_STEPS or (count == 0 and not plan.goal):
        yield _wrong(f"expected 1 to {MAX_STEPS} steps, got {count}")
    # What is checked has to be what is carried out, step by step.
    if plan.weights:
        yield _wrong(f"expected a plan without alternatives, got the weights {plan.weights}")
    if wrong := [edge for edge in plan.edges if not 0 <= edge[0] < edge[1] < count]:
        yield _wrong(f"expected edges from earlier to later steps, got {wrong[0]}")
    kinds = ACCEPTED[robot.kind]

    def look(subgoal: SubGoal) -> Finding | None:
        if subgoal.kind not in kinds:
            names = " or ".join(kind.name for kind in kinds)
            return ErrorCode.PLAN_SCHEMA, f"expected {names}, got {subgoal.kind.name}"
        names = kinds[subgoal.kind]()
        if names and subgoal.skill not in names:
            known = ", ".join(names)
            return ErrorCode.SKILL_UNKNOWN, f"expected a skill among {known}, got {subgoal.skill!r}"
        if not 0.0 < subgoal.timeout_s <= MAX_TIMEOUT_S:
            got = f"expected more than 0 and at most {MAX_TIMEOUT_S:.0f} s to a step's end, got "
            return ErrorCode.PARAMETER_OUT_OF_BOUNDS, got + f"{subgoal.timeout_s}"
        return None

    yield from _each(plan, look)


def _wrong(message: str) -> Problem:
    return Problem(code=int(ErrorCode.PLAN_SCHEMA), message=message)


def _alone(subgoal: SubGoal, scene: Scene) -> Finding | None:
    """What is wrong with one step, whatever stands before it."""
    if subgoal.kind == SubGoalKind.CONTACT_PATTERN:
        return _gait(subgoal)
    if subgoal.skill in BODY_SKILLS:
        goes = BODY_SKILLS[subgoal.skill].moves and subgoal.velocity is not None
        return body_step(subgoal, scene) or (_moves(subgoal) if goes else None)
    return _targets(subgoal, scene)


def _targets(subgoal: SubGoal, scene: Scene) -> Finding | None:
    if subgoal.termination is None:
        return ErrorCode.PLAN_SCHEMA, "expected a condition that ends it, got none"
    skill = find_skill(subgoal.skill)
    thing = scene.find(subgoal.target)
    if thing is None and subgoal.target != TABLE:
        seen = ", ".join(o.name for o in scene.objects) or "nothing"
        return (
            ErrorCode.OBJECT_UNKNOWN,
            f"expected something in the scene, got {subgoal.target!r}; it has {seen}",
        )
    category = thing.category if thing else TABLE
    if category not in skill.targets:
        return (
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
            f"{subgoal.skill} takes a {' or '.join(skill.targets)}, got the {category} "
            f"{subgoal.target!r}",
        )
    try:
        skill.values(subgoal)
    except ValueError as error:
        return ErrorCode.PARAMETER_OUT_OF_BOUNDS, f"{subgoal.skill}: {error}"
    return None


def _symbolic(plan: Plan, scene: Scene) -> Iterator[Problem]:
    world = World.of(scene)
    for step, subgoal in enumerate(plan.subgoals):
        if subgoal.kind == SubGoalKind.CONTACT_PATTERN or subgoal.skill in BODY_SKILLS:
            continue  # they change no fact of the scene
        try:
            world.apply(subgoal.skill, subgoal.target)
        except Unmet as error:
            message = f"step {step + 1}: {error}"
            yield Problem(code=int(error.code), message=message, step=step)
            return
        wanted = subgoal.termination
        if wanted is not None and not world.holds(wanted):
            yield Problem(
                code=int(ErrorCode.GOAL_CONTRADICTED),
                message=f"step {step + 1}: {subgoal.skill}({subgoal.target}) cannot bring about "
                f"{wanted}",
                step=step,
            )
            return
    for fact in plan.goal:
        if not world.holds(fact):
            yield Problem(
                code=int(ErrorCode.GOAL_CONTRADICTED),
                message=f"after the last step {fact} does not hold",
            )


def _workspace(subgoal: SubGoal, scene: Scene, robot: RobotSpec) -> Finding | None:
    thing = scene.find(subgoal.target)
    low, high = robot.workspace_lower, robot.workspace_upper
    if thing is None or low is None or high is None:
        return None
    low, high = low - REACH_MARGIN_M, high + REACH_MARGIN_M
    for axis, *numbers in zip("xyz", thing.pose.position, low, high, strict=True):
        if not numbers[1] <= numbers[0] <= numbers[2]:
            got, least, most = apart(*numbers, digits=3)
            return (
                ErrorCode.OUT_OF_WORKSPACE,
                f"expected {subgoal.target} within reach, at {axis} from {least} to {most} m, "
                f"got {got}",
            )
    return None


def _gait(subgoal: SubGoal) -> Finding | None:
    pattern, velocity = subgoal.pattern, subgoal.velocity
    if pattern is None or velocity is None:
        return ErrorCode.PLAN_SCHEMA, "expected a pattern and a velocity"
    legs, columns = pattern.contacts.shape
    if (
        legs != len(pattern.legs)
        or len(set(pattern.legs)) != 4
        or not 1 <= columns <= MAX_COLUMNS
        or not 0.005 <= pattern.dt_s <= 0.1
    ):
        return (
            ErrorCode.PATTERN_INVALID,
            f"expected 4 different legs by 1 to {MAX_COLUMNS} columns, got {legs} by {columns}",
        )
    return _moves(subgoal)


def _moves(subgoal: SubGoal) -> Finding | None:
    """What is wrong with a velocity and how long it is kept."""
    velocity = subgoal.velocity
    if velocity is None:
        return ErrorCode.PLAN_SCHEMA, "expected a velocity, got none"
    speeds = (velocity.vx, velocity.vy, velocity.wz)
    if not np.all(np.isfinite(speeds)):
        return ErrorCode.PARAMETER_OUT_OF_BOUNDS, f"expected finite speeds, got {speeds}"
    if max(abs(velocity.vx), abs(velocity.vy)) > MAX_SPEED_M_S or abs(velocity.wz) > MAX_TURN_RAD_S:
        return (
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
            f"expected at most {MAX_SPEED_M_S} m/s and {MAX_TURN_RAD_S} rad/s, got {speeds}",
        )
    if not 0.0 < subgoal.duration_s <= MAX_DURATION_S:
        return (
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
            f"expected more than 0 and at most {MAX_DURATION_S:.0f} s, got {subgoal.duration_s}",
        )
    return None
