"""Whether what an instruction mentions is true of a segment of the plan."""

from __future__ import annotations

from fmrl_robot.plancheck.intent.quadruped_plan import FAST_M_S, Segment
from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Reading
from fmrl_robot.plancheck.intent.quadruped_words import Mention, says
from fmrl_robot.types import Leg

SPEED_TOLERANCE_M_S = 0.13
_TIME_TOLERANCE_S = 0.26
_ABOUT = 0.25
"""Share by which "about five seconds" may be missed."""


def true_of(m: Mention, clause: Clause, reading: Reading, s: Segment) -> bool:
    """Whether a mention is true of a segment."""
    match m.kind:
        case "gait":
            if s.air and m.value == "bound" and m.text.startswith("hop"):
                return True
            return m.value in s.gaits and (m.value != "stand" or s.vx == 0)
        case "way" | "speed" if m.value == "any":
            return True
        case "way":
            return {"forward": s.vx > 0, "backward": s.vx < 0, "place": s.vx == 0}[m.value]
        case "speed":
            # "short and quick" may be said of the steps.
            of_legs = s.tempo == {"fast": "quick", "slow": "calm"}[m.value]
            return s.vx == 0 or of_legs or (abs(s.vx) > FAST_M_S) == (m.value == "fast")
        case "vx":
            # "back at 0.5 m/s" gives the speed without its sign.
            speed = abs(s.vx) if float(m.value) > 0 and _backs(clause, reading) else s.vx
            return abs(speed - float(m.value)) <= SPEED_TOLERANCE_M_S
        case "seconds":
            roughly = _ABOUT * float(m.value) if says("about", clause.text) else 0.0
            return abs(s.seconds - float(m.value)) <= max(_TIME_TOLERANCE_S, roughly)
        case "tempo":
            return s.tempo in ("", m.value) or bool(s.faster)
        case "air":
            return s.air or "bound" in s.gaits or bool(s.up)
        case "double":
            return s.faster is not None
        case "some_leg":
            return bool(s.up)
        case "legs":
            return _special(Leg(m.value), clause, reading, s)
        case _:
            return s.vx != 0


def _backs(clause: Clause, reading: Reading) -> bool:
    """Whether a speed may be one backward: its clause says so, or any where it is the only one."""
    alone = sum(len(c.of("vx")) for c in reading.clauses) == 1
    clauses = reading.clauses if alone else (clause,)
    return any(m.value == "backward" for c in clauses for m in c.of("way"))


def _carries(reading: Reading, s: Segment) -> bool:
    """Whether a named leg may be one of the two that carry, where two others are up."""
    return len(s.up) == 2 and says("bearing", reading.text) and not _but_one(reading)


def _but_one(reading: Reading) -> frozenset[Leg]:
    """The leg that is left over where the other three are named."""
    if not says("left_over", reading.text):
        return frozenset()
    named = [Leg(m.value) for c in reading.asked() for m in c.of("legs")]
    return frozenset(Leg).difference(named) if len(named) == len({*named}) == 3 else frozenset()


def _special(leg: Leg, clause: Clause, reading: Reading, s: Segment) -> bool:
    """Whether a named leg is up, or is the faster one, or is one of the two that carry."""
    if clause.of("double"):
        return s.faster == leg
    if clause.status == "ban":
        return leg in s.up
    if len(s.up) == 1 and _but_one(reading) == s.up:
        # "on FL, FR and RR alone, holding up the remaining leg"
        return leg not in s.up
    return leg in s.up or s.faster == leg or _carries(reading, s)
