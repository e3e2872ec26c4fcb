"""Walks and postures in a quadruped's plan, beside what was asked for and forbidden."""

import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck import check_intent, understood
from fmrl_robot.plancheck.intent import quadruped, quadruped_skills
from fmrl_robot.planners import gait_language
from fmrl_robot.robots import GO2
from fmrl_robot.types import Plan, Scene, SubGoal, SubGoalKind, Velocity

GROUND = Scene(stamp_s=0.0)


def steps(text):
    """``trot(0.5,t=3)`` as the plan language has it; ``sit``, ``stand_up``, ``walk(0.5)``."""
    for part in text.split(";"):
        name, _, inside = part.partition("(")
        if name in ("sit", "stand_up"):
            yield SubGoal(id="1", kind=SubGoalKind.SKILL, skill=name)
        elif name == "walk":
            vx = float(inside.rstrip(")"))
            kind, velocity = SubGoalKind.SKILL, Velocity(vx=vx)
            yield SubGoal(id="1", kind=kind, skill=name, velocity=velocity, duration_s=5.0)
        else:
            yield from gait_language.parse(part)


def codes(instruction, plan, done="", **how):
    plan = Plan(instruction=instruction, method="", subgoals=tuple(steps(plan)) if plan else ())
    before = tuple(steps(done)) if done else ()
    return [p.code for p in check_intent(plan, GROUND, GO2, before, **how)]


@pytest.mark.parametrize(
    ("instruction", "plan"),
    [
        ("sit", "sit"),
        ("please sit down", "sit"),
        ("trot slowly for 3 seconds, then sit", "trot(0.5,t=3);sit"),
        ("sit, then stand up, then pace slowly", "sit;stand_up;pace(0.5)"),
        ("get up", "stand_up"),
        ("walk forward slowly", "walk(0.5)"),
        ("walk forward slowly, then sit", "walk(0.5);sit"),
    ],
)
def test_what_was_asked_for_passes(instruction, plan):
    assert codes(instruction, plan) == []


@pytest.mark.parametrize(
    ("instruction", "plan", "code"),
    [
        ("do not sit", "sit", ErrorCode.INTENT_FORBIDDEN),
        ("trot slowly but do not sit", "trot(0.5);sit", ErrorCode.INTENT_FORBIDDEN),
        ("never trot. sit down", "trot(0.5);sit", ErrorCode.INTENT_FORBIDDEN),
        ("walk forward, never backward", "walk(-0.5)", ErrorCode.INTENT_FORBIDDEN),
        ("trot, then sit, and never pace", "trot(0.5);pace(0.5);sit", ErrorCode.INTENT_FORBIDDEN),
        ("trot slowly", "trot(0.5);sit", ErrorCode.INTENT_EXCEEDED),
        ("sit", "stand_up", ErrorCode.INTENT_EXCEEDED),
        ("trot slowly", "trot(0.5);walk(-0.5)", ErrorCode.INTENT_EXCEEDED),
        ("trot slowly, then sit", "sit", ErrorCode.INTENT_INCOMPLETE),
        ("trot slowly, then sit", "trot(0.5)", ErrorCode.INTENT_INCOMPLETE),
        ("sit, then stand up", "stand_up;sit", ErrorCode.INTENT_INCOMPLETE),
        ("walk forward slowly", "walk(-0.5)", ErrorCode.INTENT_INCOMPLETE),
        ("pace forward", "walk(0.5)", ErrorCode.INTENT_INCOMPLETE),
    ],
)
def test_what_was_not_asked_for_is_refused(instruction, plan, code):
    assert codes(instruction, plan) == [code]


def test_without_its_stand_in_a_walk_would_not_be_seen(monkeypatch):
    monkeypatch.setattr(
        quadruped_skills, "problems", lambda p: quadruped.problems(p.instruction, p)
    )
    assert codes("trot slowly", "trot(0.5);walk(-0.5)") == []
    assert codes("trot slowly", "trot(0.5);sit") == []


def test_a_plan_with_skills_is_read_back():
    plan = Plan(
        instruction="", method="", subgoals=tuple(steps("trot(0.5,t=3);sit;stand_up;walk(-0.5)"))
    )
    assert understood(plan, GROUND, GO2) == (
        "trot forward slowly (0.5 m/s) for 3 s, then sit down, then stand up, then "
        "walk backward at 0.5 m/s for 5 s"
    )


# --- a step at a time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "plan", "wanted"),
    [
        ("", "trot(0.5,t=3)", []),
        ("trot(0.5,t=3)", "sit", []),
        ("trot(0.5,t=3);sit", "", []),
        ("trot(0.5,t=3)", "", [ErrorCode.INTENT_INCOMPLETE]),
        ("trot(0.5,t=3)", "stand_up", [ErrorCode.INTENT_EXCEEDED]),
    ],
)
def test_parts_pass_where_they_lack_something_and_the_end_does_not(done, plan, wanted):
    text = "trot slowly for 3 seconds, then sit"
    assert codes(text, plan, done, partial=bool(plan)) == wanted


def test_a_part_that_is_forbidden_is_refused():
    text = "trot slowly, then stand still, and do not trot backward"
    assert codes(text, "trot(-0.5)", "trot(0.5)", partial=True) == [ErrorCode.INTENT_FORBIDDEN]
