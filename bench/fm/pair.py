"""Two calls measured turn about, so that whatever else the machine does falls on both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch

Call = Callable[[], Any]


class Pair:
    """Seconds of our call and of the raw one, after warming both up."""

    def __init__(self, ours: Call, raw: Call, repeats: int) -> None:
        for warm_up in (ours, raw) * 2:
            warm_up()
        self.ours, self.raw = [], []
        for i in range(repeats):
            order = [(ours, self.ours), (raw, self.raw)]
            for call, times in order if i % 2 else reversed(order):
                times.append(seconds(call))

    @property
    def ratios(self) -> list[float]:
        """Our seconds over those of the raw call beside it."""
        return [a / b for a, b in zip(self.ours, self.raw, strict=True)]


def seconds(call: Call) -> float:
    """How long a call takes, the GPU's share included."""
    begin = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def in_ms(times_s: Sequence[float]) -> str:
    """The median in milliseconds."""
    return f"{1e3 * median(times_s):.1f}"


def per_second(count: int, times_s: Sequence[float]) -> str:
    """How many things a second, at the median."""
    return f"{count / median(times_s):.0f}"


def spread(ratios: Sequence[float]) -> str:
    """The median beside the least and the greatest."""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
