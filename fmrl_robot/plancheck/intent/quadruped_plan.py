"""What a quadruped's plan would do, read from its rows and velocities and never from its words.

Gaits are recognised by which legs move together, so that rows which a large model wrote out itself
are read like drawn ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from fmrl_robot.types import BoolArray, Leg, Plan, SubGoal

TOGETHER: Mapping[str, tuple[tuple[Leg, Leg], tuple[Leg, Leg]]] = {
    "trot": ((Leg.FL, Leg.RR), (Leg.FR, Leg.RL)),
    "pace": ((Leg.FL, Leg.RL), (Leg.FR, Leg.RR)),
    "bound": ((Leg.FL, Leg.FR), (Leg.RL, Leg.RR)),
}
AGREE, APART = 0.9, 0.85
"""Rows of legs that move together agree in at least the one share of columns, in any other pairing
in less than the other: front and rear of a bound overlap, so that share is high."""
AIRBORNE = 0.07
"""A suspension phase lasts at least this share of the cycle."""
FAST_M_S = 0.75
"""Speeds above it are fast; the two that a plan may name are 0.5 and 1 m/s."""
QUICK_S, CALM_S = 0.49, 0.55
"""Cycles at most and at least this long are told from the ordinary one of 0.52 s."""
OWN = "a contact pattern of its own"
LEG_WORDS: Mapping[Leg, str] = {
    Leg.FL: "front left leg",
    Leg.FR: "front right leg",
    Leg.RL: "rear left leg",
    Leg.RR: "rear right leg",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One sub-goal as it would look."""

    gaits: frozenset[str]
    """stand, trot, pace, bound; several where too few legs step to tell, none where it is none."""
    vx: float
    """Forward velocity, m/s."""
    seconds: float
    up: frozenset[Leg]
    """Legs that never touch the ground."""
    faster: Leg | None
    """The leg that steps at double frequency."""
    air: bool
    """All feet leave the ground though the gait does not ask for it."""
    tempo: str
    """quick, calm, or empty."""
    strays: bool
    """It goes sideways or turns."""


def read(plan: Plan) -> tuple[Segment, ...]:
    """Return what each sub-goal with a pattern would look like."""
    return tuple(_segment(s) for s in plan.subgoals if s.pattern is not None)


def _segment(subgoal: SubGoal) -> Segment:
    pattern, velocity = subgoal.pattern, subgoal.velocity
    assert pattern is not None  # noqa: S101  (``read`` left the others out)
    rows = dict(zip(pattern.legs, pattern.contacts, strict=True))
    up = frozenset(leg for leg, row in rows.items() if not row.any())
    stepping = {leg: row for leg, row in rows.items() if 0 < row.mean() < 1}
    faster = _faster(stepping)
    steady = {leg: row for leg, row in stepping.items() if leg != faster}
    gaits = _gaits(steady) if stepping else frozenset({"stand"})
    airborne = float((~pattern.contacts).all(axis=0).mean())
    return Segment(
        gaits=gaits,
        vx=velocity.vx if velocity else 0.0,
        seconds=subgoal.duration_s,
        up=up,
        faster=faster,
        air=len(up) <= 1 and "bound" not in gaits and airborne >= AIRBORNE,
        tempo=_tempo(gaits, stepping, pattern.dt_s) if faster is None else "",
        strays=velocity is not None and bool(velocity.vy or velocity.wz),
    )


def _touchdowns(row: BoolArray) -> int:
    return int((row & ~np.roll(row, 1)).sum())


def _faster(stepping: Mapping[Leg, BoolArray]) -> Leg | None:
    """The one leg that touches down at least 1.5 times as often as every other."""
    counts = sorted((_touchdowns(row), leg) for leg, row in stepping.items())
    if len(counts) < 2 or counts[-1][0] < 1.5 * counts[-2][0]:
        return None
    return counts[-1][1]


def _gaits(steady: Mapping[Leg, BoolArray]) -> frozenset[str]:
    """The gaits whose pairs move together while legs of different pairs do not."""

    def agreements(legs: Iterable[tuple[Leg, Leg]]) -> list[float]:
        both = [(a, b) for a, b in legs if a in steady and b in steady]
        return [float((steady[a] == steady[b]).mean()) for a, b in both]

    return frozenset(
        name
        for name, (one, other) in TOGETHER.items()
        if all(share >= AGREE for share in agreements((one, other)))
        and all(share < APART for share in agreements(product(one, other)))
    )


def _tempo(gaits: frozenset[str], stepping: Mapping[Leg, BoolArray], dt_s: float) -> str:
    if len(gaits) != 1 or not stepping:
        return ""
    row = next(iter(stepping.values()))
    # Pace runs at half the cycle of the others.
    period_s = len(row) * dt_s / max(1, _touchdowns(row)) * (2 if "pace" in gaits else 1)
    return "quick" if period_s <= QUICK_S else "calm" if period_s >= CALM_S else ""


def say(segments: tuple[Segment, ...]) -> str:
    """Say a plan in words, as "trot forward slowly (0.5 m/s) for 5 s, then stand still for 2 s"."""
    return ", then ".join(_say(s) for s in segments) or "do nothing"


def _say(segment: Segment) -> str:
    if "stand" in segment.gaits and not segment.vx:
        text = "stand still"
    else:
        gait = " or ".join(sorted(segment.gaits)) or f"move with {OWN}"
        way = "forward" if segment.vx > 0 else "backward"
        how = "fast" if abs(segment.vx) > FAST_M_S else "slowly"
        text = (
            f"{gait} {way} {how} ({abs(segment.vx):g} m/s)" if segment.vx else f"{gait} on the spot"
        )
    if segment.strays:
        text += " while turning or going sideways"
    if segment.up:
        text += " with the " + " and the ".join(LEG_WORDS[g] for g in sorted(segment.up)) + " up"
    if segment.faster:
        text += f" with the {LEG_WORDS[segment.faster]} at double frequency"
    if segment.air:
        text += " with a suspension phase"
    if segment.tempo:
        text += f" in a {segment.tempo} cycle"
    return f"{text} for {segment.seconds:g} s"
