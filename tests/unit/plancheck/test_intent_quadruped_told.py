"""Sentences that ask a quadruped for nothing, each beside an order that looks like it."""

from __future__ import annotations

import re

import pytest

from fmrl_robot.plancheck.intent import quadruped_clauses, quadruped_words
from fmrl_robot.plancheck.intent.quadruped import problems
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import Plan

KINDS = [
    # entry, a text that asks for nothing, a plan that it must not let pass, an order like it
    ("asked_of_others", "Can a pace be slower than a trot?", "pace(0.5);trot(0.5)",
     "Could a slow pace be possible?", "pace(0.5)"),
    ("exclaims", "What a lovely bound that is!", "bound(0.5)",
     "What about a lovely bound?", "bound(0.5)"),
    ("time_told", "Next month I am going to start running again.", "trot(0.5)",
     "Next, start walking forward.", "trot(0.5)"),
    ("of_others", "The mechanics hope to raise the top speed.", "trot(1)",
     "The mechanics hope to see a trot at top speed.", "trot(1)"),
    ("being_does", "A shadow trotting out of sight.", "trot(0.5)",
     "An old fox trotting gait, please.", "trot(0.5)"),
    ("about_itself", "Your rear left leg rattles.", "stand(0,up=RL)",
     "Your rear left leg stays up.", "stand(0,up=RL)"),
    ("defines", "A leap is the part of a gait with no foot on the ground.", "bound(0.5)",
     "A bound is what I want, with an airborne phase.", "bound(0.5)"),
    ("judges", "It is hard to run backwards.", "trot(-1)",
     "It is time to run backwards.", "trot(-1)"),
    ("of_words", "My next request will be about bounding.", "bound(0.5)",
     "My next request: bounding.", "bound(0.5)"),
    ("unreal", "You would have won if you had trotted.", "trot(0.5)",
     "I would be glad if you trotted.", "trot(0.5)"),
    ("of_others", "Every dog falls on its back.", "trot(-0.5)",
     "Every second, step back.", "trot(-0.5)"),
    ("judges", "The nurse asked him to stand on one leg.", "stand(0,up=FL)",
     "The nurse asked you to stand on one leg.", "stand(0,up=FL)"),
    ("judges", "I may ask you to trot later.", "trot(0.5)",
     "May I ask you to trot?", "trot(0.5)"),
    ("unreal", "You are free to disobey every command that mentions pacing.", "pace(0.5)",
     "You are free to pace.", "pace(0.5)"),
    ("of_words", "A trot has two beats, a walk has four.", "trot(0.5)",
     "A trot of two beats, a walk.", "trot(0.5)"),
    ("trails", "Tomorrow I will go out, slowly at first.", "trot(0.5)",
     "Trot forward, slowly at first.", "trot(0.5)"),
]  # fmt: skip


def passes(instruction: str, answer: str) -> bool:
    plan = Plan(instruction=instruction, method="", subgoals=tuple(parse(answer)))
    return not problems(instruction, plan)


@pytest.mark.parametrize(("entry", "told", "plan", "order", "right"), KINDS)
def test_what_tells_is_no_order_and_its_rule_is_needed(
    monkeypatch: pytest.MonkeyPatch, entry: str, told: str, plan: str, order: str, right: str
) -> None:
    assert not passes(told, plan)
    assert passes(order, right)
    never = (re.compile("(?!)"),)
    patterns = {
        key: never if key[0] == entry else some
        for key, some in quadruped_words._patterns().items()  # pyright: ignore[reportPrivateUsage]
    }
    monkeypatch.setattr(quadruped_words, "_patterns", lambda: patterns)
    assert passes(told, plan)


QUOTED = [
    ('"Trot on!" the rider shouted to her horse.', "trot(0.5)"),
    ('He told me: "Walk slowly, you fool."', "trot(0.5)"),
    ('She yelled "bound forward" and left.', "bound(0.5)"),
    ('The phrase "pace forward slowly" has three words.', "pace(0.5)"),
]


@pytest.mark.parametrize(("told", "plan"), QUOTED)
def test_what_others_said_is_no_order(
    monkeypatch: pytest.MonkeyPatch, told: str, plan: str
) -> None:
    assert not passes(told, plan)
    monkeypatch.setattr(quadruped_clauses, "unquoted", lambda text: text)
    assert passes(told, plan)


@pytest.mark.parametrize(
    ("order", "plan"),
    [
        ('"Trot on!"', "trot(0.5)"),
        ('The command is "pace forward slowly".', "pace(0.5)"),
        ('"Bound forward", that is my order.', "bound(0.5)"),
        ("Your left front paw squeaks, lift it.", "stand(0,up=FL)"),
        ("What a beautiful day! Trot forward.", "trot(0.5)"),
        ("There is a child in front of you, back off slowly.", "trot(-0.5)"),
        ("Looking forward, pace.", "pace(0.5)"),
        ("Battery is at 40 %, trot slowly.", "trot(0.5)"),
    ],
)
def test_an_order_beside_what_is_told_is_followed(order: str, plan: str) -> None:
    assert passes(order, plan)


def test_a_ban_that_is_quoted_holds() -> None:
    assert not passes('"Never trot", the rider said to you. Go forward.', "trot(0.5)")


@pytest.mark.parametrize(
    "text",
    [
        "error: leg FL did not trot within 0.2 s",
        "FATAL: joint RL over torque during bound",
        "gait: unknown; trot 3 s; battery 61 %",
        "0.5 m/s, 1.0 m/s, 0.5 m/s",
        "trot (noun): a gait of two beats",
    ],
)
def test_logs_and_lists_are_no_orders(text: str) -> None:
    assert not any(passes(text, plan) for plan in ("trot(0.5)", "bound(0.5)", "trot(1)"))
