"""What an instruction demands, without any language model: a template grammar for the benchmarks.

It reads a small, stated set of sentence forms and says so where a sentence is none of them. A
judge that used a model would share the planner's misunderstandings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.types import Leg, Predicate

SLOW_M_S, FAST_M_S = 0.5, 1.0
MOVE_S, STAND_S = 5.0, 2.0
"""How long a segment lasts where the sentence does not say."""

_COLOR = r"(red|green|blue|yellow)(?: cube| block| one)?"
_PUT = r"(?:put|place|drop|move|set|lay|stack|throw|bring|push)"
_CLAUSES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:build|make|stack) a (?:tower|stack)(?: of three)? ?(?:of|with)? ?{_COLOR} at bottom "
        rf"(?:and )?(?:then )?{_COLOR} (?:in middle )?(?:and )?(?:then )?{_COLOR} on top",
        "tower_up",
    ),
    (rf"(?:build|make) a (?:tower|stack) of {_COLOR} on {_COLOR} on {_COLOR}", "tower_down"),
    (
        rf"(?:pick up |take |grab )?(?:{_PUT} )?{_COLOR} (?:and )?(?:{_PUT} (?:it )?)?"
        rf"(?:in|into|inside|inside of|to) (bowl|bin|drawer)",
        "in",
    ),
    (
        rf"(?:take|get|remove) {_COLOR} (?:out of|from) (?:bowl|bin|drawer)"
        rf"(?: and {_PUT} it on table)?",
        "out",
    ),
    (
        rf"(?:pick up |take |grab )?(?:{_PUT} )?{_COLOR} (?:and {_PUT} it )?"
        rf"(?:on|onto|on top of|upon) {_COLOR}",
        "on",
    ),
    (rf"{_PUT} {_COLOR} (?:back )?(?:on|onto) table", "table"),
    (rf"(?:pick up|lift|lift up|grasp|grab|hold) {_COLOR}(?: up)?", "held"),
    (r"(?:open|pull open) drawer|pull drawer open", "open"),
    (r"(?:close|shut) (?:drawer|it)", "close"),
    (r"(?:press|push|hit) button", "press"),
)
_GAITS = {"trot": "trot", "pace": "pace", "bound": "bound", "stand": "stand"}
_LEG_WORDS = {
    ("front", "left"): Leg.FL,
    ("front", "right"): Leg.FR,
    ("rear", "left"): Leg.RL,
    ("rear", "right"): Leg.RR,
}


_MARKER = r"(red|green|blue)(?: marker| one| cone)?"
_METRES = r"(\d+(?:\.\d+)?|a|one|two|three|half a) (?:m|metres?|meters?)"
_AMOUNTS = {"a": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "half a": 0.5}
_STOPS: tuple[tuple[str, str], ...] = (
    (rf"(?:walk|go|move|head)(?: over| up)? to {_MARKER}|visit {_MARKER}", "at"),
    (rf"(?:walk|go|move) around {_MARKER}|circle {_MARKER}", "around"),
    (rf"(?:turn to|face) {_MARKER}", "facing"),
    (r"(?:come|go|walk) back(?: to start)?|return(?: to start)?|go to start", "start"),
    (r"turn(?: to)? (left|right)(?: by)?(?: (\d+) degrees)?", "turn"),
    (r"turn (\d+) degrees(?: to)? (left|right)", "turn_by"),
    (r"turn (around)", "turn"),
    (rf"(?:walk|go|move)( forward| backward| back)? {_METRES}( forward| backward| back)?", "way"),
    (rf"(?:walk|go|move|step)(?: to)?()? {_METRES} to (left|right)", "way"),
    (r"sit(?: down)?", "sit"),
    (r"(?:stand|get) up", "stand_up"),
)
"""How a quadruped is sent to places; words of the same meaning beyond these are for a planner."""
_JOINTS = re.compile(r",? and then |,? then |;|, and |, | and ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of locomotion that has to happen."""

    gait: str
    """stand, trot, pace or bound."""
    vx: float = 0.0
    """Forward speed in m/s."""
    duration_s: float = MOVE_S
    up: tuple[Leg, ...] = ()
    """Legs whose foot stays in the air."""
    airborne: bool = False
    """All feet leave the ground together now and then."""
    faster: Leg | None = None
    """The leg that steps more often than the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A place, a turn, a way or a posture that has to be reached."""

    kind: str
    """at, start, around, facing, turn, way, sit or stand_up."""
    thing: str = ""
    """The marker it is about."""
    turn_deg: float = 0.0
    """To the left."""
    either: bool = False
    """Turned to whichever side."""
    way_m: tuple[float, float] = (0.0, 0.0)
    """Forward and to the left, as the robot stood before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What has to hold at the end, or what has to have happened in this order."""

    predicates: tuple[Predicate, ...] = ()
    segments: tuple[Segment | Stop, ...] = ()


class UnknownGoal(ConfigError):
    """No template reads this instruction; name the goal yourself."""

    default_code = ErrorCode.INSTRUCTION_REFUSED


def goal_of(instruction: str, kind: str) -> Goal:
    """Read the goal of an instruction for a robot of ``kind`` (arm, quadruped).

    Raises:
        UnknownGoal: it is in no form that this grammar knows.
    """
    text = re.sub(r"[.!?]+$", "", instruction.strip().lower())
    text = re.sub(r"\b(please|the|robot|carefully|now)\b", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" ,")
    if "drawer" in text:
        text = re.sub(r"\b(in|into|inside) it\b", r"\1 drawer", text)
    if kind == "quadruped":
        fine = [p for p in (p.strip(" ,") for p in _JOINTS.split(text)) if p]
        stops = [_stop(part) for part in fine]
        if any(stops):
            pairs = zip(fine, stops, strict=True)
            return Goal(segments=tuple(s or _segment(part, instruction) for part, s in pairs))
        parts = [part.strip(" ,") for part in re.split(r"\bthen\b|;", text)]
        return Goal(segments=tuple(_segment(part, instruction) for part in parts))
    clauses = [
        c.strip(" ,")
        for c in re.split(r"(?:,| and| ;|;)? then |; |, (?:and )?|, ", text)
        if c.strip(" ,")
    ]
    if not clauses:
        raise UnknownGoal(f"expected an instruction, got {instruction!r}")
    whole = _match(re.sub(r"[,:]", "", text))
    return Goal(predicates=_settle(whole if whole is not None else _all(clauses, instruction)))


def _all(clauses: list[str], instruction: str) -> list[Predicate]:
    """Read clause by clause; an ``and`` splits a clause only where the whole says nothing."""
    found: list[Predicate] = []
    for clause in clauses:
        clause = re.sub(r"^(first|then|and|finally|after that) ", "", clause)
        read = _match(clause)
        if read is None and " after " in clause:
            late, early = clause.split(" after ", 1)
            early = re.sub(r"^(putting|placing)", "put", early)
            read = [*_all([early], instruction), *_all([late], instruction)]
        if read is None and " and " in clause:
            parts = clause.split(" and ")
            for cut in range(1, len(parts)):
                left, right = " and ".join(parts[:cut]), " and ".join(parts[cut:])
                head = _match(left)
                if head is not None:
                    read = [*head, *_all([_with_verb(right, left)], instruction)]
                    break
        if read is None:
            raise UnknownGoal(
                f"expected an instruction of the benchmark's forms, got {instruction!r} "
                f"(stuck at {clause!r}); give the goal as predicates"
            )
        found += read
    return found


def _with_verb(clause: str, before: str) -> str:
    """Repeat the verb that an elliptic clause shares with the one before it."""
    return (
        f"{before.split(' ')[0]} {clause}"
        if re.match(r"(red|green|blue|yellow)", clause)
        else clause
    )


def _match(clause: str) -> list[Predicate] | None:
    for pattern, form in _CLAUSES:
        match = re.fullmatch(pattern, clause)
        if match:
            return _predicates(form, match.groups())
    return None


def _predicates(form: str, words: tuple[str, ...]) -> list[Predicate]:
    cubes = [f"{w}_cube" for w in words if w in ("red", "green", "blue", "yellow")]
    match form:
        case "in":
            return [Predicate("in", (cubes[0], words[1]))]
        case "on":
            return [Predicate("on", (cubes[0], cubes[1]))]
        case "tower_up":
            return [Predicate("on", (cubes[1], cubes[0])), Predicate("on", (cubes[2], cubes[1]))]
        case "tower_down":
            return [Predicate("on", (cubes[1], cubes[2])), Predicate("on", (cubes[0], cubes[1]))]
        case "out" | "table":
            return [Predicate("on", (cubes[0], "table"))]
        case "held":
            return [Predicate("held", (cubes[0],))]
        case "open":
            return [Predicate("open", ("drawer",))]
        case "close":
            return [Predicate("closed", ("drawer",))]
        case _:
            return [Predicate("pressed", ("button",))]


def _settle(found: list[Predicate]) -> tuple[Predicate, ...]:
    """Drop what a later clause undoes: a cube is in one place, a drawer open or closed."""
    kept: dict[tuple[str, ...], Predicate] = {}
    for predicate in found:
        about = ("place", predicate.args[0]) if predicate.args else (predicate.name,)
        if predicate.args and predicate.args[0] in ("drawer", "button"):
            about = ("device", predicate.args[0])
        kept.pop(about, None)
        kept[about] = predicate
    return tuple(kept.values())


def _stop(clause: str) -> Stop | None:
    """Read a part that is about a place, a turn, a way or a posture; None where it is not."""
    words = re.sub(r"\b(back|for)wards\b", r"\1ward", re.sub(r"^(first|finally) ", "", clause))
    for pattern, kind in _STOPS:
        match = re.fullmatch(pattern, words)
        if match is None:
            continue
        said = [word.strip() for word in match.groups() if word and word.strip()]
        if kind in ("turn", "turn_by"):
            side = next((w for w in said if not w.isdigit()), "left")
            degrees = next((float(w) for w in said if w.isdigit()), 90.0)
            if side == "around":
                return Stop(kind="turn", turn_deg=180.0, either=True)
            return Stop(kind="turn", turn_deg=-degrees if side == "right" else degrees)
        if kind == "way":
            number = next(w for w in said if w in _AMOUNTS or w[0].isdigit())
            metres = _AMOUNTS[number] if number in _AMOUNTS else float(number)
            side = next((w for w in said if w != number), "forward")
            ahead = {"forward": metres, "backward": -metres, "back": -metres}.get(side, 0.0)
            return Stop(
                kind="way",
                way_m=(ahead, {"left": metres, "right": -metres}.get(side, 0.0)),
            )
        return Stop(kind=kind, thing=f"{said[0]}_marker" if said else "")
    return None


def _segment(clause: str, instruction: str) -> Segment:
    words = re.sub(r"\b(back|for)wards\b", r"\1ward", clause)
    words = re.sub(r"\bhind\b|\bback(?= (?:left|right))", "rear", words)
    gait = next((g for word, g in _GAITS.items() if re.search(rf"\b{word}", words)), None)
    lifting = re.search(r"\b(lift|raise)", words)
    named = _legs_in(words)
    if gait is None and ((lifting and named) or re.search(r"\bstop\b", words)):
        gait = "stand"
    if gait is None:
        raise UnknownGoal(
            f"expected a gait (trot, pace, bound, stand) in every part, got {instruction!r}"
        )
    seconds = re.search(r"(\d+(?:\.\d+)?) ?(?:s|seconds)\b", words)
    faster = named[0] if named and "frequency" in words else None
    standing = gait == "stand"
    return Segment(
        gait=gait,
        vx=0.0 if standing else _speed(words),
        duration_s=float(seconds[1]) if seconds else (STAND_S if standing else MOVE_S),
        up=() if faster else _lifted(words, named, standing),
        airborne="suspension" in words,
        faster=faster,
    )


def _legs_in(words: str) -> tuple[Leg, ...]:
    return tuple(
        leg
        for (end, side), leg in _LEG_WORDS.items()
        if re.search(rf"\b({end} {side}|{side} {end}|{leg.value.lower()})\b", words)
    )


def _lifted(words: str, named: tuple[Leg, ...], standing: bool) -> tuple[Leg, ...]:
    """The named legs are in the air, unless the sentence says to stand on them."""
    if standing and re.search(r"\bstand on (?!three|two|3|2)", words):
        return tuple(leg for leg in _LEG_WORDS.values() if named and leg not in named)
    return named


def _speed(words: str) -> float:
    if re.search(r"in place|on spot", words):
        return 0.0
    size = FAST_M_S if re.search(r"fast|quick", words) else SLOW_M_S
    return -size if "backward" in words else size
