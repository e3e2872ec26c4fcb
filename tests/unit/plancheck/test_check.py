from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck import check
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.types import (
    ContactPattern,
    Leg,
    Plan,
    Pose,
    Predicate,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
    Velocity,
)

WHERE = {"red_cube": 0.4, "blue_cube": 0.5, "bowl": 0.6, "drawer": 0.5, "button": 0.5}
DONE = {
    "grasp": lambda t, held: Predicate("held", (t,)),
    "place": lambda t, held: Predicate("on" if t.endswith(("cube", "table")) else "in", (held, t)),
    "open": lambda t, held: Predicate("open", (t,)),
    "close": lambda t, held: Predicate("closed", (t,)),
    "press": lambda t, held: Predicate("pressed", (t,)),
}


def scene(*facts, far=""):
    objects = tuple(
        SceneObject(
            name=name,
            category=name.split("_")[-1],
            color="",
            pose=Pose(position=np.array([2.0 if name == far else x, 0.0, 0.02])),
            size=np.full(3, 0.04),
        )
        for name, x in WHERE.items()
    )
    return Scene(
        stamp_s=0.0, objects=objects, predicates=frozenset(Predicate.parse(f) for f in facts)
    )


def plan(*steps, goal=()):
    held, subgoals = "red_cube", []
    for number, (skill, target) in enumerate(steps):
        until = DONE.get(skill, DONE["press"])(target, held)
        held = target if skill == "grasp" else held
        subgoals.append(
            SubGoal(
                id=str(number),
                kind=SubGoalKind.REGION,
                skill=skill,
                target=target,
                termination=until,
            )
        )
    goals = tuple(Predicate.parse(g) for g in goal)
    return Plan(instruction="", method="psl", subgoals=tuple(subgoals), goal=goals)


GRASP, PLACE = ("grasp", "red_cube"), ("place", "bowl")


@pytest.mark.parametrize(
    ("steps", "facts"),
    [
        ([GRASP, PLACE], []),
        ([PLACE], ["held(red_cube)"]),
        ([("open", "drawer"), GRASP, ("place", "drawer"), ("close", "drawer")], []),
        ([GRASP, ("place", "blue_cube")], []),
        ([("grasp", "blue_cube"), ("place", "table")], ["on(blue_cube, red_cube)"]),
        ([GRASP, PLACE, ("press", "button")], []),
        ([GRASP], ["in(red_cube, drawer)", "open(drawer)"]),
    ],
)
def test_possible_plans_pass(steps, facts):
    assert check(plan(*steps), scene(*facts), PANDA) == ()


@pytest.mark.parametrize(
    ("steps", "facts", "code", "failing"),
    [
        ([("juggle", "red_cube")], [], ErrorCode.SKILL_UNKNOWN, 0),
        ([("grasp", "hammer")], [], ErrorCode.OBJECT_UNKNOWN, 0),
        ([("grasp", "bowl")], [], ErrorCode.PARAMETER_OUT_OF_BOUNDS, 0),
        ([("press", "drawer")], [], ErrorCode.PARAMETER_OUT_OF_BOUNDS, 0),
        ([PLACE], [], ErrorCode.PRECONDITION_UNMET, 0),
        ([PLACE, GRASP], [], ErrorCode.PRECONDITION_UNMET, 0),
        ([GRASP, GRASP], [], ErrorCode.PRECONDITION_UNMET, 1),
        ([GRASP, ("place", "drawer")], [], ErrorCode.PRECONDITION_UNMET, 1),
        ([GRASP, ("place", "red_cube")], [], ErrorCode.PRECONDITION_UNMET, 1),
        ([GRASP, ("open", "drawer")], [], ErrorCode.PRECONDITION_UNMET, 1),
        ([GRASP, ("press", "button")], [], ErrorCode.PRECONDITION_UNMET, 1),
        ([("open", "drawer")], ["open(drawer)"], ErrorCode.PRECONDITION_UNMET, 0),
        ([("close", "drawer")], [], ErrorCode.PRECONDITION_UNMET, 0),
        ([GRASP], ["on(blue_cube, red_cube)"], ErrorCode.PRECONDITION_UNMET, 0),
        ([GRASP], ["in(red_cube, drawer)"], ErrorCode.PRECONDITION_UNMET, 0),
        ([], [], ErrorCode.PLAN_SCHEMA, None),
    ],
)
def test_impossible_plans_are_refused_at_the_failing_step(steps, facts, code, failing):
    problems = check(plan(*steps), scene(*facts), PANDA)
    assert problems[0].code == code
    assert problems[0].step == failing
    assert problems[0].message


def test_a_goal_that_the_plan_does_not_reach_is_a_contradiction():
    problems = check(plan(GRASP, PLACE, goal=["in(blue_cube, bowl)"]), scene(), PANDA)
    assert [p.code for p in problems] == [ErrorCode.GOAL_CONTRADICTED]


def test_a_termination_that_the_step_cannot_bring_about_is_a_contradiction():
    good = plan(GRASP)
    wrong = replace(good.subgoals[0], termination=Predicate("in", ("red_cube", "bowl")))
    problems = check(replace(good, subgoals=(wrong,)), scene(), PANDA)
    assert problems[0].code == ErrorCode.GOAL_CONTRADICTED


def test_what_is_out_of_reach_is_refused():
    problems = check(plan(GRASP, PLACE), scene(far="bowl"), PANDA)
    assert "within reach, at x from 0.18 to 0.8 m, got " in problems[0].message
    assert [(p.code, p.step) for p in problems] == [(ErrorCode.OUT_OF_WORKSPACE, 1)]


def test_a_scene_that_says_what_is_out_of_reach_is_believed():
    (problem,) = check(plan(GRASP, PLACE), scene("far(red_cube)"), PANDA)
    assert problem.code == ErrorCode.PRECONDITION_UNMET and "within reach" in problem.message


def test_too_many_steps_are_refused():
    problems = check(plan(*[GRASP] * 41), scene(), PANDA)
    assert problems[0].code == ErrorCode.PLAN_SCHEMA


GAIT = SubGoal(
    id="0",
    kind=SubGoalKind.CONTACT_PATTERN,
    pattern=ContactPattern(contacts=np.ones((4, 26), dtype=bool)),
    velocity=Velocity(vx=0.5),
    duration_s=5.0,
)


def gait_problems(**changes):
    steps = (replace(GAIT, **changes),)
    return check(Plan(instruction="", method="saytap", subgoals=steps), scene(), GO2)


def test_a_gait_passes():
    assert gait_problems() == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"velocity": Velocity(vx=3.0)}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"velocity": Velocity(wz=9.0)}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"velocity": Velocity(vx=float("nan"))}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"duration_s": 0.0}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"duration_s": float("nan")}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"duration_s": 1e9}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ({"pattern": None}, ErrorCode.PLAN_SCHEMA),
        ({"velocity": None}, ErrorCode.PLAN_SCHEMA),
        ({"kind": SubGoalKind.REGION}, ErrorCode.PLAN_SCHEMA),
        (
            {"pattern": ContactPattern(contacts=np.ones((3, 26), dtype=bool))},
            ErrorCode.PATTERN_INVALID,
        ),
        (
            {"pattern": ContactPattern(contacts=np.ones((4, 0), dtype=bool))},
            ErrorCode.PATTERN_INVALID,
        ),
        (
            {"pattern": ContactPattern(contacts=np.ones((4, 9), dtype=bool), legs=(Leg.FL,) * 4)},
            ErrorCode.PATTERN_INVALID,
        ),
    ],
)
def test_a_gait_out_of_bounds_is_refused(changes, code):
    assert gait_problems(**changes)[0].code == code


# --- by kind of sub-goal, whatever the robot ------------------------------------------------------


def skill(name, **fields):
    return SubGoal(id="0", kind=SubGoalKind.SKILL, skill=name, **fields)


def dog_problems(*steps):
    return check(Plan(instruction="", method="", subgoals=steps), scene(), GO2)


def test_a_quadruped_sits_stands_up_and_walks_between_its_gaits():
    walk = skill("walk", velocity=Velocity(vx=0.5, wz=0.3), duration_s=4.0)
    assert dog_problems(skill("sit"), skill("stand_up"), GAIT, walk) == ()


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (skill("roll_over"), ErrorCode.SKILL_UNKNOWN),
        (skill("grasp", target="red_cube"), ErrorCode.SKILL_UNKNOWN),
        (skill("walk", duration_s=4.0), ErrorCode.PLAN_SCHEMA),
        (skill("walk", velocity=Velocity(vx=0.5)), ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        (
            skill("walk", velocity=Velocity(vx=9.0), duration_s=4.0),
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
        ),
        (skill("sit", timeout_s=0.0), ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        (skill("sit", timeout_s=float("inf")), ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        (SubGoal(id="0", kind=SubGoalKind.TEXT, text="sit"), ErrorCode.PLAN_SCHEMA),
        (SubGoal(id="0", kind=SubGoalKind.PREDICATE), ErrorCode.PLAN_SCHEMA),
    ],
)
def test_what_a_quadruped_cannot_do_is_refused(step, code):
    assert [p.code for p in dog_problems(step)] == [code]


def test_an_arm_takes_a_skill_as_it_takes_a_region():
    regions = plan(GRASP, PLACE)
    skills = tuple(replace(s, kind=SubGoalKind.SKILL) for s in regions.subgoals)
    assert check(replace(regions, subgoals=skills), scene(), PANDA) == ()
    backward = replace(regions, subgoals=skills[::-1])
    assert check(backward, scene(), PANDA)[0].code == ErrorCode.PRECONDITION_UNMET


@pytest.mark.parametrize("wrong", [GAIT, skill("sit"), skill("walk", velocity=Velocity(vx=0.5))])
def test_an_arm_neither_trots_nor_sits(wrong):
    steps = Plan(instruction="", method="", subgoals=(wrong,))
    assert check(steps, scene(), PANDA)[0].code in (ErrorCode.PLAN_SCHEMA, ErrorCode.SKILL_UNKNOWN)
