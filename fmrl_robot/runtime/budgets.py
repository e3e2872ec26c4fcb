"""What one task may use up: every loop of the executive ends at one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fmrl_robot.errors import ErrorCode, Terminal
from fmrl_robot.settings import Amount, Count, Whole, assignments, build

Counted = Literal["proposals", "steps", "questions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budgets:
    """Limits of one task; what goes beyond one ends the task with an error of its own."""

    proposals: Count = 100
    """Times that the planner is asked, repairs included."""
    repairs: Whole = 2
    """Times that a refused proposal may be mended before the next good one."""
    steps: Count = 100
    """Sub-goals that are carried out."""
    questions: Whole = 5
    """Times that a person is asked."""
    seconds: Amount = 3600.0
    """By the clock of whatever carries out; a sub-goal under way is not cut off by it."""

    @classmethod
    def parse(cls, text: str) -> Budgets:
        """Read ``steps=20,questions=1``, any of the fields; the others keep their defaults.

        Raises:
            ConfigError: a part is no ``name=number``, or no such limit is known.
        """
        values = assignments(text, "steps=20,questions=1")
        return build(cls, values, f"the budget {text!r}")


_SPENT: dict[Counted, tuple[ErrorCode, str]] = {
    "proposals": (ErrorCode.PROPOSALS_SPENT, "proposals of the planner"),
    "steps": (ErrorCode.STEPS_SPENT, "steps"),
    "questions": (ErrorCode.QUESTIONS_SPENT, "questions to people"),
}


class Ledger:
    """What a task has used up of its budgets so far."""

    def __init__(self, budgets: Budgets, now_s: float) -> None:
        self._budgets, self._began_s = budgets, now_s
        self._spent: dict[Counted, int] = {"proposals": 0, "steps": 0, "questions": 0}

    def spend(self, what: Counted, why: str = "") -> None:
        """Use up one, before it is used.

        Args:
            what: of the counted budgets.
            why: it is wanted; appended to the error.

        Raises:
            Terminal: there is none left.
        """
        limit: int = getattr(self._budgets, what)
        if self._spent[what] >= limit:
            code, words = _SPENT[what]
            raise Terminal(
                f"expected at most {limit} {words} in one task, got one more{why and f': {why}'}; "
                f"raise {what} in the budget, or ask for less at once",
                code,
            )
        self._spent[what] += 1

    def check_time(self, now_s: float) -> None:
        """Refuse to go on after too long.

        Raises:
            Terminal: TASK_TIMEOUT.
        """
        took_s = now_s - self._began_s
        if took_s > self._budgets.seconds:
            raise Terminal(
                f"expected the task to end within {self._budgets.seconds:g} s, got {took_s:.0f} s; "
                "raise seconds in the budget, or ask for less at once",
                ErrorCode.TASK_TIMEOUT,
            )
