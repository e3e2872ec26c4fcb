"""The reading of a quadruped's instructions over many hand-written orders, right and wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fmrl_robot.plancheck.intent.quadruped import problems
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import Plan

ORDERS = yaml.safe_load(Path(__file__).with_name("quadruped_orders.yaml").read_text("utf-8"))

LEGLESS = [o for o in ORDERS["right"] if not re.search("leg|paw|foot|feet|left|right", o[0])]


def plan(answer: str) -> Plan:
    return Plan(instruction="", method="", subgoals=tuple(parse(answer)))


@pytest.mark.parametrize(("instruction", "answer"), ORDERS["right"])
def test_a_right_plan_is_let_through(instruction: str, answer: str) -> None:
    assert problems(instruction, plan(answer)) == ()


@pytest.mark.parametrize(("instruction", "answer"), ORDERS["wrong"])
def test_a_wrong_plan_is_refused(instruction: str, answer: str) -> None:
    assert problems(instruction, plan(answer)) != ()


@pytest.mark.parametrize(("instruction", "answer"), LEGLESS)
def test_a_leg_up_that_nobody_asked_for_is_refused(instruction: str, answer: str) -> None:
    lifted = answer.removesuffix(")") + ",up=RL)"
    assert problems(instruction, plan(lifted)) != ()
