"""Draws contact patterns for training: SayTap's five gaits, and kin that its test also asks for.

SayTap holds BOUND, TROT, PACE, STAND_STILL and STAND_3LEGS at equal shares. The rest is ours: a
trot with a suspension phase, one leg at double frequency, walking on three legs and standing on
two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import BoolArray

MAX_LENGTH = 32
SHARES: dict[str, float] = {
    "bound": 0.15,
    "trot": 0.15,
    "pace": 0.15,
    "stand": 0.15,
    "stand_3legs": 0.15,
    "suspended_trot": 0.06,
    "faster_leg": 0.06,
    "walk_3legs": 0.09,
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
    ratios = {"suspended_trot": (0.36, 0.48), "walk_3legs": (0.58, 0.75)}
    ratio = rng.uniform(*ratios.get(name, (0.5, 0.7)))
    legs = (int(rng.integers(4)),)
    if name == "stand_2legs":
        legs = _DIAGONALS[legs[0] % 2]
    return pattern(name, int(rng.integers(24, 29)), ratio, legs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bank:
    """Many patterns drawn once, from which robots take theirs."""

    kind: npt.NDArray[np.int64]
    """Index into KINDS, (size,)."""
    rows: BoolArray
    """Legs in SAYTAP_LEGS order, (size, 4, MAX_LENGTH); past its length a pattern begins anew."""
    length: npt.NDArray[np.int64]
    """Columns of the cycle, (size,)."""


def draw_bank(rng: np.random.Generator, size: int) -> Bank:
    """Draw ``size`` patterns by their shares."""
    kind = draw_kind(rng, size)
    drawn = [draw(rng, int(k)) for k in kind]
    rows = np.stack([np.resize(d.T, (MAX_LENGTH, 4)).T for d in drawn])
    return Bank(kind=kind, rows=rows, length=np.array([d.shape[1] for d in drawn]))


def pattern(
    name: str, length: int = 26, ratio: float = 0.6, legs: tuple[int, ...] = (0,)
) -> BoolArray:
    """The pattern of a kind, legs in SAYTAP_LEGS order, shape (4, length).

    Args:
        name: one of KINDS.
        length: columns of the cycle; pace repeats within it, and a quick leg makes it even.
        ratio: share of the cycle on the ground; bound takes 0.6 of it.
        legs: those in the air, or the quick one, for the kinds that single out legs.
    """
    if name.startswith("stand"):
        rows = np.ones((4, length), dtype=np.bool_)
        if name != "stand":
            rows[list(legs)] = False
        return rows
    if name == "bound":
        ratio *= 0.6
        return _alternate(length, _BOUND, ratio, round(0.5 * length * ratio))
    if name == "suspended_trot":
        return _alternate(length, _TROT, ratio, length // 2)
    if name == "pace":
        half = length // 2
        return np.tile(_alternate(half, _PACE, ratio, half - round(ratio * half)), (1, 2))
    if name == "faster_leg":
        length -= length % 2
    rows = _alternate(length, _TROT, ratio, length - round(ratio * length))
    if name == "walk_3legs":
        rows[list(legs)] = False
    elif name == "faster_leg":
        (leg,), half = legs, length // 2
        down = round(ratio * half)
        start = 0 if leg in _TROT[0] else half - down
        rows[leg] = np.resize(np.arange(half) - start, length) // max(down, 1) == 0
    return rows


def _alternate(
    length: int, pairs: tuple[tuple[int, int], tuple[int, int]], ratio: float, shift: int
) -> BoolArray:
    """Two pairs of legs on the ground for the same share; the second begins ``shift`` later."""
    rows = np.zeros((4, length), dtype=np.bool_)
    down = round(ratio * length)
    rows[list(pairs[0]), :down] = True
    rows[list(pairs[1])] = np.roll(rows[pairs[0][0]], shift)
    return rows
