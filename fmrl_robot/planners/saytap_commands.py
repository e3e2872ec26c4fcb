"""SayTap's 25 test commands, and what a right plan for each must satisfy.

The inequalities are on rows and velocity, not on labels, so that any model's plan, drawn or written
out digit by digit, is judged the same way. Free of simulator and language model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fmrl_robot.errors import apart
from fmrl_robot.types import SAYTAP_LEGS, BoolArray, ContactPattern, Leg, SubGoal

AGREE, DIFFER = 0.9, 0.6
"""Rows of legs that move together agree in at least the one share of columns, rows of legs that
move apart in at most the other."""
BOUND_DIFFER, BOUND_AIR = 0.8, 0.2
"""In a bound front and rear overlap more, and the body flies for at least this share."""
AIR = 0.1
"""A suspension phase lasts at least this share of the cycle."""
DUTY = (0.2, 0.9)
"""Share of the cycle that a stepping foot is on the ground."""
FASTER = 1.5

_TOGETHER = {
    "trot": ((Leg.FL, Leg.RR), (Leg.FR, Leg.RL)),
    "pace": ((Leg.FL, Leg.RL), (Leg.FR, Leg.RR)),
    "bound": ((Leg.FL, Leg.FR), (Leg.RL, Leg.RR)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """What one sub-goal of a right plan must satisfy."""

    gaits: tuple[str, ...]
    """Any of these: stand, trot, pace, bound."""
    vx: tuple[float, float] = (0.0, 0.0)
    """Bounds of the forward velocity, m/s."""
    up: frozenset[Leg] = frozenset()
    """Legs that never touch the ground."""
    air: bool = False
    """All feet are off the ground for at least AIR of the cycle."""
    faster: Leg | None = None
    """This leg touches down at least FASTER times as often as any other."""
    period_s: tuple[float, float] | None = None
    duration_s: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command of the test."""

    number: int
    text: str
    segments: tuple[Segment, ...]


def touchdowns(row: BoolArray) -> int:
    """Count how often a foot comes down in one cycle; shape (length,)."""
    return int(np.sum(row & ~np.roll(row, 1)))


def period_s(pattern: ContactPattern) -> float:
    """The shortest cycle that reproduces the rows, s."""
    length = pattern.contacts.shape[1]
    for shift in range(1, length + 1):
        if (
            length % shift == 0
            and (np.roll(pattern.contacts, shift, axis=1) == pattern.contacts).all()
        ):
            return shift * pattern.dt_s
    return length * pattern.dt_s


def problems(subgoals: Sequence[SubGoal], segments: Sequence[Segment]) -> list[str]:
    """List what is wrong with a plan; empty when it is right."""
    if len(subgoals) != len(segments):
        return [f"expected {len(segments)} segments, got {len(subgoals)}"]
    return [
        f"segment {i}: {problem}"
        for i, (subgoal, segment) in enumerate(zip(subgoals, segments, strict=True))
        for problem in _segment_problems(subgoal, segment)
    ]


def _segment_problems(subgoal: SubGoal, segment: Segment) -> list[str]:
    pattern, velocity = subgoal.pattern, subgoal.velocity
    if pattern is None or velocity is None:
        return ["no pattern or velocity"]
    found: list[str] = []
    low, high = segment.vx
    if not low - 1e-6 <= velocity.vx <= high + 1e-6 or velocity.vy or velocity.wz:
        found.append(f"velocity {velocity} is not within {segment.vx} straight ahead")
    rows = {leg: row for leg, row in zip(pattern.legs, pattern.contacts, strict=True)}
    wrong = {leg for leg in SAYTAP_LEGS if rows[leg].any() == (leg in segment.up)}
    if wrong:
        found.append(f"legs up should be {sorted(segment.up)}, wrong are {sorted(wrong)}")
    if not any(is_gait(name, rows, segment) for name in segment.gaits):
        found.append(f"the rows are no {' or '.join(segment.gaits)}")
    airborne = float((~pattern.contacts.any(axis=0)).mean())
    if segment.air and airborne < AIR:
        found.append(f"all feet are in the air {airborne:.0%} of the cycle, not {AIR:.0%}")
    if segment.faster is not None:
        others = [touchdowns(r) for g, r in rows.items() if g not in (segment.faster, *segment.up)]
        if touchdowns(rows[segment.faster]) < FASTER * max(others):
            found.append(f"{segment.faster} does not step more often than the others")
    elif len({touchdowns(r) for g, r in rows.items() if g not in segment.up}) > 1:
        found.append("the legs step at different frequencies")
    for name, value, bounds in (
        ("period", period_s(pattern), segment.period_s),
        ("duration", subgoal.duration_s, segment.duration_s),
    ):
        if bounds is not None and not bounds[0] - 1e-6 <= value <= bounds[1] + 1e-6:
            found.append(f"{name} {apart(value, *bounds)[0]} s is not within {bounds}")
    return found


def is_gait(name: str, rows: Mapping[Leg, BoolArray], segment: Segment | None = None) -> bool:
    """Whether rows of one cycle, shape (length,) each, are this gait.

    Args:
        name: stand, trot, pace or bound.
        rows: of each leg, True: the foot is on the ground.
        segment: what else is wanted; None: nothing.
    """
    segment = segment or Segment(gaits=(name,), up=frozenset(g for g in rows if not rows[g].any()))
    down = {leg: row for leg, row in rows.items() if leg not in segment.up}
    if name == "stand":
        return all(row.mean() >= 0.95 for row in down.values())
    if not all(DUTY[0] <= row.mean() <= DUTY[1] for row in down.values()):
        return False
    steady = {leg: row for leg, row in down.items() if leg != segment.faster}
    pairs = [[leg for leg in pair if leg in steady] for pair in _TOGETHER[name]]
    if any(len(p) == 2 and _agreement(steady, p[0], p[1]) < AGREE for p in pairs):
        return False
    apart = DIFFER if name != "bound" else BOUND_DIFFER
    if pairs[0] and pairs[1] and _agreement(steady, pairs[0][0], pairs[1][0]) > apart:
        return False
    airborne = float((~np.stack(list(down.values())).any(axis=0)).mean())
    return airborne >= BOUND_AIR if name == "bound" else segment.air or airborne < AIR


def _agreement(rows: dict[Leg, BoolArray], one: Leg, other: Leg) -> float:
    return float((rows[one] == rows[other]).mean())


_STANDING: tuple[tuple[str, frozenset[Leg]], ...] = (
    ("Stand still", frozenset()),
    ("Lift front left leg", frozenset({Leg.FL})),
    ("Lift front right leg", frozenset({Leg.FR})),
    ("Lift rear left leg", frozenset({Leg.RL})),
    ("Lift rear right leg", frozenset({Leg.RR})),
)
_SPEEDS = (
    ("in place", 0.0),
    ("forward slowly", 0.5),
    ("forward fast", 1.0),
    ("backward slowly", -0.5),
    ("backward fast", -1.0),
)
_FORWARD = (0.4, 1.1)
_ANY = (-1.1, 1.1)


def _commands() -> tuple[Command, ...]:
    texts: list[tuple[str, tuple[Segment, ...]]] = [
        (text, (Segment(gaits=("stand",), up=up),)) for text, up in _STANDING
    ]
    for gait in ("bound", "trot", "pace"):
        texts += [
            (f"{gait.capitalize()} {how}", (Segment(gaits=(gait,), vx=_around(speed)),))
            for how, speed in _SPEEDS
        ]
    texts += [
        (
            "Trot in place, with a suspension phase where all feet are off the ground",
            (Segment(gaits=("trot",), air=True),),
        ),
        (
            "Trot forward, with the front right leg moving at a higher frequency",
            (Segment(gaits=("trot",), vx=_FORWARD, faster=Leg.FR),),
        ),
        (
            "Stand on front right and rear left legs",
            (Segment(gaits=("stand",), up=frozenset({Leg.FL, Leg.RR})),),
        ),
        (
            "Walk with 3 legs, with the rear right leg always in the air",
            (Segment(gaits=("trot", "pace"), vx=_FORWARD, up=frozenset({Leg.RR})),),
        ),
        (
            "Bound then pace",
            (Segment(gaits=("bound",), vx=_ANY), Segment(gaits=("pace",), vx=_ANY)),
        ),
    ]
    return tuple(
        Command(number=i, text=text, segments=segments)
        for i, (text, segments) in enumerate(texts, start=1)
    )


def _around(speed: float) -> tuple[float, float]:
    return (speed - 0.05, speed + 0.05) if speed else (0.0, 0.0)


COMMANDS: tuple[Command, ...] = _commands()
"""The test of the paper; number 23 (two feet) is reported apart where a body executes it."""
