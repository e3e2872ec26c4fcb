"""Keeps physics in step with the wall clock, commands and pictures, and measures their delay."""

from __future__ import annotations

from array import array
from collections import deque
from pathlib import Path

import numpy as np

from fmrl_robot.files import replacing

MAX_LAG_S = 0.03
"""Behind by more than this, the simulation lets the lost time go instead of racing after it.

Racing would be worse than slow: physics time passes in which no command can be heard, and the gate
would take a busy simulator for a silent controller.
"""
COMMAND_AHEAD_S = 0.036
"""Lockstep lets physics be this far ahead of the newest observation that a command answers: under
two periods of a command at 50 Hz, and so under every limit that the gate sets on delay."""
PICTURE_AHEAD_S = 0.4
"""As far beyond the moment when the next picture is due: a picture takes 0.05 to 0.15 s to draw."""
GLANCE_S = 0.02
"""Between two looks whether the answer has come, lockstep counts no more wall time than this."""
WINDOW = 3000
"""Commands over which the running summary looks back: a minute."""
FILE_NAME = "timing.npz"


class Pacer:
    """Says how far physics should have come; ``factor`` simulated seconds a second."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self._wall = self._physics = 0.0
        self.lost_s = 0.0
        """Wall time given up because the machine was too slow."""

    def restart(self, wall_s: float, physics_s: float) -> None:
        """Begin to count here."""
        self._wall, self._physics = wall_s, physics_s

    def target(self, wall_s: float, physics_s: float) -> float:
        """Physics time that should be reached at ``wall_s``."""
        target = self._physics + (wall_s - self._wall) * self.factor
        lag = (target - physics_s) / self.factor
        if lag > MAX_LAG_S:
            self.lost_s += lag - MAX_LAG_S
            self._wall += lag - MAX_LAG_S
            target = physics_s + MAX_LAG_S * self.factor
        return target


class Lockstep:
    """Lets physics time wait for an answer that is due, for ``patience_s`` of wall time at most.

    An answer is a command to an observation, or the picture of a moment; physics may be ``ahead_s``
    beyond the moment of the newest.

    A machine that is too slow then makes a slow simulation instead of a stopped robot. Patience is
    spent at the simulator's own pace: of a time in which the machine did not run it either, only
    ``GLANCE_S`` count. Who has ended, or answers the same observation for ever, is waited for once:
    after that time goes on and the gate finds out, until newer observations are answered again.
    """

    def __init__(self, patience_s: float, ahead_s: float) -> None:
        self._patience, self._ahead = patience_s, ahead_s
        self._answered, self._looked, self._waited = np.inf, 0.0, 0.0

    def restart(self) -> None:
        """Wait for nobody until the next answer."""
        self._answered = np.inf

    def heard(self, moment_s: float, wall_s: float) -> None:
        """Note an answer at ``wall_s`` to the physics time ``moment_s``."""
        if moment_s > self._answered or not np.isfinite(self._answered):
            self._answered, self._looked, self._waited = moment_s, wall_s, 0.0

    def waits(self, physics_s: float, wall_s: float) -> bool:
        """Whether physics time has to stand still."""
        self._waited += min(wall_s - self._looked, GLANCE_S)
        self._looked = wall_s
        ahead = physics_s - self._answered
        return ahead > self._ahead - 1e-9 and self._waited < self._patience


class Latencies:
    """From a published observation to the command that answers it, on the wall clock."""

    def __init__(self) -> None:
        self._sent: dict[int, float] = {}
        self._answers: deque[float] = deque(maxlen=WINDOW)
        self._periods: deque[float] = deque(maxlen=WINDOW)
        self._last: float | None = None
        self._all = array("d")

    def sent(self, stamp_s: float, wall_s: float) -> None:
        """Note that the observation of ``stamp_s`` went out."""
        self._sent[round(stamp_s * 1e6)] = wall_s
        if len(self._sent) > 50:
            del self._sent[next(iter(self._sent))]

    def answered(self, stamp_s: float, wall_s: float) -> None:
        """Note that a command answering the observation of ``stamp_s`` came in."""
        period = wall_s - self._last if self._last is not None else float("nan")
        if self._last is not None:
            self._periods.append(period)
        self._last = wall_s
        sent = self._sent.pop(round(stamp_s * 1e6), None)
        answer = wall_s - sent if sent is not None else float("nan")
        if sent is not None:
            self._answers.append(answer)
        self._all.extend((wall_s, period, answer))

    def summary(self) -> dict[str, float]:
        """Percentiles in ms over the last ``WINDOW`` commands; empty without any."""
        if not self._answers or not self._periods:
            return {}
        answers, periods = np.array(self._answers) * 1e3, np.array(self._periods) * 1e3
        return {
            "answer_p50_ms": float(np.percentile(answers, 50)),
            "answer_p99_ms": float(np.percentile(answers, 99)),
            "period_p50_ms": float(np.percentile(periods, 50)),
            "period_p999_ms": float(np.percentile(periods, 99.9)),
        }

    def save(self, folder: Path) -> None:
        """Write every command of the run: monotonic clock, period and answer in s, shape (n,)."""
        wall, period, answer = np.array(self._all).reshape(-1, 3).T
        with replacing(folder / FILE_NAME) as part, part.open("wb") as file:
            np.savez(file, wall_s=wall, period_s=period, answer_s=answer)
