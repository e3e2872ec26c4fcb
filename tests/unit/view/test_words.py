from types import SimpleNamespace

import pytest

from fmrl_robot.planners.contact_patterns import GaitCall, draw_pattern
from fmrl_robot.types import Leg, Plan, Predicate, SubGoal, SubGoalKind, Velocity
from fmrl_robot.view.words import describe, label, understood


def gait(call):
    return SubGoal(
        id="1",
        kind=SubGoalKind.CONTACT_PATTERN,
        text="the robot moves",
        pattern=draw_pattern(call),
        velocity=Velocity(vx=call.vx),
        duration_s=5.0,
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (GaitCall(gait="trot", vx=0.5), "trot 0.5 m/s"),
        (GaitCall(gait="pace", vx=-1.0, tempo="calm"), "pace -1 m/s"),
        (GaitCall(gait="bound"), "bound 0 m/s"),
        (GaitCall(gait="stand"), "stand"),
        (GaitCall(gait="stand", up=frozenset({Leg.RL})), "stand RL up"),
        (GaitCall(gait="trot", vx=0.5, up=frozenset({Leg.FL})), "trot 0.5 m/s FL up"),
    ],
)
def test_a_gait_is_named_with_its_speed(call, expected):
    assert label(gait(call)) == expected


@pytest.mark.parametrize(
    ("subgoal", "short", "long"),
    [
        (
            SubGoal(
                id="1",
                kind=SubGoalKind.REGION,
                skill="grasp",
                target="red_cube",
                termination=Predicate("held", ("red_cube",)),
            ),
            "grasp red_cube",
            "grasp(red_cube) until held(red_cube)",
        ),
        (
            SubGoal(
                id="1",
                kind=SubGoalKind.SKILL,
                skill="walk",
                velocity=Velocity(vx=0.5, wz=0.8),
                duration_s=5.0,
            ),
            "walk 0.5 m/s, 0.8 rad/s",
            "walk at 0.5 m/s, 0.8 rad/s for 5 s",
        ),
        (SubGoal(id="1", kind=SubGoalKind.SKILL, skill="stand_up"), "stand_up", "stand_up"),
        (SubGoal(id="1", kind=SubGoalKind.CONTACT_PATTERN), "step", "contact pattern"),
    ],
)
def test_a_sub_goal_in_short_and_at_length(subgoal, short, long):
    assert (label(subgoal), describe(subgoal)) == (short, long)


def test_what_a_planner_says_that_it_understood_is_shown_where_it_says_it():
    silent = Plan(instruction="x", method="psl")
    assert understood(()) == understood((silent,)) == ""
    spoken = SimpleNamespace(understood="the red cube lies in the bowl")
    assert understood((spoken, silent)) == "the red cube lies in the bowl"
