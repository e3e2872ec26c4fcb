"""Judges realised locomotion: which gait, how fast, and did it fall.

A gait is told by which feet agree: trot pairs diagonals, pace sides, bound front and rear. The
measure is the share of moments at which a pair agrees, or at which pairs differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import SAYTAP_LEGS, BoolArray, FloatArray, Leg
from fmrl_sim.goals import Segment

AGREE, DIFFER = 0.70, 0.45
"""Least share of time: within a pair the same, between the pairs opposed."""
STEPPING = (0.15, 0.92)
"""Share of time on the ground of a foot that steps."""
AIRBORNE, FASTER = 0.08, 1.4
"""Share of time with no foot on the ground; how much more often the faster leg steps."""
SPEED_M_S, STILL_M_S = 0.20, 0.10
"""Tolerance on the mean speed of a moving, and of a standing, segment."""
FALLEN_UP, FALLEN_M = 0.5, 0.12
"""Cosine of the base's tilt and height below which it has fallen."""
SCAN_S = 0.1
SETTLE_S = 3.0
"""Greatest gap between one segment's end and the next one's begin."""

_PAIRS = {
    "trot": ((Leg.FL, Leg.RR), (Leg.FR, Leg.RL)),
    "pace": ((Leg.FL, Leg.RL), (Leg.FR, Leg.RR)),
    "bound": ((Leg.FL, Leg.FR), (Leg.RL, Leg.RR)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """What a quadruped did, sampled evenly."""

    dt_s: float
    contacts: BoolArray
    """Feet on the ground, SAYTAP_LEGS order, shape (rows, 4)."""
    velocity: FloatArray
    """Forward and sideways speed in the base's heading frame, m/s, shape (rows, 2)."""
    height: FloatArray
    """Of the base above the floor in m, shape (rows,)."""
    upright: FloatArray
    """Cosine of the base's tilt, shape (rows,)."""

    @property
    def fallen(self) -> bool:
        """Whether it fell at any moment."""
        return bool(np.any(self.upright < FALLEN_UP) or np.any(self.height < FALLEN_M))


def is_gait(contacts: BoolArray, segment: Segment) -> bool:
    """Whether the contacts of a stretch, shape (rows, 4), are the segment's gait."""
    foot = {leg: contacts[:, i] for i, leg in enumerate(SAYTAP_LEGS)}
    down = {leg: float(np.mean(c)) for leg, c in foot.items()}
    if any(down[leg] > 1 - STEPPING[1] for leg in segment.up):
        return False
    if segment.airborne and np.mean(~contacts.any(axis=1)) < AIRBORNE:
        return False
    if segment.faster is not None and not _steps_faster(contacts, segment.faster):
        return False
    others = [leg for leg in SAYTAP_LEGS if leg not in (*segment.up, segment.faster)]
    if segment.gait == "stand":
        return all(down[leg] > STEPPING[1] for leg in others)
    if any(not STEPPING[0] < down[leg] < STEPPING[1] for leg in others):
        return False
    (a, b), (c, d) = _PAIRS[segment.gait]

    def agree(one: Leg, two: Leg) -> float:
        return float(np.mean(foot[one] == foot[two]))

    together = [agree(*pair) for pair in ((a, b), (c, d)) if set(pair) <= set(others)]
    apart = [1 - agree(x, y) for x in (a, b) for y in (c, d) if {x, y} <= set(others)]
    return min(together, default=1.0) >= AGREE and float(np.mean(apart)) >= DIFFER


def _steps_faster(contacts: BoolArray, leg: Leg) -> bool:
    touchdowns = np.sum(~contacts[:-1] & contacts[1:], axis=0)
    index = SAYTAP_LEGS.index(leg)
    return bool(touchdowns[index] >= FASTER * max(np.delete(touchdowns, index)))


def fits(motion: Motion, first: int, rows: int, segment: Segment) -> bool:
    """Whether ``rows`` rows from ``first`` on are the segment, its gait and its speed."""
    window = slice(first, first + rows)
    vx, vy = np.mean(motion.velocity[window], axis=0)
    tolerance = SPEED_M_S if segment.gait != "stand" else STILL_M_S
    return (
        abs(vx - segment.vx) <= tolerance
        and abs(vy) <= tolerance
        and is_gait(motion.contacts[window], segment)
    )


def happened(motion: Motion, segments: tuple[Segment, ...]) -> tuple[int, str]:
    """Return how many segments happened in order, one soon after the other, and a sentence."""
    step = max(1, round(SCAN_S / motion.dt_s))
    best = 0

    def follow(index: int, earliest: int, latest: int) -> bool:
        nonlocal best
        best = max(best, index)
        if index == len(segments):
            return True
        rows = round(0.96 * segments[index].duration_s / motion.dt_s)
        last = min(latest, len(motion.height) - rows)
        return any(
            fits(motion, first, rows, segments[index])
            and follow(index + 1, first + rows, first + rows + round(SETTLE_S / motion.dt_s))
            for first in range(earliest, last + 1, step)
        )

    if follow(0, 0, len(motion.height)):
        return len(segments), "every segment happened in order"
    missing = segments[best]
    return best, (
        f"no stretch of {missing.duration_s:.1f} s is a {missing.gait} at {missing.vx:+.1f} m/s "
        f"(segment {best + 1} of {len(segments)})"
    )
