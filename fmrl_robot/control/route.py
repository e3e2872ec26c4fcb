"""The shortest way over a floor that keeps clear of upright things: a visibility graph over discs.

Things are few and round enough, so that each is a disc and its rim a polygon of nodes; where a
robot stands too near to one already, the way may not bring it nearer.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.types import BoolArray, FloatArray

RIM = 12
"""Nodes of a disc's rim."""
_SLACK_M = 1e-6


def rim(
    centre: FloatArray, radius_m: float, count: int = RIM, first_rad: float = 0.0
) -> FloatArray:
    """Points evenly around a centre (2,), counter-clockwise, shape (count, 2)."""
    angles = first_rad + 2 * np.pi * np.arange(count) / count
    return centre + radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def clear(
    start: FloatArray, ends: FloatArray, centres: FloatArray, least_m: FloatArray
) -> BoolArray:
    """Whether straight ways keep off every disc.

    Args:
        start: m, shape (2,).
        ends: m, shape (n, 2).
        centres: of the discs, m, shape (k, 2).
        least_m: radius of each, shape (k,).

    Returns:
        Shape (n,), of truth values.
    """
    if not len(centres):
        return np.ones(len(ends), dtype=np.bool_)
    ways = ends - start
    squared = np.maximum((ways**2).sum(axis=1), 1e-12)
    along = np.clip((centres - start) @ ways.T / squared, 0.0, 1.0)
    nearest = start + along[..., None] * ways
    away = np.linalg.norm(nearest - centres[:, None], axis=2)
    return (away >= least_m[:, None] - _SLACK_M).all(axis=0)


def route(
    start: FloatArray, goals: FloatArray, centres: FloatArray, clearance_m: float
) -> FloatArray:
    """The shortest way to the nearest of some places.

    Args:
        start: m, shape (2,).
        goals: m, shape (g, 2), any of them.
        centres: of what is in the way, m, shape (k, 2).
        clearance_m: from their centres.

    Returns:
        The corners of the way after ``start``, its end among ``goals``, shape (m, 2).

    Raises:
        FmrlError: NO_PATH; there is none.
    """
    # Who stands too near may leave, and a place too near to something may be gone to.
    apart = np.linalg.norm(centres - start, axis=1) if len(centres) else np.zeros(0)
    least = np.minimum(clearance_m, apart)
    inside = np.array([(np.linalg.norm(centres - g, axis=1) < clearance_m).any() for g in goals])
    goals = goals[~inside] if len(centres) and not inside.all() else goals
    for g in goals if inside.all() else ():
        least = np.minimum(least, np.linalg.norm(centres - g, axis=1))
    outer = 1.02 * clearance_m / np.cos(np.pi / RIM)
    nodes = np.concatenate([start[None], *(rim(c, outer) for c in centres), goals])
    first_goal = len(nodes) - len(goals)
    length = np.full(len(nodes), np.inf)
    before = np.full(len(nodes), -1)
    length[0], left = 0.0, np.ones(len(nodes), dtype=np.bool_)
    while left.any():
        open_lengths = np.where(left, length, np.inf)
        at = int(np.argmin(open_lengths))
        if not np.isfinite(open_lengths[at]) or at >= first_goal:
            break
        left[at] = False
        reached = clear(nodes[at], nodes, centres, least)
        through = length[at] + np.linalg.norm(nodes - nodes[at], axis=1)
        better = left & reached & (through < length)
        length[better], before[better] = through[better], at
    end = first_goal + int(np.argmin(length[first_goal:]))
    if not np.isfinite(length[end]):
        raise FmrlError(
            f"expected a way to {np.round(goals[0], 2).tolist()} that keeps {clearance_m:.2f} m "
            "from the middle of everything seen, found none; clear the way or name another place",
            ErrorCode.NO_PATH,
        )
    corners: list[int] = []
    while end > 0:
        corners.append(end)
        end = int(before[end])
    return nodes[corners[::-1]]
