"""What an instruction that restricts lets a plan do: what it asks for and nothing beyond."""

from __future__ import annotations

import pytest

from fmrl_robot.plancheck.intent.quadruped import problems
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import Plan

BEYOND = [
    ("Only trot, on the spot.", "trot(0.5)"),
    ("Solely forward, solely trotting.", "pace(0.5)"),
    ("Solely forward, solely trotting.", "trot(0.5);trot(-0.5)"),
    ("Bounding is not permitted. Pace back.", "pace(-0.5);bound(-0.5)"),
    ("PACE GAIT LOCKED OUT. Trot ahead.", "trot(0.5);pace(0.5)"),
    ("Just stand for 4 s, keep the rear left foot on the floor.", "stand(0,t=4,up=RL)"),
    ("Stand for 4 s.", "stand(0,t=4);trot(0.5)"),
    ("Stand with the front right up.", "stand(0,up=FR);trot(0.5)"),
    ("Go forward with whichever gait, with the sole exception of pacing.", "pace(0.5)"),
    ("Pacing excluded, go forward slowly.", "pace(0.5)"),
    ("Pacing excluded, go forward slowly.", "trot(1)"),
    ("Outside of bounding, any gait will do. Backward.", "bound(-0.5)"),
    ("Rather than forward, trot back.", "trot(0.5)"),
    ("All I want is a slow pace backward, nothing else.", "pace(-1)"),
    ("All I want is a slow pace backward, nothing else.", "pace(-0.5);pace(0.5)"),
    ("Everything else being forbidden, bound on the spot.", "bound(0.5)"),
    ("Everything else being forbidden, bound on the spot.", "bound(0);trot(0)"),
    (
        "The front right leg had better stay planted. Stand and lift the rear left.",
        "stand(0,up=FR)",
    ),
    ("Trot, don't you leave your spot.", "trot(0.5)"),
    ("Trot forward, gently, no haste.", "trot(1)"),
    ("exclude: trot, pace; direction: forward; gait: any", "pace(0.5)"),
    ("Speed limit 0.5 m/s. Trot.", "trot(1)"),
    ("Just bound forward for 3 s.", "bound(0.5,t=3);stand(0)"),
    ("Pace forward 3 s and give up trotting.", "pace(0.5,t=3);trot(0.5)"),
    ("The only gait allowed is the pace. Forward.", "trot(0.5)"),
    ("Your feet shall not leave the ground. Stand.", "stand(0,up=FL)"),
    ("Nothing faster than a crawl: trot ahead.", "trot(1)"),
    ("Only trot forward, no leg up.", "trot(0.5,up=FL)"),
    ("Only lift the front left while you stand.", "stand(0,up=FL);stand(0,up=FR)"),
    ("Just trot forward, once.", "trot(0.5);trot(0.5)"),
    ("Not a step. Stand 3 s.", "stand(0,t=3);pace(0)"),
    ("Going back is inhibited; trot ahead 3 s.", "trot(0.5,t=3);trot(-0.5,t=3)"),
    ("Trot ahead for 3 s only.", "trot(0.5,t=3);trot(0.5,t=5)"),
    ("Pacing has been disabled, so trot.", "pace(0.5)"),
    ("Bound, but do not gain any ground.", "bound(0.5)"),
    ("I order you never to pace; trot.", "pace(0.5)"),
    ("Solely forward, solely trotting.", "trot(0.5);stand(0)"),
    ("Solely forward, solely trotting.", "trot(0.5);trot(1)"),
    ("Only bound, on the spot.", "bound(0);bound(0)"),
    ("Trot slowly for 2 s, then only bound, fast.", "trot(0.5,t=2);bound(1);trot(1)"),
    ("Trot, then stand. Never trot fast.", "trot(1);stand(0)"),
]
WITHIN = [
    ("Only trot, on the spot.", "trot(0)"),
    ("Solely forward, solely trotting.", "trot(0.5)"),
    ("Bounding is not permitted. Pace back.", "pace(-0.5)"),
    ("PACE GAIT LOCKED OUT. Trot ahead.", "trot(0.5)"),
    ("Just stand for 4 s, keep the rear left foot on the floor.", "stand(0,t=4)"),
    ("Go forward with whichever gait, with the sole exception of pacing.", "trot(0.5)"),
    ("Pacing excluded, go forward slowly.", "trot(0.5)"),
    ("Outside of bounding, any gait will do. Backward.", "trot(-0.5)"),
    ("Rather than forward, trot back.", "trot(-0.5)"),
    ("All I want is a slow pace backward, nothing else.", "pace(-0.5)"),
    ("Everything else being forbidden, bound on the spot.", "bound(0)"),
    (
        "The front right leg had better stay planted. Stand and lift the rear left.",
        "stand(0,up=RL)",
    ),
    ("Trot, don't you leave your spot.", "trot(0)"),
    ("Trot forward, gently, no haste.", "trot(0.5)"),
    ("exclude: trot, pace; direction: forward; gait: any", "bound(0.5)"),
    ("Speed limit 0.5 m/s. Trot.", "trot(0.5)"),
    ("Pace forward 3 s and give up trotting.", "pace(0.5,t=3)"),
    ("Only lift the front left while you stand.", "stand(0,up=FL)"),
    ("Going back is inhibited; trot ahead 3 s.", "trot(0.5,t=3)"),
    ("Stand 2 s, then just trot forward quickly.", "stand(0,t=2);trot(1)"),
    ("Trot forward slowly for 2 s, then only bound, fast.", "trot(0.5,t=2);bound(1)"),
    ("No pacing. Trot forward slowly, then faster.", "trot(0.5);trot(1)"),
    ("Bound forward, then no more bounding, pace back.", "bound(0.5);pace(-0.5)"),
    ("Just walk forward for 3 s.", "trot(0.5,t=3)"),
    ("Walk forward, do not bound.", "trot(0.5)"),
    ("Stand, keep your front left off the floor.", "stand(0,up=FL)"),
    ("Stay standing and keep the front left up.", "stand(0,up=FL)"),
    ("Bound, but do not gain any ground.", "bound(0)"),
    ("Nothing faster than a crawl: trot ahead.", "trot(0.5)"),
    ("Your feet shall not leave the ground. Stand.", "stand(0)"),
    ("The only gait allowed is the pace. Forward.", "pace(0.5)"),
    ("Pacing has been disabled, so trot.", "trot(0.5)"),
    ("You are not allowed to bound, trot forward", "trot(0.5)"),
    ("Keep the rear left planted while you trot? No, just stand.", "stand(0)"),
    ("Would you stand for 3 s, then walk on?", "stand(0,t=3);trot(0.5)"),
    ("Stand still then go.", "stand(0);trot(0.5)"),
    ("Trot for 2 s, after that go forward in anything but a trot.", "trot(0.5,t=2);bound(0.5)"),
]


def plan(answer: str) -> Plan:
    return Plan(instruction="", method="", subgoals=tuple(parse(answer)))


@pytest.mark.parametrize(("instruction", "answer"), BEYOND)
def test_what_goes_beyond_a_restriction_is_refused(instruction: str, answer: str) -> None:
    assert problems(instruction, plan(answer))


@pytest.mark.parametrize(("instruction", "answer"), WITHIN)
def test_what_stays_within_a_restriction_is_let_through(instruction: str, answer: str) -> None:
    assert problems(instruction, plan(answer)) == ()
