"""Texts that name what an arm can move, and ask for nothing; beside each kind what does ask."""

from __future__ import annotations

import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck import check_intent
from fmrl_robot.plancheck.intent import arm_check
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.reproduce.language_judge import make_scene
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Plan

GREEN, RED = "put(green_cube,bowl)", "put(red_cube,bowl)"

# A text that asks for nothing, a plan that a planner may make of it, the same in a text that asks.
KINDS = [
    ("Which of the cubes is the heaviest?", "hold(red_cube)", "Which cube? Hold the red cube."),
    ("What happens when somebody presses the button?", "press(button)", "press the button"),
    ("Did you put the red cube in the bowl?", RED, "Could you put the red cube in the bowl?"),
    (
        "I wonder whether the button was pressed.",
        "press(button)",
        "I wonder if you could press it: the button.",
    ),
    (
        "My cat sleeps near a green cube in the bowl.",
        GREEN,
        "My cat sleeps. The green cube in the bowl.",
    ),
    (
        "She dropped the green cube into the bowl.",
        GREEN,
        "She left. Drop the green cube into the bowl.",
    ),
    (
        "You dropped the green cube into the bowl again.",
        GREEN,
        "You should drop the green cube into the bowl.",
    ),
    (
        "Well done, you put the red cube in the bowl so neatly!",
        RED,
        "Well done! Now put the red cube in the bowl.",
    ),
    (
        "Our technician is going to put the red cube in the bowl.",
        RED,
        "Our technician wants you to put the red cube in the bowl.",
    ),
    (
        "It could have put the red cube in the bowl.",
        RED,
        "It could be in the bowl, the red cube, please.",
    ),
    (
        "If the button is pressed, a lamp glows.",
        "press(button)",
        "I would be glad if you pressed the button.",
    ),
    (
        'Maria told her brother: "Put the red cube in the bowl!"',
        RED,
        '"Put the red cube in the bowl!"',
    ),
    ("The phrase 'put the red cube in the bowl' is long.", RED, "Put the red cube in the bowl."),
    ("a bowl of cubes", GREEN, "green cube, bowl"),
    ("the big green cube", "hold(green_cube)", "hold the big green cube"),
    ("red cube: 40 mm, bowl: 120 mm", RED, "red cube: bowl"),
    ("recipe: red cube, bowl", RED, "task: red cube, bowl"),
    ("ROBOT PUTS RED CUBE IN BOWL", RED, "ROBOT, PUT RED CUBE IN BOWL"),
    ("press release: we open a branch", "press(button)", "press, then release: the button"),
    ("cube,mass,place\nred,48,bowl\ngreen,51,bin", RED, "red cube, bowl"),
    ("$ git mv the red cube in the bowl", RED, "mv the red cube in the bowl"),
    ("Imagine a red cube in a bowl.", RED, "Get a red cube in a bowl."),
    ("Hold on, the phone rings.", "hold(red_cube)", "Hold on to the red cube."),
]


def code(instruction: str, answer: str) -> int:
    """The code of the first problem, 0 where there is none."""
    scene = make_scene()
    subgoals, goal = plan_expansion.expand(plan_language.parse(answer), scene)
    plan = Plan(instruction=instruction, method="", subgoals=subgoals, goal=goal)
    found = check_intent(plan, scene, PANDA)
    return found[0].code if found else 0


@pytest.mark.parametrize(("idle", "answer", "asks"), KINDS)
def test_a_text_that_asks_for_nothing_is_refused_and_its_like_that_asks_is_not(
    idle: str, answer: str, asks: str
) -> None:
    assert code(idle, answer) == ErrorCode.INTENT_NOTHING
    assert code(asks, answer) == 0


def test_without_the_reading_of_who_is_asked_most_would_be_let_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arm_check, "addressed", lambda *_: True)
    let = [idle for idle, answer, _ in KINDS if code(idle, answer) == 0]
    assert len(let) > len(KINDS) // 2
