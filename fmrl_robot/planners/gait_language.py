"""The quadruped's plan language: ``trot(0.5,fast=FR,t=5);stand(0,up=FL)``.

A segment names gait and forward velocity in m/s, then what is special about it: ``up=FL`` (that
leg stays off the ground), ``fast=FR`` (double frequency), ``air`` (suspension), ``quick`` or
``calm`` (short or long cycle), ``t=5`` (seconds). A large model may write the paper's rows instead:
``rows(0.5,FL=1100..,FR=..,RL=..,RR=..)``. Steps that go somewhere or take a posture stand in
floor_language.py and mix with these. ``refuse(reason)`` declines.
"""

from __future__ import annotations

import re
from typing import cast, get_args

from fmrl_robot.errors import ErrorCode, Retryable, Terminal, apart
from fmrl_robot.fm.undressing import calls
from fmrl_robot.planners import floor_language
from fmrl_robot.planners.contact_patterns import (
    MAX_LENGTH,
    MIN_LENGTH,
    Gait,
    GaitCall,
    draw_pattern,
    parse_rows,
)
from fmrl_robot.types import ContactPattern, Leg, SubGoal, SubGoalKind, Velocity

GRAMMAR = rf"""
root ::= refuse | segment (";" segment){{0,11}}
refuse ::= "refuse(" ("unknown" | "impossible" | "unsafe") ")"
segment ::= gait "(" speed modifier{{0,4}} duration? ")" | rows
gait ::= "stand" | "trot" | "pace" | "bound"
speed ::= "-1" | "-0.5" | "0" | "0.5" | "1"
modifier ::= ",up=" leg | ",fast=" leg | ",air" | ",quick" | ",calm"
leg ::= "FL" | "FR" | "RL" | "RR"
duration ::= ",t=" [1-9] [0-9]? (".5")?
rows ::= "rows(" speed ",FL=" bits ",FR=" bits ",RL=" bits ",RR=" bits duration? ")"
bits ::= [01]{{{MIN_LENGTH},{MAX_LENGTH}}}
"""
"""GBNF of gaits alone, as embedded models know it; lengths of rows are compared after parsing."""
WHOLE_GRAMMAR = GRAMMAR.replace("| rows\n", "| rows | place\n", 1) + floor_language.GRAMMAR.lstrip()
"""GBNF of gaits, places, distances and postures."""

MOVING_S, STANDING_S = 5.0, 2.0
"""Durations where the plan names none."""
MAX_DURATION_S = 60.0
MAX_SEGMENTS = 12

_SEGMENT = re.compile(r"^(stand|trot|pace|bound|rows)\(([^()]*)\)$")
_SPEEDS = {"-1": -1.0, "-0.5": -0.5, "0": 0.0, "0.5": 0.5, "1": 1.0}
REFUSALS = {
    "unknown": (ErrorCode.OBJECT_UNKNOWN, "it names something that is not in the scene"),
    "impossible": (ErrorCode.INSTRUCTION_REFUSED, "the robot has no skill for it"),
    "unsafe": (ErrorCode.INSTRUCTION_REFUSED, "it could harm people, things or the robot"),
}


def raise_if_refused(text: str) -> None:
    """Turn ``refuse(reason)``, undressed, into Terminal with its code."""
    match = re.fullmatch(r"refuse\((\w+)\)", text)
    if match:
        code, why = REFUSALS.get(match.group(1), REFUSALS["impossible"])
        raise Terminal(f"the model declined the instruction ({match.group(1)}): {why}", code)


def parse(text: str) -> list[SubGoal]:
    """Read a plan, dressed or not, into sub-goals with their patterns drawn.

    Raises:
        Terminal: the plan is a refusal.
        Retryable: anything that is not a sentence of the language, with what was expected.
    """
    text = calls(text)
    raise_if_refused(text)
    parts = text.split(";")
    if len(parts) > MAX_SEGMENTS:
        raise Retryable(
            f"expected at most {MAX_SEGMENTS} segments, got {len(parts)}", ErrorCode.PLAN_SCHEMA
        )
    return [
        floor_language.step(part, number) or _segment(part, number)
        for number, part in enumerate(parts, start=1)
    ]


def _segment(part: str, number: int) -> SubGoal:
    match = _SEGMENT.match(part)
    if match is None:
        raise Retryable(f"expected a segment such as 'trot(0.5,t=5)', got {part[:60]!r}")
    name, first, *rest = match.group(1), *match.group(2).split(",")
    if first not in _SPEEDS:
        raise Retryable(
            f"expected a velocity of -1, -0.5, 0, 0.5 or 1 m/s, got {first!r} in {part[:60]!r}",
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
        )
    vx = _SPEEDS[first]
    duration = next((float(_value(r)) for r in rest if r.startswith("t=")), None)
    if name == "rows":
        rows = dict(r.split("=", 1) for r in rest if "=" in r and not r.startswith("t="))
        pattern, text = parse_rows(rows), f"move with a given contact pattern at {vx:g} m/s"
    else:
        call = _call(name, vx, rest)
        pattern, text = draw_pattern(call), describe(call)
    standing = vx == 0 and bool(pattern.contacts.all(axis=1).sum() + _never(pattern) == 4)
    duration = duration or (STANDING_S if standing else MOVING_S)
    if duration > MAX_DURATION_S:
        got, most = apart(duration, MAX_DURATION_S)
        raise Retryable(
            f"expected at most {most} s, got {got} in {part[:60]!r}",
            ErrorCode.PARAMETER_OUT_OF_BOUNDS,
        )
    return SubGoal(
        id=str(number),
        kind=SubGoalKind.CONTACT_PATTERN,
        text=text,
        velocity=Velocity(vx=vx),
        pattern=pattern,
        duration_s=duration,
        timeout_s=duration + 5.0,
    )


def _never(pattern: ContactPattern) -> int:
    return int((~pattern.contacts).all(axis=1).sum())


def _value(item: str) -> str:
    return item.partition("=")[2]


def _call(name: str, vx: float, modifiers: list[str]) -> GaitCall:
    known = {"air", "quick", "calm"}
    for item in modifiers:
        key, _, value = item.partition("=")
        fits = item in known or key == "t" or (key in {"up", "fast"} and value in set(Leg))
        if not fits:
            raise Retryable(
                f"expected up=LEG, fast=LEG, air, quick, calm or t=SECONDS, got {item!r}"
            )
    up = frozenset(Leg(_value(m)) for m in modifiers if m.startswith("up="))
    fast = [Leg(_value(m)) for m in modifiers if m.startswith("fast=")]
    if name == "stand" and vx:
        raise Retryable(f"expected velocity 0 with stand, got {vx:g}; choose a gait to move")
    if len(up) > 2 or (fast and fast[0] in up):
        raise Retryable(
            f"expected at most two legs up, none of them faster; got up={sorted(up)} fast={fast}",
            ErrorCode.PATTERN_INVALID,
        )
    if name not in get_args(Gait):
        raise Retryable(f"expected one of {get_args(Gait)}, got {name!r}")
    return GaitCall(
        gait=cast("Gait", name),
        vx=vx,
        up=up,
        faster=fast[0] if fast else None,
        suspended="air" in modifiers,
        tempo="quick" if "quick" in modifiers else "calm" if "calm" in modifiers else "",
    )


def describe(call: GaitCall) -> str:
    """Say a segment in words."""
    speed = {0.0: "in place", 0.5: "slowly", 1.0: "fast"}[abs(call.vx)]
    way = "" if call.vx == 0 else " forward" if call.vx > 0 else " backward"
    text = (
        "the robot stands still" if call.gait == "stand" else f"the robot {call.gait}s{way} {speed}"
    )
    if call.up:
        text += f" with {' and '.join(sorted(call.up))} in the air"
    if call.suspended:
        text += " with a suspension phase"
    if call.faster:
        text += f" with {call.faster} at double frequency"
    return text
