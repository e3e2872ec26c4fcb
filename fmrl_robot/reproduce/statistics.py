"""Interquartile means over runs, with stratified bootstrap intervals.

Reference: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
NeurIPS 2021. A score is one seed's figure at one task. The interquartile mean leaves out the lowest
and the highest quarter of all scores; the bootstrap draws seeds anew within each task, so that a
resample has as many scores of every task as there were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap, trim_mean

from fmrl_robot.types import FloatArray

CUT = 0.25
"""Share of the scores left out at each end."""
RESAMPLES, LEVEL, SEED = 5000, 0.95, 0
GRID = 60
"""Points of a curve that stands for several."""

Scores = Mapping[str, Sequence[float]]
"""By task, one score a seed; a measure without tasks has one of any name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A figure over seeds; without an interval where there was one seed only."""

    value: float
    low: float | None = None
    high: float | None = None


def iqm(scores: Sequence[float]) -> float:
    """Interquartile mean.

    >>> iqm([0.0, 1.0, 2.0, 9.0])
    1.5
    """
    return float(trim_mean(np.asarray(scores, dtype=np.float64), CUT))


def estimate(scores: Scores) -> Estimate:
    """Interquartile mean of all scores with its interval."""
    return _bootstrapped(list(scores.values()), [])


def difference(scores: Scores, against: Scores) -> Estimate:
    """By how much one interquartile mean exceeds another; their seeds are drawn independently."""
    return _bootstrapped(list(scores.values()), list(against.values()))


def _bootstrapped(plus: list[Sequence[float]], minus: list[Sequence[float]]) -> Estimate:
    strata = [np.asarray(s, dtype=np.float64) for s in (*plus, *minus)]
    if not plus or any(s.size == 0 for s in strata):
        raise ValueError(f"expected a score of every task, got {plus!r} and {minus!r}; run them")

    def statistic(*samples: FloatArray, axis: int = -1) -> FloatArray:
        lead = _trimmed(samples[: len(plus)], axis)
        return lead - _trimmed(samples[len(plus) :], axis) if minus else lead

    value = float(statistic(*strata))
    if min(s.size for s in strata) < 2:
        return Estimate(value=value)
    told = bootstrap(
        strata,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Estimate(value=value, low=float(told.low), high=float(told.high))


def _trimmed(samples: Sequence[FloatArray], axis: int) -> FloatArray:
    together = np.concatenate(samples, axis=axis)
    return np.asarray(trim_mean(together, CUT, axis=axis), dtype=np.float64)


def together(curves: Sequence[tuple[Sequence[float], Sequence[float]]]) -> dict[str, list[float]]:
    """One curve for several: interquartile mean and interval at points that all of them reach.

    Args:
        curves: x and y of each seed.

    Returns:
        ``x``, ``value``, ``low`` and ``high``, each of GRID numbers; the last two are those of
        ``value`` where there is one seed.
    """
    first = max(x[0] for x, _ in curves)
    last = min(x[-1] for x, _ in curves)
    grid = np.linspace(first, last, GRID)
    rows = np.array([np.interp(grid, x, y) for x, y in curves])
    told = [estimate({"": [float(v) for v in column]}) for column in rows.T]
    return {
        "x": grid.tolist(),
        "value": [t.value for t in told],
        "low": [t.value if t.low is None else t.low for t in told],
        "high": [t.value if t.high is None else t.high for t in told],
    }
