"""What models may cost: refused before it is spent, by any number of threads."""

import threading

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm.budget import Budget, Cost, Prices, another_call, worst_case
from fmrl_robot.types import Usage


def spend(budget, worst, actual=None):
    with budget.question(worst) as charge:
        charge.settle(actual or worst)


@pytest.mark.parametrize(
    ("limits", "worst"),
    [
        ({"calls": 3}, Cost(calls=1)),
        ({"tokens": 30}, Cost(calls=1, tokens=10)),
        ({"usd": 0.75}, Cost(calls=1, usd=0.25)),
        ({"seconds": 3.0}, Cost(calls=1, seconds=1.0)),
    ],
)
def test_the_question_that_could_pass_a_limit_is_not_begun(limits, worst):
    budget, begun = Budget(**limits), 0
    with pytest.raises(Terminal, match=next(iter(limits))) as caught:
        for _ in range(10):
            with budget.question(worst) as charge:
                begun += 1
                charge.settle(worst)
    assert caught.value.code == ErrorCode.BUDGET_SPENT and begun == 3
    assert budget.spent.calls == 3


def test_what_was_reserved_and_not_used_is_given_back():
    budget = Budget(tokens=100)
    for _ in range(9):
        spend(budget, Cost(calls=1, tokens=20), Cost(calls=1, tokens=10))
    with pytest.raises(Terminal, match=r"90 are taken.*may take 20"):
        spend(budget, Cost(calls=1, tokens=20))
    spend(budget, Cost(calls=1, tokens=10))


def test_without_limits_it_is_a_meter():
    budget = Budget()
    spend(budget, Cost(calls=1), Cost(calls=2, tokens=5, seconds=0.5, usd=0.1))
    spend(budget, Cost(calls=1), Cost(calls=1, tokens=7, seconds=0.25, usd=0.2))
    assert budget.spent == Cost(calls=3, tokens=12, seconds=0.75, usd=pytest.approx(0.3))
    assert set(budget.limits.values()) == {None}


def test_no_dollars_still_buy_what_is_free():
    budget = Budget(usd=0)
    spend(budget, Cost(calls=1))
    with pytest.raises(Terminal):
        spend(budget, Cost(calls=1, usd=1e-6))


def test_threads_together_never_pass_a_limit():
    budget, through = Budget(calls=50), []

    def ask():
        for _ in range(20):
            try:
                with budget.question(Cost(calls=1)) as charge:
                    through.append(1)
                    charge.settle(Cost(calls=1))
            except Terminal:
                return

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(through) == 50 == budget.spent.calls


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (Retryable("thrown away, no bill"), Cost(calls=1, tokens=20)),
        (Terminal("not reached", ErrorCode.MODEL_UNAVAILABLE), Cost(calls=1)),
        (KeyError("a bug"), Cost(calls=1, tokens=20)),
    ],
)
def test_a_question_that_failed_is_charged_for_what_it_may_have_cost(error, spent):
    budget = Budget()
    with pytest.raises(type(error)), budget.question(Cost(calls=1, tokens=20)):
        raise error
    assert (budget.spent.calls, budget.spent.tokens) == (spent.calls, spent.tokens)


def test_a_failure_with_a_bill_is_charged_by_it():
    budget, error = Budget(), Retryable("off the grammar")
    error.usage = Usage(role="", model="", prompt_sha256="", calls=3, prompt_tokens=4)
    with pytest.raises(Retryable), budget.question(Cost(calls=1, tokens=20)):
        raise error
    assert budget.spent == Cost(calls=3, tokens=4)


def test_a_second_call_for_one_answer_is_asked_for_wherever_it_happens():
    budget = Budget(calls=2)
    with budget.question(Cost(calls=1)) as charge:
        another_call(Cost(calls=1))
        with pytest.raises(Terminal):
            another_call(Cost(calls=1))
        charge.settle(Cost(calls=2))
    assert budget.spent.calls == 2
    another_call(Cost(calls=1000))  # nobody pays, nobody minds


def test_the_worst_case_is_a_token_a_byte():
    worst = worst_case("äb", 2, 100, 1, Prices(input_usd=1.0, output_usd=10.0))
    assert worst.tokens == 3 + 128 + 4096 + 200
    assert worst.usd == pytest.approx((3 + 128 + 4096 + 2000) / 1e6)


def test_a_budget_is_read_from_text():
    budget = Budget.parse("calls=200, tokens=100000,seconds=600,usd=1")
    assert dict(budget.limits) == {"calls": 200, "tokens": 100_000, "seconds": 600.0, "usd": 1.0}
    assert set(Budget.parse("").limits.values()) == {None}


@pytest.mark.parametrize(
    "text", ["calls", "calls=", "calls=many", "calls=-1", "call=3", "calls=1,calls=2", "usd=1e"]
)
def test_a_budget_that_cannot_be_read_is_refused_with_the_text(text):
    with pytest.raises(ConfigError, match=r"call|usd") as caught:
        Budget.parse(text)
    assert text.split(",")[0].partition("=")[0] in str(caught.value)
