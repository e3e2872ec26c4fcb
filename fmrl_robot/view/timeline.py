"""A run's time on paper: what happened gets the room, idle stretches are cut short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, LEFT, RIGHT = 1080.0, 150.0, 20.0
"""Of the drawing, and its margins, px."""
IDLE_S, MARGIN_S = 6.0, 1.0
"""A longer pause between tasks is cut, but for a margin on either side."""
_CUT, _CUTS_SHARE = 26.0, 0.3
"""Width of a cut in px, and the share of the drawing that all of them may take."""
_TICK = 84.0
"""Least distance of two labels, px."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps the run's seconds to the drawing's pixels."""

    start_s: float
    end_s: float
    cuts: tuple[Span, ...] = ()
    """Stretches drawn short, in their order, none touching another."""

    @property
    def cut_width(self) -> float:
        """Of one cut, px."""
        return min(_CUT, _CUTS_SHARE * (WIDTH - LEFT - RIGHT) / max(len(self.cuts), 1))

    @property
    def shown_s(self) -> float:
        """Seconds drawn to scale."""
        return self.end_s - self.start_s - sum(b - a for a, b in self.cuts)

    def x(self, time_s: float) -> float:
        """Pixels from the left of the drawing."""
        time_s = min(max(time_s, self.start_s), self.end_s)
        before = time_s - self.start_s
        cuts = 0.0
        for a, b in self.cuts:
            passed = min(max(time_s - a, 0.0), b - a)
            before -= passed
            cuts += self.cut_width * passed / (b - a)
        room = WIDTH - LEFT - RIGHT - len(self.cuts) * self.cut_width
        return round(LEFT + cuts + before / max(self.shown_s, 1e-6) * room, 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Round times with their labels, a dozen at most however long the run."""
        steps = (1, 2, 5, 10, 20, 30, 60, 120, 300)
        shown = self.shown_s
        step = next((s for s in steps if shown / s <= 10), 600 * math.ceil(shown / 6000))
        ticks: list[tuple[float, str]] = []
        cuts = self.marks()
        for begin, over in self._stretches():
            first = math.ceil((begin - self.start_s) / step - 1e-9)
            last = math.floor((over - self.start_s) / step + 1e-9)
            for n in range(first, last + 1):
                x = self.x(self.start_s + n * step)
                if any(abs(x - mark) < _CUT for mark, _ in cuts):
                    continue
                if not ticks or x - ticks[-1][0] >= _TICK:
                    ticks.append((x, clock_of(n * step)))
        return ticks

    def _stretches(self) -> list[Span]:
        edges = [self.start_s, *(t for cut in self.cuts for t in cut), self.end_s]
        return list(zip(edges[::2], edges[1::2], strict=True))

    def marks(self) -> list[tuple[float, str]]:
        """The middle of each cut, and how long it is in words."""
        return [
            (round((self.x(a) + self.x(b)) / 2, 1), f"{lasting(b - a)} idle") for a, b in self.cuts
        ]


def axis_of(times: Sequence[float], busy: Sequence[Span]) -> Axis:
    """An axis over all times, cut where between two busy spans nothing was asked for."""
    start, end = min(times, default=0.0), max(times, default=1.0)
    cuts: list[Span] = []
    idle_from = start
    for begin, over in [*sorted(busy), (end + MARGIN_S, end)] if busy else ():
        if begin - idle_from > IDLE_S:
            margin = MARGIN_S if idle_from > start else 0.0
            cuts.append((idle_from + margin, min(begin - MARGIN_S, end)))
        idle_from = max(idle_from, over)
    return Axis(start, end, tuple(cuts))


def clock_of(seconds: float) -> str:
    """A time since the start: 45 s, or 12:05."""
    return f"{seconds:g} s" if seconds < 120 else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def lasting(seconds: float) -> str:
    """A duration in words."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
