import pytest

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.planners.gait_language import GRAMMAR, parse
from fmrl_robot.types import SubGoalKind

ROWS = ",".join(f"{leg}={'1' * 26}" for leg in ("FL", "FR", "RL", "RR"))


@pytest.mark.parametrize(
    "text",
    ["trot(0.5)", "stand(0,up=FL)", "trot(0,fast=FR,t=7);pace(-1,air)", "refuse(unsafe)",
     f"rows(0.5,{ROWS})"],
)  # fmt: skip
def test_sentences_of_the_language_fit_the_grammar(text):
    assert accepts(GRAMMAR, text)


@pytest.mark.parametrize("text", ["trot(0.7)", "gallop(1)", "trot(0.5);", "trot 0.5", ""])
def test_other_strings_do_not(text):
    assert not accepts(GRAMMAR, text)


def test_velocity_duration_and_default_durations():
    first, second, third = parse("trot(-0.5,t=3);stand(0);pace(1)")
    assert first.velocity.vx == -0.5 and first.duration_s == 3.0
    assert second.duration_s == 2.0 and third.duration_s == 5.0
    assert {s.kind for s in (first, second, third)} == {SubGoalKind.CONTACT_PATTERN}


def test_raw_rows_of_a_large_model_are_taken_as_they_are():
    (subgoal,) = parse(f"rows(0,{ROWS.replace('RR=' + '1' * 26, 'RR=' + '0' * 26)})")
    assert subgoal.pattern.contacts.sum() == 78 and subgoal.duration_s == 2.0


@pytest.mark.parametrize(
    "text, code",
    [
        ("trot", ErrorCode.MODEL_OUTPUT_MALFORMED),
        ("trot(3)", ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ("trot(0.5,t=99)", ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ("stand(0.5)", ErrorCode.MODEL_OUTPUT_MALFORMED),
        ("trot(0,up=FL,up=FR,up=RL)", ErrorCode.PATTERN_INVALID),
        ("trot(0,up=FX)", ErrorCode.MODEL_OUTPUT_MALFORMED),
        (";".join(["stand(0)"] * 13), ErrorCode.PLAN_SCHEMA),
    ],
)
def test_malformed_output_is_retryable(text, code):
    with pytest.raises(Retryable) as caught:
        parse(text)
    assert caught.value.code == code and "expected" in str(caught.value)


def test_a_refusal_is_terminal():
    with pytest.raises(Terminal) as caught:
        parse("refuse(impossible)")
    assert caught.value.code == ErrorCode.INSTRUCTION_REFUSED
