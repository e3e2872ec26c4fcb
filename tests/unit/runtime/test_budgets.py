"""Budgets of a task, from a line of text."""

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Terminal
from fmrl_robot.runtime.budgets import Budgets, Ledger


def test_what_is_not_named_stays_as_it_is():
    assert Budgets.parse("") == Budgets()
    assert Budgets.parse("steps=4, seconds=1.5") == Budgets(steps=4, seconds=1.5)
    assert Budgets.parse("questions=0,repairs=0").questions == 0


@pytest.mark.parametrize(
    "text",
    ["steps", "steps=0", "steps=x", "steps=1,steps=2", "seconds=-1", "seconds=nan", "cost=3"],
)
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(ConfigError, match="expected"):
        Budgets.parse(text)


def test_a_budget_is_used_up_to_its_last():
    ledger = Ledger(Budgets(steps=2), 10.0)
    for _ in range(2):
        ledger.spend("steps")
    with pytest.raises(Terminal, match="at most 2 steps in one task, got one more: grasp cube;"):
        ledger.spend("steps", "grasp cube")
    ledger.check_time(3610.0)
    with pytest.raises(Terminal) as caught:
        ledger.check_time(3610.1)
    assert caught.value.code == ErrorCode.TASK_TIMEOUT
