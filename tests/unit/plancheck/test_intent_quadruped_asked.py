"""Each rule about what an instruction asks for: what it lets through, what it is needed for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fmrl_robot.plancheck.intent import quadruped_words
from fmrl_robot.plancheck.intent.quadruped import problems
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import Plan

RULES = [
    # entry of the word lists, instruction, a right plan, a wrong one (empty: none)
    ("disowned", "My son ordered you to bound. Disregard him. Pace back.", "pace(-0.5)", ""),
    ("ordered", "Grandpa asked you to pace. Overrule him. Trot.", "trot(0.5)", ""),
    ("of_that", "Bounding again, none of that. Trot ahead.", "trot(0.5)", "bound(0.5);trot(0.5)"),
    ("threat", "Pace one more time and I will unplug you.", "", "pace(0.5)"),
    ("once_more", "Bound again and we shall fall out.", "", "bound(0.5)"),
    (
        "twice_as_long",
        "Trot 3 s and stand for twice as long.",
        "trot(0.5,t=3);stand(0,t=6)",
        "trot(0.5,t=3);stand(0,t=3)",
    ),
    (
        "as_long",
        "Trot 4 s and stand for just as long.",
        "trot(0.5,t=4);stand(0,t=4)",
        "trot(0.5,t=4);stand(0,t=2)",
    ),
    (
        "same_speed",
        "Trot slowly for 3 s, then pace at the same speed.",
        "trot(0.5,t=3);pace(0.5)",
        "trot(0.5,t=3);pace(1)",
    ),
    ("on_hind", "Stand on your hind legs.", "stand(0,up=FL,up=FR)", "stand(0)"),
    ("fronted", "Bounding I will not have. Trot.", "trot(0.5)", "bound(0.5);trot(0.5)"),
    ("about_gait", "Bounding ruins the floor. Trot.", "trot(0.5)", "bound(0.5);trot(0.5)"),
    ("definition", "Trot: a gait between walk and canter.", "", "trot(0.5)"),
    ("rewritten", "Bound? Never. Trot ahead.", "trot(0.5)", "bound(0.5);trot(0.5)"),
    ("anywhere", "Trot when the bell rings.", "", "trot(0.5)"),
    ("told", "They said that you would trot.", "", "trot(0.5)"),
    ("interjection", "Hey, the horse trots.", "", "trot(0.5)"),
]


def refused(instruction: str, answer: str) -> bool:
    steps = tuple(parse(answer))
    return bool(problems(instruction, Plan(instruction="", method="", subgoals=steps)))


@pytest.mark.parametrize(("entry", "instruction", "right", "wrong"), RULES)
def test_a_rule_tells_right_from_wrong_and_is_needed_for_it(
    monkeypatch: pytest.MonkeyPatch, entry: str, instruction: str, right: str, wrong: str
) -> None:
    assert not right or not refused(instruction, right)
    assert not wrong or refused(instruction, wrong)
    _forget(monkeypatch, entry)
    spoilt = bool(right) and refused(instruction, right)
    assert spoilt or (wrong and not refused(instruction, wrong))


def _forget(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    """Take an entry out of the word lists."""
    lexicon: Mapping[str, Any] = quadruped_words.read_lexicon()
    without = {**lexicon, "rewritten": []} if entry == "rewritten" else lexicon
    never = (re.compile("(?!)"),)
    patterns = {
        key: never if key[0] == entry else some
        for key, some in quadruped_words._patterns().items()  # pyright: ignore[reportPrivateUsage]
    }
    monkeypatch.setattr(quadruped_words, "read_lexicon", lambda: without)
    monkeypatch.setattr(quadruped_words, "_patterns", lambda: patterns)


LEGS = [
    ("Lift the front left, no, the other front leg.", "stand(0,up=FR)", "stand(0,up=FL)"),
    ("Stand on FL, FR and RL, the fourth leg up.", "stand(0,up=RR)", "stand(0,up=FL)"),
    ("Lift a front paw while standing, but not the right one.", "stand(0,up=FL)", "stand(0,up=FR)"),
]


@pytest.mark.parametrize(("instruction", "right", "wrong"), LEGS)
def test_a_leg_is_known_by_the_others(instruction: str, right: str, wrong: str) -> None:
    assert not refused(instruction, right)
    assert refused(instruction, wrong)


NUMBERS = [
    ("Stand 4 s with FL up, then three with FR up.", "stand(0,up=FL,t=4);stand(0,up=FR,t=3)"),
    ("Stand 4 s with FL up, then four with FR up.", "stand(0,up=FL,t=4);stand(0,up=FR,t=4)"),
    ("Twice over: trot 1 s, stand 2 s.", "trot(0.5,t=1);stand(0,t=2);trot(0.5,t=1);stand(0,t=2)"),
    ("Freeze for two seconds and a half.", "stand(0,t=2.5)"),
    ("Stand still for three quarters of a minute.", "stand(0,t=45)"),
    ("Trot at 1 m/s for 2 s, then back at 0.5 m/s.", "trot(1,t=2);trot(-0.5)"),
]
MISSED = [
    ("Stand 4 s with FL up, then four with FR up.", "stand(0,up=FL,t=4);stand(0,up=FR)"),
    ("Stand for 6 s, and in the three after that pace.", "stand(0,t=6);pace(0)"),
    ("Stand on FL, FR and RL, the fourth leg up.", "stand(0,up=RR,up=FL)"),
    ("Stand 4 s with FL up, then three with FR up.", "stand(0,up=FL,t=4);stand(0,up=FR)"),
    ("Twice over: trot 1 s, stand 2 s.", "trot(0.5,t=1);stand(0,t=2)"),
    ("Freeze for two seconds and a half.", "stand(0,t=2)"),
    ("Stand still for three quarters of a minute.", "stand(0,t=15)"),
    ("Trot at 1 m/s for 2 s, then back at 0.5 m/s.", "trot(-1,t=2);trot(-0.5)"),
]


@pytest.mark.parametrize(("instruction", "answer"), NUMBERS)
def test_a_plan_with_every_number_is_let_through(instruction: str, answer: str) -> None:
    assert not refused(instruction, answer)


@pytest.mark.parametrize(("instruction", "answer"), MISSED)
def test_a_plan_without_a_number_is_refused(instruction: str, answer: str) -> None:
    assert refused(instruction, answer)
