"""What the gate says when it refuses, and what a person is told whose robot is stopped."""

import re

import pytest
from gate_line import Line, put
from hypothesis import given
from hypothesis import strategies as st

from fmrl_robot.errors import ErrorCode, apart
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.safety import checks, stop_words
from fmrl_robot.safety.gate import DEADLINE_S

JUST_BEYOND = 1.000_02
"""Times the slack of float arithmetic: as little as is ever refused."""


def test_a_value_that_hardly_breaks_its_limit_is_told_apart_from_it():
    assert apart(1.6, 1.0) == ("1.6", "1")
    assert apart(1.0002, 1.0) == ("1.0002", "1")
    assert apart(0.1 + 0.2, 0.3) == ("0.30000000000000004", "0.29999999999999999")
    assert apart(float("nan"), 1.0) == ("nan", "1")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_different_numbers_are_printed_differently(value, limit):
    told = apart(value, limit)
    assert (told[0] != told[1]) == (value != limit)


@pytest.mark.parametrize("spec", [GO2, PANDA], ids=lambda spec: spec.name)
@pytest.mark.parametrize("joint", range(3))
def test_a_refusal_never_expects_what_it_got(spec, joint):
    line = Line(spec)
    good = line.make()
    step = JUST_BEYOND * checks._SLACK
    too_far = good.position.copy()
    too_far[joint] += spec.step[joint] + step
    beyond = put(good.velocity, joint, spec.velocity[joint] + step)
    for refusal in (
        line.gate.submit(line.make(position=too_far), line.now + 0.02),
        line.gate.submit(line.make(velocity=beyond), line.now + 0.02),
        line.gate.submit(line.make(observation_stamp_s=line.now - DEADLINE_S - 1e-5), line.now),
    ):
        numbers = re.findall(r"[-+]?\d*\.?\d+(?:e-?\d+)?", refusal[1].partition("expected")[2])
        named = [n for n in numbers if n not in re.findall(r"\d+", spec.joint_names[joint])]
        limits, got = named[:-1], named[-1]
        assert got not in limits, refusal


def test_a_stop_is_told_with_who_why_and_what_helps():
    asked = stop_words(int(ErrorCode.STOP_REQUESTED), "asked to stop by the service", "/controller")
    assert asked.startswith("somebody stopped the robot (411: asked to stop by the service)")
    silent = stop_words(int(ErrorCode.COMMAND_SILENCE), "no command for 0.1 s", "/controller")
    assert silent.startswith("the gate stopped the robot, which /controller commanded (410: no")
    assert all("fmrl rearm" in words for words in (asked, silent, stop_words(410, "")))
    assert "no reason given" in stop_words(410, "")
