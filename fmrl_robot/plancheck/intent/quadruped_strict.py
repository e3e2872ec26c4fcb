"""What a plan does beyond what is asked, where nothing beyond it may be done.

An instruction that restricts anything ("only", "no", "everything else ...", or any ban) allows what
it asks for and nothing else: there every segment has to be of a gait, a way and a speed that it
names. And where only standing is asked for nothing moves, restricted or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fmrl_robot.plancheck.intent.quadruped_clauses import Clause, Reading
from fmrl_robot.plancheck.intent.quadruped_plan import FAST_M_S, Segment
from fmrl_robot.plancheck.intent.quadruped_words import says


def beyond(reading: Reading, segments: Sequence[Segment]) -> Iterator[str]:
    """Yield what a segment does beyond what was asked: "pace", "go forward"."""
    asked = reading.asked()
    if _only_stands(asked) and any(s.vx or "stand" not in s.gaits for s in segments):
        yield "move"
    banned = any(c.status == "ban" for c in reading.clauses)
    if not banned and not says("restricts", reading.text):
        return
    gaits = {m.value for c in asked for m in c.of("gait", "choice")}
    ways, fast = _ways(asked), _fast(asked)
    turns = any(c.follows for c in asked)
    if turns and any(says("walks", c.text) and not c.of("gait", "choice") for c in asked):
        # "walk, then bound": walking is done at a trot.
        gaits |= {"trot"} if gaits else set()
    if turns and any(c.of("gait", "go") and not c.of("speed", "vx") for c in asked):
        fast = set()
    free = says("whichever_gait", reading.text) or "any" in gaits
    for s in segments:
        if gaits - {"stand"} and not free and not s.gaits & (gaits | {"stand"}):
            yield " or ".join(sorted(s.gaits)) or "move like that"
        if ways and s.vx and ("forward" if s.vx > 0 else "backward") not in ways:
            yield "go forward" if s.vx > 0 else "go backward"
        if fast and s.vx and (abs(s.vx) > FAST_M_S) not in fast:
            yield "go fast" if abs(s.vx) > FAST_M_S else "go slowly"


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
