"""Tells one stamp that is far off from a clock that was set.

A controller takes time that goes backwards for a world that was reset and gives up what it does;
one message that bears a wrong stamp, or comes out of turn, must not have that effect. So a leap
counts only once the next message confirms it.
"""

from __future__ import annotations

from fmrl_nodes.errors import BadMessage

FAR_S = 2.0
"""From one message to the next, the most that is no leap."""


class Stamps:
    """The stamps of one topic."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._doubted: float | None = None

    def check(self, stamp_s: float) -> None:
        """Take the stamp of the next message.

        Raises:
            BadMessage: it leaps, and the message before did not leap to there too.
        """
        before = (self._last, self._doubted)
        if self._last is not None and not any(_follows(stamp_s, b) for b in before):
            self._doubted = stamp_s
            raise BadMessage(
                f"expected a stamp within {FAR_S} s after {self._last}, got {stamp_s}; "
                "it is believed once the next message agrees"
            )
        self._last, self._doubted = stamp_s, None


def _follows(stamp_s: float, before_s: float | None) -> bool:
    return before_s is not None and 0.0 <= stamp_s - before_s <= FAR_S
