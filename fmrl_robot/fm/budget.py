"""What models may cost, refused before the question that could cost more.

A question reserves the most that it may cost, and settles what it did cost; so several threads
cannot spend the same remainder, and a limit is never passed in order to find out that it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import Any

from fmrl_robot.errors import ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.settings import Amount, Whole, assignments, build
from fmrl_robot.types import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Of a model's tokens, US dollars a million."""

    input_usd: float = 0.0
    output_usd: float = 0.0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars."""
        return (prompt_tokens * self.input_usd + completion_tokens * self.output_usd) / 1e6


FREE = Prices()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What questions cost, or may cost."""

    calls: int = 0
    tokens: int = 0
    """Of prompts and answers together."""
    seconds: float = 0.0
    """Of waiting for answers."""
    usd: float = 0.0

    @classmethod
    def of(cls, usage: Usage) -> Cost:
        """What a usage says; a cached answer cost nothing."""
        if usage.cached:
            return cls()
        return cls(
            calls=usage.calls,
            tokens=usage.prompt_tokens + usage.completion_tokens,
            seconds=usage.latency_s,
            usd=usage.cost,
        )

    def __add__(self, other: Cost) -> Cost:
        return Cost(**{n: getattr(self, n) + getattr(other, n) for n in _KINDS})

    def __sub__(self, other: Cost) -> Cost:
        return Cost(**{n: getattr(self, n) - getattr(other, n) for n in _KINDS})


_KINDS = tuple(f.name for f in fields(Cost))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Limits:
    calls: Whole | None = None
    tokens: Whole | None = None
    seconds: Amount | None = None
    usd: Amount | None = None


class Budget:
    """Limits, and what was spent of them; without limits a meter. Thread-safe.

    ``seconds`` cannot be reserved: a question that begins with time left may overdraw it by its
    own length.
    """

    def __init__(
        self,
        *,
        calls: int | None = None,
        tokens: int | None = None,
        seconds: float | None = None,
        usd: float | None = None,
    ) -> None:
        """Build it; None limits nothing.

        Raises:
            ConfigError: a limit is negative or no number.
        """
        given = {"calls": calls, "tokens": tokens, "seconds": seconds, "usd": usd}
        self._limits = build(_Limits, given, "the budget")
        self._lock = threading.Lock()
        self._spent = Cost()
        self._reserved = Cost()

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``calls=200,tokens=100000,seconds=600,usd=1``, any of them.

        Raises:
            ConfigError: a part is no ``name=number``, or no such limit is known.
        """
        values = assignments(text, "calls=200,tokens=100000,seconds=600,usd=1")
        limits = build(_Limits, values, f"the budget {text!r}")
        return cls(**{n: getattr(limits, n) for n in _KINDS})

    @property
    def limits(self) -> Mapping[str, float | None]:
        """The limits by name; None where there is none."""
        return {n: getattr(self._limits, n) for n in _KINDS}

    @property
    def spent(self) -> Cost:
        """What was spent so far."""
        with self._lock:
            return self._spent

    @contextmanager
    def question(self, worst: Cost) -> Generator[Charge]:
        """Reserve what a question may cost while it is asked; it settles what it did cost.

        A question that fails is charged what its error says was spent. An answer that was thrown
        away without saying what it cost is charged at its worst.

        Raises:
            Terminal: BUDGET_SPENT, before anything is asked.
        """
        charge = Charge(self)
        charge.reserve(worst)
        token = _paying.set(charge)
        began = time.monotonic()
        try:
            yield charge
        except FmrlError as error:
            waited = Cost(calls=1, seconds=time.monotonic() - began)
            if error.usage is not None:
                charge.settle(Cost.of(error.usage))
            elif not isinstance(error, Retryable):
                charge.settle(waited)
            raise
        finally:
            _paying.reset(token)
            charge.close()

    def reserve(self, worst: Cost) -> None:
        """Take out what may be spent.

        Raises:
            Terminal: BUDGET_SPENT.
        """
        with self._lock:
            taken = self._spent + self._reserved
            for name in _KINDS:
                limit, want = getattr(self._limits, name), getattr(worst, name)
                left = None if limit is None else limit - getattr(taken, name)
                over = left is not None and left <= 0 and name == "seconds"
                if left is not None and (left < want or over):
                    raise Terminal(
                        f"expected at most {limit:g} {name} for models, {getattr(taken, name):.6g} "
                        f"are taken and the next question may take {want:.6g}; raise the budget or "
                        "begin anew",
                        ErrorCode.BUDGET_SPENT,
                    )
            self._reserved += worst

    def book(self, reserved: Cost, spent: Cost) -> None:
        """Give a reservation back and write down what was spent."""
        with self._lock:
            self._reserved -= reserved
            self._spent += spent


class Charge:
    """One question's account."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._reserved = Cost()
        self._actual: Cost | None = None

    def reserve(self, worst: Cost) -> None:
        """Reserve more.

        Raises:
            Terminal: BUDGET_SPENT.
        """
        self._budget.reserve(worst)
        self._reserved += worst

    def settle(self, actual: Cost) -> None:
        """Say what it did cost, all calls together."""
        self._actual = actual

    def close(self) -> None:
        """Give the reservation back and book the cost; the worst where nobody settled."""
        booked = self._reserved if self._actual is None else self._actual
        self._budget.book(self._reserved, booked)
        self._reserved = Cost()


_paying: ContextVar[Charge | None] = ContextVar("fmrl_paying", default=None)
"""Who pays for the question under way. A context variable, because the model that wants to ask a
second time for one answer stands any number of wrappers away from whoever holds the budget."""


def another_call(worst: Cost) -> None:
    """Ask whoever pays for the question under way for one more call; nobody: go on.

    Raises:
        Terminal: BUDGET_SPENT.
    """
    charge = _paying.get()
    if charge is not None:
        charge.reserve(worst)


IMAGE_TOKENS = 4096
"""Reserved for each picture; what models make of one lies between 64 and some 3,000."""
TEMPLATE_TOKENS = 128
"""Reserved for what a chat template adds."""


def worst_case(prompt: str, answers: int, max_tokens: int, images: int, prices: Any) -> Cost:
    """The most that one call may cost: a token stands for at least one byte of text.

    Args:
        prompt: of the question.
        answers: how many are wanted.
        max_tokens: of each.
        images: how many pictures.
        prices: Prices, or None where nothing is known.
    """
    asked = len(prompt.encode(errors="replace")) + TEMPLATE_TOKENS + images * IMAGE_TOKENS
    answered = answers * max_tokens
    usd = (prices or FREE).cost(asked, answered)
    return Cost(calls=1, tokens=asked + answered, usd=usd)
