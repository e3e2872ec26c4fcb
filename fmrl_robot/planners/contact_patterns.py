"""Contact patterns after SayTap: from a gait and its parameters to rows of 0 and 1, and back.

A language model names the gait, code draws the 4 x T columns: look-ups and counting are what small
models do badly. The numbers (T of 24 to 28 columns of 20 ms, half of that for pace, ground ratio
0.6, for bound 0.6 of that) are those of the generator in SayTap's training, so that the controller
meets what it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.types import SAYTAP_LEGS, BoolArray, ContactPattern, Leg

Gait = Literal["stand", "trot", "pace", "bound"]
Tempo = Literal["", "quick", "calm"]

DT_S = 0.02
LENGTHS: Mapping[Tempo, int] = {"quick": 24, "": 26, "calm": 28}
"""Columns of a cycle by tempo (SayTap trains on 24 to 28)."""
GROUND_RATIO = 0.6
SUSPENDED_RATIO = 0.42
THREE_LEGS_RATIO = 0.7
MIN_LENGTH, MAX_LENGTH = 20, 32
"""Accepted lengths of rows that a model wrote out itself."""

_FIRST: Mapping[str, frozenset[Leg]] = {
    "trot": frozenset({Leg.FL, Leg.RR}),
    "pace": frozenset({Leg.FL, Leg.RL}),
    "bound": frozenset({Leg.FL, Leg.FR}),
}
"""The legs that are on the ground at the cycle's start."""
_ALIKE = 0.9
"""Least share of columns in which two feet that a gait moves together agree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GaitCall:
    """One segment of locomotion as the plan language states it."""

    gait: Gait
    vx: float = 0.0
    """Forward velocity, m/s."""
    up: frozenset[Leg] = frozenset()
    """Legs that never touch the ground."""
    faster: Leg | None = None
    """A leg that steps at double frequency."""
    suspended: bool = False
    """All feet are off the ground for part of the cycle."""
    tempo: Tempo = ""
    duration_s: float | None = None
    """None: the default of the gait."""


def draw_pattern(call: GaitCall) -> ContactPattern:
    """Draw the rows of a gait, legs in SAYTAP_LEGS order."""
    length = LENGTHS[call.tempo]
    if call.gait == "stand":
        rows = np.ones((4, length), dtype=np.bool_)
    else:
        # Pace runs at half the cycle; a doubled leg halves its own once more.
        if call.faster is not None and call.gait == "pace" and length % 4:
            length += 2
        period = length // 2 if call.gait == "pace" else length
        rows = np.stack([_row(call, leg, period, length) for leg in SAYTAP_LEGS])
    for i, leg in enumerate(SAYTAP_LEGS):
        if leg in call.up:
            rows[i] = False
    return ContactPattern(contacts=rows, dt_s=DT_S)


def _row(call: GaitCall, leg: Leg, period: int, length: int) -> BoolArray:
    if leg == call.faster:
        period //= 2
    first = leg in _FIRST[call.gait]
    ratio = GROUND_RATIO
    if call.up:
        ratio = THREE_LEGS_RATIO
    if call.suspended:
        ratio = SUSPENDED_RATIO
    if call.gait == "bound":
        ratio *= 0.6
        start = 0 if first else round(0.5 * period * ratio)
    elif call.suspended:
        start = 0 if first else period // 2
    else:
        start = 0 if first else period - round(ratio * period)
    cycle = np.zeros(period, dtype=np.bool_)
    cycle[start : start + round(ratio * period)] = True
    return np.resize(cycle, length)


def parse_rows(rows: Mapping[str, str], dt_s: float = DT_S) -> ContactPattern:
    """Read rows of 0 and 1 by leg name, as a large model writes them.

    Raises:
        Retryable: a leg is missing, lengths differ or are out of bounds, or a digit is neither.
    """
    missing = [leg.value for leg in SAYTAP_LEGS if leg.value not in rows]
    if missing:
        raise Retryable(
            f"expected a row for each of FL, FR, RL, RR; {', '.join(missing)} missing",
            ErrorCode.PATTERN_INVALID,
        )
    lengths = {name: len(row) for name, row in rows.items()}
    if len(set(lengths.values())) != 1:
        raise Retryable(
            f"expected rows of one length, got {lengths}; write as many digits for every leg",
            ErrorCode.PATTERN_INVALID,
        )
    length = lengths[Leg.FL]
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        raise Retryable(
            f"expected {MIN_LENGTH} to {MAX_LENGTH} columns, got {length}; write 26",
            ErrorCode.PATTERN_INVALID,
        )
    bad = {c for row in rows.values() for c in row} - {"0", "1"}
    if bad:
        raise Retryable(
            f"expected digits 0 and 1 only, got {sorted(bad)!r}", ErrorCode.PATTERN_INVALID
        )
    contacts = np.array([[c == "1" for c in rows[leg]] for leg in SAYTAP_LEGS], dtype=np.bool_)
    return ContactPattern(contacts=contacts, dt_s=dt_s)


def name_gait(pattern: ContactPattern) -> Gait | Literal["pattern"]:
    """Name the gait of a pattern by which feet move together; "pattern" where it is none of ours.

    Feet that never touch the ground, or that step at a frequency of their own, do not speak.
    """
    rows = dict(zip(pattern.legs, pattern.contacts, strict=True))
    if all(row.all() or not row.any() for row in rows.values()):
        return "stand"
    agree: dict[Gait, float] = {}
    for gait in ("trot", "pace", "bound"):
        first = _FIRST[gait]
        pairs = [(a, b) for a in rows for b in rows if a < b and (a in first) == (b in first)]
        speaking = [(rows[a], rows[b]) for a, b in pairs if rows[a].any() and rows[b].any()]
        agree[gait] = max((float((a == b).mean()) for a, b in speaking), default=0.0)
    best = max(agree, key=agree.__getitem__)
    return best if agree[best] >= _ALIKE else "pattern"


def write_rows(pattern: ContactPattern) -> dict[str, str]:
    """Write a pattern as rows of 0 and 1 by leg name."""
    return {
        leg.value: "".join("1" if c else "0" for c in row)
        for leg, row in zip(pattern.legs, pattern.contacts, strict=True)
    }
