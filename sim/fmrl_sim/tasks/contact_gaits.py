"""Draws contact patterns for training: SayTap's five gaits, and kin that its test also asks for.

SayTap holds BOUND, TROT, PACE, STAND_STILL and STAND_3LEGS at equal shares. The rest is ours: a
trot with a suspension phase, one leg at double frequency, walking on three legs and standing on
two.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import BoolArray

MAX_LENGTH = 32
SHARES: dict[str, float] = {
    "bound": 0.17,
    "trot": 0.15,
    "pace": 0.17,
    "stand": 0.13,
    "stand_3legs": 0.14,
    "suspended_trot": 0.06,
    "faster_leg": 0.06,
    "walk_3legs": 0.08,
    "stand_2legs": 0.04,
}
KINDS = tuple(SHARES)
BOUND = KINDS.index("bound")
STILL = tuple(KINDS.index(k) for k in ("stand", "stand_3legs", "stand_2legs"))
"""Kinds whose velocity command is zero."""
_P = np.array([*SHARES.values()]) / sum(SHARES.values())

_TROT, _PACE, _BOUND = ((0, 3), (1, 2)), ((0, 2), (1, 3)), ((0, 1), (2, 3))
_DIAGONALS = ((0, 3), (1, 2))


def draw_kind(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Indices into KINDS, shape (count,)."""
    return rng.choice(len(KINDS), size=count, p=_P)


def draw(rng: np.random.Generator, kind: int) -> BoolArray:
    """A pattern of that kind, legs in SAYTAP_LEGS order, shape (4, length)."""
    name = KINDS[kind]
    length, ratio = int(rng.integers(24, 29)), rng.uniform(0.5, 0.7)
    rows = np.ones((4, length), dtype=np.bool_)
    if name == "stand":
        return rows
    if name == "stand_3legs":
        rows[rng.integers(4)] = False
        return rows
    if name == "stand_2legs":
        rows[list(_DIAGONALS[rng.integers(2)])] = False
        return rows
    if name == "bound":
        ratio *= 0.6
        return _alternate(length, _BOUND, ratio, round(0.5 * length * ratio))
    if name == "pace":
        half = length // 2
        return np.tile(_alternate(half, _PACE, ratio, half - round(ratio * half)), (1, 2))
    if name == "suspended_trot":
        return _alternate(length, _TROT, rng.uniform(0.36, 0.48), length // 2)
    if name == "faster_leg":
        length -= length % 2
        rows = _alternate(length, _TROT, ratio, length - round(ratio * length))
        leg, half = rng.integers(4), length // 2
        quick = np.zeros(half, dtype=np.bool_)
        start = 0 if leg in _TROT[0] else half - round(ratio * half)
        quick[start : start + round(ratio * half)] = True
        rows[leg] = np.tile(quick, 2)
        return rows
    if name == "walk_3legs":
        ratio = rng.uniform(0.58, 0.75)
        rows = _alternate(length, _TROT, ratio, length - round(ratio * length))
        rows[rng.integers(4)] = False
        return rows
    return _alternate(length, _TROT, ratio, length - round(ratio * length))


def _alternate(
    length: int, pairs: tuple[tuple[int, int], tuple[int, int]], ratio: float, shift: int
) -> BoolArray:
    """Two pairs of legs on the ground for the same share; the second begins ``shift`` later."""
    rows = np.zeros((4, length), dtype=np.bool_)
    down = round(ratio * length)
    rows[list(pairs[0]), :down] = True
    rows[list(pairs[1])] = np.roll(rows[pairs[0][0]], shift)
    return rows
