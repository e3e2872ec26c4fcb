"""Shares of what was tried, with how sure one may be.

A share without its sample size says little, so every share stands with n and its Wilson interval.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

Z95 = 1.959964


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson interval of a share; (0, 1) where nothing was counted.

    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def share(successes: int, n: int) -> dict[str, Any]:
    """A share as cards state it."""
    low, high = wilson(successes, n)
    return {
        "successes": int(successes),
        "n": int(n),
        "share": round(successes / n, 4) if n else None,
        "wilson95": [round(low, 4), round(high, 4)],
    }
