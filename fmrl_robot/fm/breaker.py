"""A circuit breaker: who failed three times in a row is left alone for a while.

Without it every task would wait for the full patience of a dead server before it may fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fmrl_robot.errors import ErrorCode, Terminal


class CircuitBreaker:
    """Closed while all is well, open after failures in a row, then half open: one may try.

    Thread-safe. Each ``enter`` is followed by ``succeeded``, ``failed`` or ``left``.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 3,
        pause_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Build a closed one.

        Args:
            name: of what is protected, for the message.
            failures: in a row, after which it opens.
            pause_s: how long it stays open, s.
            clock: a monotonic clock, s.
        """
        self._name = name
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until_s = 0.0
        self._trial = False
        self._reason = ""

    def enter(self) -> None:
        """Ask to be let through.

        Raises:
            Terminal: it is open, or half open with somebody's trial under way.
        """
        with self._lock:
            if self._failures < self._limit:
                return
            left_s = self._until_s - self._clock()
            if left_s <= 0 and not self._trial:
                self._trial = True
                return
            when = f"in {left_s:.0f} s" if left_s > 0 else "once the trial under way succeeds"
            raise Terminal(
                f"expected an answer from {self._name}, it failed {self._failures} times in a row "
                f"and is asked again {when}; the last failure: {self._reason}; wait, or mend it",
                ErrorCode.MODEL_UNAVAILABLE,
            )

    def succeeded(self) -> None:
        """Hear that it lives."""
        with self._lock:
            self._failures, self._trial = 0, False

    def failed(self, reason: str) -> None:
        """Hear that it failed."""
        with self._lock:
            self._failures, self._trial, self._reason = self._failures + 1, False, reason
            if self._failures >= self._limit:
                self._until_s = self._clock() + self._pause_s

    def left(self) -> None:
        """Hear that nobody will ever know: the question was given up from this side."""
        with self._lock:
            self._trial = False
