"""Bookkeeping of the evaluation of exit codes; the graphs are run by ``fmrl eval exit-codes``."""

from fmrl_robot.evaluations.exit_codes import CASES, Answer, summary
from fmrl_robot.types import Predicate


def answer(possible, code, verdict):
    return Answer(
        says="open the drawer", robot="panda", seed=0, possible=possible, code=code, verdict=verdict
    )


def test_ten_tasks_can_be_done_and_ten_cannot():
    assert [case.possible for case in CASES].count(True) == 10
    assert [case.possible for case in CASES].count(False) == 10
    for case in CASES:
        assert all(Predicate.parse(text) for text in case.goal)


def test_one_false_code_is_enough_to_fail():
    good = [answer(True, 0, 0)] * 9 + [answer(True, 1, 1)] + [answer(False, 2, 2)] * 10
    assert summary(good)["holds"]
    assert not summary([*good[:-1], answer(False, 0, 1)])["holds"]
    assert not summary([*good[1:], answer(True, 1, 0)])["holds"]


def test_two_failures_of_ten_are_too_many():
    runs = [answer(True, 0, 0)] * 8 + [answer(True, 1, 1)] * 2 + [answer(False, 1, 1)] * 10
    counts = summary(runs)
    assert counts["code_equals_verdict"] == 20
    assert not counts["holds"]
