"""What one run found: figures by name, and the worst of those that have a bar to hold."""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

from bench.common import Table
from bench.fm.pair import Call, Pair

BARS = {
    "grammar": ("generation with grammar, of raw at equal tokens, at most", 1.10, max),
    "images": ("images/s of raw at the tower's own size, at least", 0.95, min),
    "online_hz": ("images/s one at a time, at least", 30.0, min),
    "plan_p50_ms": ("median latency of a PSL plan in ms, at most", 300.0, max),
}


class Record:
    """Figures of one run."""

    def __init__(self, repeats: int) -> None:
        self.repeats = repeats
        """How often a pair is measured."""
        self.figures: dict[str, Any] = {}
        self._measured: dict[str, list[float]] = {name: [] for name in BARS}

    def pair(self, name: str, ours: Call, raw: Call, repeats: int = 0) -> Pair:
        """Measure and keep."""
        pair = Pair(ours, raw, repeats or self.repeats)
        self.figures[name] = {
            "ours_s": median(pair.ours), "raw_s": median(pair.raw), "ratio": median(pair.ratios),
            "least": min(pair.ratios), "greatest": max(pair.ratios),
        }  # fmt: skip
        print(f"{name}: {median(pair.ratios):.3f}", file=sys.stderr, flush=True)
        return pair

    def under_bar(self, name: str, figure: float) -> None:
        """Note a figure that has a bar to hold."""
        self._measured[name].append(figure)

    def bars(self) -> Table:
        """Each bar with the worst figure that was measured for it."""
        table = Table("Bars", ("", "bar", "worst measured", ""))
        for name, (what, bar, worse) in BARS.items():
            if not self._measured[name]:
                continue
            worst = worse(self._measured[name])
            fine = worst <= bar if worse is max else worst >= bar
            table.add(what, f"{bar:g}", f"{worst:.3g}", "holds" if fine else "missed")
        return table
