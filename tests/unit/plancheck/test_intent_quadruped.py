"""The reading of a quadruped's instructions, over plans written in the plan language."""

from __future__ import annotations

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent.quadruped import problems, understood
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import ContactPattern, Plan, SubGoal, SubGoalKind, Velocity

FORBIDDEN = ErrorCode.INTENT_FORBIDDEN
NOTHING = ErrorCode.INTENT_NOTHING
INCOMPLETE = ErrorCode.INTENT_INCOMPLETE
EXCEEDED = ErrorCode.INTENT_EXCEEDED


def plan(answer: str) -> Plan:
    return Plan(instruction="", method="", subgoals=tuple(parse(answer)))


def code(instruction: str, answer: str) -> int:
    """The code of the first problem, 0 where there is none."""
    found = problems(instruction, plan(answer))
    return found[0].code if found else 0


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("Trot forward.", "trot(0.5)"),
        ("trott foward slowley for 2 secnds", "trot(0.5,t=2)"),  # codespell:ignore
        ("vx = -1 m/s, trot, 6 s", "trot(-1,t=6)"),
        ("not forward but back, slowly, at a trot", "trot(-0.5)"),
        ("Do nothing but stand for a whole minute.", "stand(0,t=60)"),
        ("No gait save pace will do here. Forward, 1 m/s.", "pace(1)"),
        ("All feet on the floor save for the front right one; stand like that.", "stand(0,up=FR)"),
        ("hold up none of your legs other than the rear left", "stand(0,up=RL)"),
        ("stand without putting any weight on your front left paw", "stand(0,up=FL)"),
        ("don't forget to trot", "trot(0.5)"),
        ("don't stop trotting", "trot(0.5)"),
        ("why don't you trot forward?", "trot(0.5)"),
        ("trot back, no rush", "trot(-0.5)"),
        ("Keep trotting for 6 s without leaving the spot", "trot(0,t=6)"),
        ("trot, no wait, pace forward", "pace(0.5)"),
        ("Before you trot forward for 3 s, stand for 2 s.", "stand(0,t=2);trot(0.5,t=3)"),
        (
            "Bound forward for 2 s, but only after trotting on the spot for 6 s",
            "trot(0,t=6);bound(0.5,t=2)",
        ),
        ("don't trot until you have stood for 3 s", "stand(0,t=3);trot(0.5)"),
        ("Go 2 s forward, 2 s back, all trotting, all slow.", "trot(0.5,t=2);trot(-0.5,t=2)"),
        ("trot in place, front right leg stepping twice as often", "trot(0,fast=FR)"),
        ("a flying trot forward, all four feet leave the ground", "trot(0.5,air)"),
        ("Don't move.", "stand(0)"),
        ("The trotters were slow yesterday. Pace ahead.", "pace(0.5)"),
        ("trot forward and then come to a standstill", "trot(0.5);stand(0)"),
    ],
)
def test_a_plan_that_does_what_is_said_is_let_through(instruction: str, answer: str) -> None:
    assert problems(instruction, plan(answer)) == ()


@pytest.mark.parametrize(
    ("instruction", "answer", "wanted"),
    [
        ("Never bound. Go forward.", "bound(0.5)", FORBIDDEN),
        ("trot forward, but not fast", "trot(1)", FORBIDDEN),
        ("go backwards w/out trotting", "trot(-0.5)", FORBIDDEN),
        ("Any gait but trot: go forward", "trot(0.5)", FORBIDDEN),
        (
            "Apart from bounding and trotting there's one more gait, use it forward",
            "trot(0.5)",
            FORBIDDEN,
        ),
        ("Full speed is off limits, bound ahead", "bound(1)", FORBIDDEN),
        ("stand still and do not lift any of your legs", "stand(0,up=FL)", FORBIDDEN),
        ("Instead of bounding, pace forward", "bound(0.5)", FORBIDDEN),
        ("don't trot and bound", "bound(0.5)", FORBIDDEN),
        ("don't go backwards, just trot", "trot(-0.5)", FORBIDDEN),
        ("avoid pacing", "trot(0.5)", NOTHING),
        ("You mustn't go forward!", "trot(-0.5)", NOTHING),
        ('{"gait": "trot", "vx": 0.5}', "trot(0.5)", NOTHING),
        ("for i in range(4): print(legs[i])", "trot(0.5)", NOTHING),
        ("Is pacing faster than trotting?", "pace(0.5)", NOTHING),
        ("hello hello hello", "stand(0)", NOTHING),
        ("Last week our dog trotted all the way to the village.", "trot(0.5)", NOTHING),
        ("trot 3 s, then sit", "trot(0.5,t=3);stand(0)", INCOMPLETE),
        ("trot 3 s, then juggle", "trot(0.5,t=3)", INCOMPLETE),
        ("come back to me", "trot(-0.5)", INCOMPLETE),
        ("come here boy", "trot(0.5)", INCOMPLETE),
        ("Turn ninety degrees to the left", "trot(0.5)", INCOMPLETE),
        ("trot over to the door", "trot(0.5)", INCOMPLETE),
        ("trot until you see the cat", "trot(0.5)", INCOMPLETE),
        ("trot forward at 3 m/s", "trot(1)", INCOMPLETE),
        ("trot for two minutes", "trot(0.5,t=60)", INCOMPLETE),
        ("trot forward for 4 s", "trot(0.5,t=3)", INCOMPLETE),
        ("trot forward, then pace back", "trot(0.5)", INCOMPLETE),
        ("trot forward, then pace back", "pace(-0.5);trot(0.5)", INCOMPLETE),
        ("Before you trot, stand for 2 s", "trot(0.5);stand(0,t=2)", INCOMPLETE),
        ("trot forward fast", "trot(0.5)", INCOMPLETE),
        ("trot with the rear left leg up", "trot(0.5,up=RR)", INCOMPLETE),
        ("trot forward", "trot(0.5,up=FL)", EXCEEDED),
        ("trot", "trot(-0.5)", EXCEEDED),
        ("trot forward", "trot(0.5);bound(0.5)", EXCEEDED),
    ],
)
def test_a_plan_that_does_otherwise_is_refused(
    instruction: str, answer: str, wanted: ErrorCode
) -> None:
    assert code(instruction, answer) == wanted


def test_the_message_says_what_would_be_done_and_what_was_asked() -> None:
    (found,) = problems("trot 3 s, then sit", plan("trot(0.5,t=3);stand(0)"))
    assert found.message == (
        "I would trot forward slowly (0.5 m/s) for 3 s, then stand still for 2 s, "
        "but you asked also for 'sit'; say it in other words"
    )


@pytest.mark.parametrize("gait", ["trot", "pace", "bound"])
@pytest.mark.parametrize("tempo", ["", ",quick", ",calm"])
def test_gaits_are_told_from_their_rows(gait: str, tempo: str) -> None:
    said = understood(plan(f"{gait}(-1{tempo},t=4)"))
    cycle = f" in a {tempo[1:]} cycle" if tempo else ""
    assert said == f"{gait} backward fast (1 m/s){cycle} for 4 s"


def test_legs_and_suspension_are_told_from_rows() -> None:
    assert understood(plan("trot(0,fast=FR,t=2)")) == (
        "trot on the spot with the front right leg at double frequency for 2 s"
    )
    assert "with a suspension phase" in understood(plan("trot(0.5,air)"))
    assert understood(plan("stand(0,up=RL)")) == "stand still with the rear left leg up for 2 s"


def test_rows_that_are_no_gait_are_said_so() -> None:
    rows = np.zeros((4, 26), dtype=np.bool_)
    for leg in range(4):
        rows[leg, leg * 6 : leg * 6 + 8] = True
    step = SubGoal(
        id="1",
        kind=SubGoalKind.CONTACT_PATTERN,
        text="the robot trots forward",
        velocity=Velocity(vx=0.5),
        pattern=ContactPattern(contacts=rows),
        duration_s=5.0,
    )
    one = Plan(instruction="", method="", subgoals=(step,))
    assert "a contact pattern of its own" in understood(one)
    assert problems("trot forward", one)[0].code == INCOMPLETE


def test_turning_that_nobody_asked_for_is_refused() -> None:
    (straight,) = plan("trot(0.5)").subgoals
    turning = SubGoal(
        id="1",
        kind=straight.kind,
        pattern=straight.pattern,
        velocity=Velocity(vx=0.5, wz=0.5),
        duration_s=5.0,
    )
    found = problems("trot forward", Plan(instruction="", method="", subgoals=(turning,)))
    assert found[0].code == EXCEEDED
