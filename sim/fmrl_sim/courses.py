"""Judges where a quadruped went: places, turns, ways, postures and gaits, one after the other.

What counts is read from the recorded physics alone. Every stop says which moments may follow which:
from all moments at which what came before may have ended, those are reached at which this one has.
The last one has to hold at the end of the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.gaits import SETTLE_S, Motion, fits
from fmrl_sim.goals import Segment, Stop
from fmrl_sim.postures import posture_of

EVERY_S = 0.1
"""Moments that are looked at."""
BEFORE_M, WITHIN_M = 0.55, 0.3
"""From a marker's middle to where a robot stands before it, and how far off that is still there."""
TURN_RAD, TURN_ASIDE_M = 0.26, 0.5
"""How far off a turn may be, and how far aside it may lead."""
WAY_RAD = 0.4
"""A way goes straight: the heading at its end is this near to that at its beginning."""
FACING_RAD = 0.35
AROUND_RAD, AROUND_M = np.radians(300.0), 2.5
"""Of a way around a marker at least, and how far from it at most."""
SHOVED_M = 0.1
"""A marker that was moved as far was run into."""
SLOWEST_RAD_S, SLOWEST_M_S, WAIT_S = 0.25, 0.12, 8.0
"""A turn or a way that takes longer was none of them but something else."""
STILL_M, STILL_RAD = 0.1, 0.15


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What a quadruped did and where, sampled evenly every ``motion.dt_s``."""

    motion: Motion
    place: FloatArray
    """Of the base, m, shape (rows, 2)."""
    yaw: FloatArray
    """Unwrapped, rad, shape (rows,)."""
    pitch: FloatArray
    """Nose down, rad, shape (rows,)."""
    things: Mapping[str, FloatArray]
    """Places of the markers, m, shape (rows, 2) each."""


def followed(course: Course, wanted: tuple[Segment | Stop, ...]) -> tuple[int, str]:
    """Return how many of what was wanted happened in order, and a sentence."""
    for name, at in course.things.items():
        if np.linalg.norm(at - at[0], axis=1).max() > SHOVED_M:
            return 0, f"it ran into the {name.replace('_', ' ')}"
    dt = course.motion.dt_s
    rows = np.arange(0, len(course.place), max(1, round(EVERY_S / dt)))
    settle = round(SETTLE_S / EVERY_S)
    reached = _still(course, rows)
    for number, want in enumerate(wanted):
        if isinstance(want, Segment):
            follows = _gait(course, rows, want, reached if number else np.ones_like(reached))
            last = follows.any()
        else:
            follows = _stop(course, rows, want, reached)
            last = bool(follows[-1])
        if not follows.any() or (number == len(wanted) - 1 and not last):
            return number, f"step {number + 1} of {len(wanted)} did not happen: {_said(want)}"
        if isinstance(want, Segment):
            follows = _dilated(follows, settle)
        reached = follows
    return len(wanted), "everything happened in order"


def _said(want: Segment | Stop) -> str:
    if isinstance(want, Segment):
        return f"{want.duration_s:.1f} s of {want.gait} at {want.vx:+.1f} m/s"
    return f"{want.kind} {want.thing or want.turn_deg or want.way_m}"


def _still(course: Course, rows: np.ndarray) -> BoolArray:
    """The moments before it first went anywhere."""
    gone = np.linalg.norm(course.place[rows] - course.place[0], axis=1) > STILL_M
    gone |= np.abs(course.yaw[rows] - course.yaw[0]) > STILL_RAD
    return np.logical_not(np.logical_or.accumulate(gone))


def _dilated(moments: BoolArray, count: int) -> BoolArray:
    """Those moments, and ``count`` more after each."""
    found = moments.copy()
    for shift in range(1, count + 1):
        found[shift:] |= moments[:-shift]
    return found


def _gait(course: Course, rows: np.ndarray, want: Segment, reached: BoolArray) -> BoolArray:
    """The moments at which a stretch of this gait ends."""
    length = round(0.96 * want.duration_s / course.motion.dt_s)
    found = np.zeros(len(rows), dtype=np.bool_)
    begins = _dilated(reached, round(SETTLE_S / EVERY_S))
    for first in rows[begins]:
        end = int(np.searchsorted(rows, first + length))
        if first + length <= len(course.place) and end < len(rows) and not found[end]:
            found[end] = fits(course.motion, int(first), length, want)
    return found


def _stop(course: Course, rows: np.ndarray, want: Stop, reached: BoolArray) -> BoolArray:
    """The moments at which a stop is reached, by those at which what came before may have ended."""
    after = np.logical_or.accumulate(reached)
    place, yaw = course.place[rows], course.yaw[rows]
    if want.kind in ("turn", "way", "around"):
        pairs = reached[:, None] & _from_to(course, rows, want)
        return np.asarray(pairs.any(axis=0))
    if want.kind == "at":
        far = np.linalg.norm(place - course.things[want.thing][rows], axis=1)
        return after & (np.abs(far - BEFORE_M) <= WITHIN_M)
    if want.kind == "start":
        away = np.linalg.norm(place - course.place[0], axis=1)
        return after & (away <= WITHIN_M)
    if want.kind == "facing":
        ahead = course.things[want.thing][rows] - place
        off = np.arctan2(ahead[:, 1], ahead[:, 0]) - yaw
        return after & (np.abs((off + np.pi) % (2 * np.pi) - np.pi) <= FACING_RAD)
    wanted = {"sit": "sitting", "stand_up": "standing"}[want.kind]
    motion = course.motion
    taken = [
        posture_of(float(motion.height[r]), float(course.pitch[r]), 0.0, float(motion.upright[r]))
        == wanted
        for r in rows
    ]
    return after & np.array(taken)


def _from_to(course: Course, rows: np.ndarray, want: Stop) -> BoolArray:
    """Whether a turn, a way or a round leads from one moment to another, (moments, moments)."""
    place, yaw, at = course.place[rows], course.yaw[rows], rows * course.motion.dt_s
    later = at[None] - at[:, None]
    gone, turned = place[None] - place[:, None], yaw[None] - yaw[:, None]
    if want.kind == "around":
        apart = place - course.things[want.thing][rows]
        angle = np.unwrap(np.arctan2(apart[:, 1], apart[:, 0]))
        near = np.linalg.norm(apart, axis=1).max() <= AROUND_M + np.linalg.norm(apart[0])
        return (np.abs(angle[None] - angle[:, None]) >= AROUND_RAD) & (later > 0) & near
    if want.kind == "turn":
        wanted = np.radians(want.turn_deg)
        off = np.abs(turned) - abs(wanted) if want.either else turned - wanted
        aside = np.linalg.norm(gone, axis=2) <= TURN_ASIDE_M
        soon = later <= abs(wanted) / SLOWEST_RAD_S + WAIT_S
        return (np.abs(off) <= TURN_RAD) & aside & (later > 0) & soon
    c, s = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    forward = c * gone[..., 0] + s * gone[..., 1] - want.way_m[0]
    left = c * gone[..., 1] - s * gone[..., 0] - want.way_m[1]
    soon = later <= np.linalg.norm(want.way_m) / SLOWEST_M_S + WAIT_S
    near = np.hypot(forward, left) <= WITHIN_M
    return near & (np.abs(turned) <= WAY_RAD) & (later > 0) & soon
