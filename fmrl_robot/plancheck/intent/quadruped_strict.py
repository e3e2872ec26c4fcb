"""What a plan does beyond what is asked, where nothing beyond it may be done.

An instruction that restricts anything ("only", "no", "everything else ...", or any ban) allows what
it asks for and nothing else: there every segment has to be of a gait, a way and a speed that it
names. And where only standing is asked for nothing moves, restricted or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fmrl_robot.plancheck.intent.quadruped_plan import FAST_M_S, Segment
from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Reading
from fmrl_robot.plancheck.intent.quadruped_words import says

_ACTS = ("gait", "choice", "go", "rest", "lift", "cannot")
"""Kinds of mention that a thing to do may begin with."""


def beyond(reading: Reading, segments: Sequence[Segment]) -> Iterator[str]:
    """Yield what a segment does beyond what was asked: "pace", "go forward"."""
    asked = reading.asked()
    if _only_stands(asked) and any(s.vx or "stand" not in s.gaits for s in segments):
        yield "move"
    several = not _single(asked)
    banned = any(c.status == "ban" for c in reading.clauses)
    if not banned and not says("restricts", _apart(reading) if several else reading.text):
        return
    loose = says("again", reading.text) or says("early", reading.text)
    if not loose and len(segments) > (_most(asked) if several else 1):
        yield "do so many things"
    gaits = {m.value for c in asked for m in c.of("gait", "choice")}
    ways, fast = _ways(asked), _fast(asked)
    if several and any(
        says("walks", c.text) and c.of("go") and not c.of("gait", "choice") for c in asked
    ):
        # "walk, then bound": walking is done at a trot.
        gaits |= {"trot"} if gaits else set()
    if several and any(c.of("gait", "go") and not c.of("speed", "vx") for c in asked):
        fast = set()
    free = says("whichever_gait", reading.text) or "any" in gaits
    for s in segments:
        if gaits - {"stand"} and not free and not s.gaits & (gaits | {"stand"}):
            yield " or ".join(sorted(s.gaits)) or "move like that"
        if ways and s.vx and ("forward" if s.vx > 0 else "backward") not in ways:
            yield "go forward" if s.vx > 0 else "go backward"
        if ways and "place" not in ways and not s.vx and "stand" not in s.gaits and not several:
            yield "step on the spot"
        if fast and s.vx and (abs(s.vx) > FAST_M_S) not in fast:
            yield "go fast" if abs(s.vx) > FAST_M_S else "go slowly"


def _apart(reading: Reading) -> str:
    """The instruction less the words that only say how: "without leaving the spot"."""
    text = reading.text
    for m in (m for c in reading.clauses for m in c.mentions):
        if m.value in ("place", "stand"):
            text = text.replace(m.text, " , ", 1)
    return text


def _single(asked: Sequence[Clause]) -> bool:
    """Whether the clauses describe one thing to do: no turn, and nothing named in two ways."""
    if any(c.follows or c.of("double", "tempo") for c in asked):
        return False
    gaits = [m.value for c in asked for m in c.of("gait", "choice")]
    steps = [c for c in asked if c.of("go") and not c.of("gait", "choice", "legs", "lift")]
    waits = [c for c in asked if c.of("rest") and not c.of("gait", "choice", "legs", "some_leg")]
    if gaits and set(gaits) != {"stand"} and (steps or waits):
        return False
    return all(
        len({m.value for c in asked for m in c.of(*kinds)} - {"any"}) <= 1
        for kinds in (("gait", "choice"), ("way",), ("speed",), ("vx",), ("legs",), ("seconds",))
    )


def _most(asked: Sequence[Clause]) -> int:
    """How many things the clauses can describe at most: that many of one kind are named."""
    acts = sum(max(1, len(c.of("gait", "choice"))) for c in asked if c.of(*_ACTS))
    turns = 1 + sum(c.follows for c in asked)
    return max(acts, turns, *(sum(len(c.of(k)) for c in asked) for k in ("way", "seconds", "legs")))


def _only_stands(asked: Sequence[Clause]) -> bool:
    """Whether standing is asked for and no word calls for anything else."""
    if {m.value for c in asked for m in c.of("gait", "choice")} != {"stand"}:
        return False
    return not any(
        c.of("vx", "speed", "tempo", "double")
        or any(m.value == "sure" for m in c.of("air"))
        or (c.of("way", "go") and not c.of("legs", "some_leg", "lift"))
        or "trot" in c.text
        for c in asked
    )


def _ways(asked: Sequence[Clause]) -> set[str]:
    """The ways that are named; empty where a word leaves it open."""
    found = {m.value for c in asked for m in c.of("way")}
    found |= {
        "backward" if m.value.startswith("-") else "forward"
        for c in asked
        for m in c.of("vx")
        if float(m.value) and "backward" not in found
    }
    return set() if "any" in found else found


def _fast(asked: Sequence[Clause]) -> set[bool]:
    """Whether the speeds that are named are fast; empty where a word leaves it open."""
    said = [m for c in asked for m in c.of("speed", "vx")]
    relative = any(c.of("tempo", "double") for c in asked)
    if relative or any(m.value == "any" for m in said):
        return set()
    return {
        m.value == "fast" if m.kind == "speed" else abs(float(m.value)) > FAST_M_S for m in said
    }
