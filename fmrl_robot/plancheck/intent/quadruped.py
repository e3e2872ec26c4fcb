"""Whether a quadruped's plan is what the instruction says: all of it, in order, and nothing else.

The instruction is read by words alone (quadruped_clauses.py), the plan by its rows alone
(quadruped_plan.py). A plan fits when every clause that asks can be laid on a segment that does what
it says, in the order said; what is forbidden must be true of no segment. A word that is not known
demands nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent.quadruped_clauses import read
from fmrl_robot.plancheck.intent.quadruped_counts import unmeasured
from fmrl_robot.plancheck.intent.quadruped_plan import LEG_WORDS, Segment, say
from fmrl_robot.plancheck.intent.quadruped_plan import read as read_plan
from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Reading
from fmrl_robot.plancheck.intent.quadruped_strict import beyond
from fmrl_robot.plancheck.intent.quadruped_truth import SPEED_TOLERANCE_M_S, true_of
from fmrl_robot.plancheck.intent.quadruped_words import Mention, begins, read_lexicon, says
from fmrl_robot.types import Plan, Problem

SPEEDS_M_S = (0.0, 0.5, 1.0)
MAX_SECONDS = 60.0
_CALLS = ("gait", "choice", "way", "speed", "vx", "legs", "rest", "go", "lift", "air")
"""Kinds of mention that call for moving or standing."""
_DEMANDS = ("gait", "way", "speed", "vx", "seconds", "tempo", "legs", "double", "air")
_ASKS_MOTION = {"choice", "go", "way", "speed", "vx", "tempo", "double", "air"}
"""Kinds of mention that make stepping on the spot asked for."""
_LIKE_BACK = 0.7
"""A word that much like one that says backward may be a slip of it."""
_SIGNALS = ("wave", "salute", "high five")
"""What is done with a leg, whichever."""
_SLIP = 0.75
"""A word so like one that counts may be a slip of it."""
_NEXT = "say it in other words"


def understood(plan: Plan) -> str:
    """Say in words what a plan would do, from its rows and velocities."""
    return say(read_plan(plan))


def problems(instruction: str, plan: Plan) -> tuple[Problem, ...]:
    """Return why ``plan`` is not what ``instruction`` says; empty where it is."""
    segments = read_plan(plan)
    reading = read(instruction)
    looks = (_forbidden, _no_order, _unable, _nothing, _incomplete, _measured, _exceeded, _beyond)
    for look in looks:
        found = next(look(instruction, reading, segments), None)
        if found is not None:
            code, message = found
            return (
                Problem(code=int(code), message=f"I would {say(segments)}, {message}; {_NEXT}"),
            )
    return ()


Finding = tuple[ErrorCode, str]


def _forbidden(_: str, reading: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    for at, clause in enumerate(reading.clauses):
        demands = _banned(clause)
        side = re.search(r"\b(left|right) (one|side|ones)\b", clause.text)
        ups = {leg.name[1] for s in segments for leg in s.up}
        if clause.status == "ban" and side and not demands and side[1][0].upper() in ups:
            yield ErrorCode.INTENT_FORBIDDEN, f"but you forbade {clause.text.strip(' ,.!?')!r}"
        if (
            clause.status == "ban"
            and demands
            and any(
                all(true_of(m, clause, reading, s) for m in demands)
                for s in _later(at, demands, reading, segments)
                if s.vx or demands[0].kind != "speed"
            )
        ):
            yield ErrorCode.INTENT_FORBIDDEN, f"but you forbade {clause.text.strip(' ,.!?')!r}"


def _later(
    at: int, demands: Sequence[Mention], reading: Reading, segments: Sequence[Segment]
) -> Sequence[Segment]:
    """The segments that a ban holds for: "trot, and then, minus any trotting, pace" asks first."""
    asked = [c for c in reading.clauses[:at] if c.status == "ask" and c.firm]
    sentence = reading.clauses[at].sentence
    turned = any(c.follows for c in reading.clauses[: at + 1] if c.sentence == sentence)
    bare = all(m.kind == "gait" for m in demands)
    for m in demands if turned and bare else ():
        if any(m.value == o.value for c in asked for o in c.of("gait")):
            first = next((i for i, s in enumerate(segments) if m.value in s.gaits), -1)
            return segments[first + 1 :]
    return segments


def _banned(clause: Clause) -> list[Mention]:
    demands = [
        m
        for m in clause.mentions
        if m.kind == "air"
        or (m.kind in ("gait", "way", "speed", "vx", "tempo") and m.value != "any")
    ]
    lifts = bool(clause.of("lift"))
    if lifts or clause.of("double") or clause.opener in ("not", "never", "nor"):
        demands += clause.of("legs", "some_leg", "double")
    if not demands:
        demands = [
            m for m in clause.of("go") if re.match("(any )?(mov|motion|locomot)", clause.text)
        ]
    return demands


def _no_order(instruction: str, _: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    if not segments:
        yield ErrorCode.INTENT_NOTHING, "and nothing is no answer to an order"
    if any(re.search(p, instruction) for p in read_lexicon()["machine"]):
        yield ErrorCode.INTENT_NOTHING, "but what you wrote reads like data or code, not an order"


def _nothing(_: str, reading: Reading, __: Sequence[Segment]) -> Iterator[Finding]:
    calls = [c for c in reading.clauses if c.status in ("ask", "withdrawn") and c.of(*_CALLS)]
    banned = any(c.status == "ban" for c in reading.clauses)
    if not banned and any(_unknown_act(c) for c in reading.asked()):
        return
    if not calls or not any(_demands(c, reading) or c.of(*_CALLS) for c in reading.asked()):
        yield ErrorCode.INTENT_NOTHING, "but nothing in what you wrote asks for moving or standing"


def _unknown_act(clause: Clause) -> bool:
    """Whether a clause has the form of an order in words that are not known: "toddle on"."""
    return not clause.mentions and begins("act_form", clause.text)


def _unable(_: str, reading: Reading, __: Sequence[Segment]) -> Iterator[Finding]:
    for clause in (c for c in reading.asked() if c.firm or not c.mentions):
        for m in clause.of("anywhere", "cannot"):
            before = clause.text[: max(0, clause.text.find(m.text))]
            first = all(says("lead_in", w) for w in before.split())
            # "that rolling gait" is one to go in, and not an act.
            manner = any(
                reading.text[m.end : o.start].strip() in ("", "a", "the")
                for o in clause.of("gait", "go")
                if o.start > m.end
            )
            act = (
                first
                and not manner
                and not _tells(f"{clause.opener} {before}")
                and not clause.of("legs")
            )
            if m.kind == "anywhere" or act:
                yield ErrorCode.INTENT_INCOMPLETE, f"but you asked also for {m.text!r}"
        for m in clause.of("vx"):
            if min(abs(abs(float(m.value)) - v) for v in SPEEDS_M_S) > SPEED_TOLERANCE_M_S:
                yield (
                    ErrorCode.INTENT_INCOMPLETE,
                    f"but you asked for {m.text!r}, and I know only 0, 0.5 and 1 m/s",
                )
        for m in clause.of("seconds"):
            if float(m.value) > MAX_SECONDS:
                yield (
                    ErrorCode.INTENT_INCOMPLETE,
                    f"but you asked for {m.text!r}, and I do a thing for at most 60 s",
                )
        unread = [w for w in clause.text.split() if w.isalpha() and not says("lead_in", w)]
        if any(get_close_matches(w, read_lexicon()["mended"], 1, _SLIP) for w in unread):
            unread = []
        unread = [] if begins("noun_first", clause.text) else unread
        if (
            clause.sign == "then"
            and "next" not in clause.opener
            and not clause.mentions
            and unread
            and not says("again", clause.text)
            and not says("quantity", clause.text)
        ):
            yield ErrorCode.INTENT_INCOMPLETE, f"but you asked also for {clause.text!r}"


def _tells(before: str) -> bool:
    """Whether an act is the speaker's own: "I can smell", and not "I want you to"."""
    return before.strip() == "you" or bool(
        re.search(r"\b(i|let me)\b(?!.*\b(you|order|ask|command)\b)", before)
    )


def _incomplete(_: str, reading: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    for clause in reading.asked():
        for m in _demands(clause, reading):
            if not any(true_of(m, clause, reading, s) for s in segments):
                yield ErrorCode.INTENT_INCOMPLETE, f"but you asked also for {m.text!r}"
    if _slipped(reading.text) or _laid(reading, segments):
        return
    if not reading.ordered:
        if not _covered(reading, segments):
            yield ErrorCode.INTENT_EXCEEDED, "but not all of that was asked for"
        return
    if _laid(reading, segments, gaps=True):
        yield ErrorCode.INTENT_EXCEEDED, "but not all of that was asked for"
    yield ErrorCode.INTENT_INCOMPLETE, "but that is not in the order or not together as you asked"


def _slipped(text: str) -> bool:
    """Whether a word is so like one that counts that what was asked may not be read in full."""
    lexicon = read_lexicon()
    known = {*lexicon["own_words"], *lexicon["mended"]}
    return any(
        w not in known
        and not any(says(e, w) for e in ("lead_in", "link"))
        and get_close_matches(w, lexicon["mended"], 1, _SLIP)
        for w in re.findall(r"[a-z]{3,}", text)
    )


def _demands(clause: Clause, reading: Reading) -> list[Mention]:
    return [
        m
        for m in clause.mentions
        if clause.firm
        and (m.kind in _DEMANDS or m.text in _SIGNALS)
        and m.value != "any"
        and (m.kind != "double" or clause.of("legs"))
        and (m.kind != "way" or _moves(clause))
        and not _contradicted(m, clause)
        and not _excepted(m, reading)
        and (m.kind != "legs" or clause.of("lift", "double") or not says("in_phase", reading.text))
        and (m.kind != "speed" or clause.of("gait", "way", "lift") or not clause.of("legs"))
    ]


def _moves(clause: Clause) -> bool:
    """Whether a way is one to go, and not where a leg is: "the leg at the back up"."""
    gaits = {m.value for m in clause.of("gait", "choice")}
    return bool(gaits - {"stand"} or clause.of("go", "vx")) or not clause.of(
        "legs", "lift", "some_leg"
    )


def _excepted(m: Mention, reading: Reading) -> bool:
    """Whether it stands in a list that an exception takes it out of: "all save the trot"."""
    if m.value == "stand" and re.match("(no|zero|not a|not one) ", m.text):
        return any(c.sign == "except" and c.status == "ask" for c in reading.clauses)
    return m.kind == "gait" and any(
        m.value == o.value
        for c in reading.clauses
        if c.sign == "except" and c.status == "ban"
        for o in c.of("gait")
    )


def _contradicted(m: Mention, clause: Clause) -> bool:
    """Whether a clause says the opposite as well: "like the wind, carefully"."""
    if m.value == "forward" and any(v.value.startswith("-") for v in clause.of("vx")):
        return True
    if m.kind == "speed" and clause.of("vx", "double"):
        return True
    return m.kind == "speed" and len({o.value for o in clause.of("speed")} - {"any"}) > 1


def _covered(reading: Reading, segments: Sequence[Segment]) -> bool:
    """Whether every segment does what some clause says, in whatever order; a gait is enough."""

    def does(s: Segment) -> bool:
        return any(
            all(true_of(m, c, reading, s) for m in _demands(c, reading))
            or any(true_of(m, c, reading, s) for m in c.of("gait"))
            for c in reading.asked()
            if c.mentions
        )

    return all(does(s) for s in segments)


def _laid(reading: Reading, segments: Sequence[Segment], *, gaps: bool = False) -> bool:
    """Whether the clauses can be laid on the segments in order, each segment under one.

    A clause lies on one segment; the next one on the same or a later one, on a later one where a
    word such as "then" stands between.
    """
    gaps = gaps or (says("again", reading.text) and _covered(reading, segments))
    reachable: set[int] = {-1}
    follows = False
    for clause in reading.asked():
        demands = _demands(clause, reading)
        if not demands and not (
            clause.of("rest", "go", "lift", "some_leg", *_DEMANDS) or _unknown_act(clause)
        ):
            continue
        follows = follows or clause.follows
        if len(segments) > 1 and says("overall", _rest(clause)):
            # "all slow", "each for 3 s": true of whichever.
            continue
        fits = [all(true_of(m, clause, reading, s) for m in demands) for s in segments]
        found: set[int] = set()
        for at in reachable:
            first = at + 1 if follows or at < 0 else at
            last = len(segments) if gaps else min(at + 2, len(segments))
            found |= {j for j in range(first, last) if fits[j]}
        if not demands:
            found |= reachable
        if not found:
            return False
        reachable, follows = found, False
    return gaps or len(segments) - 1 in reachable


def _rest(clause: Clause) -> str:
    """The words of a clause that are no mention."""
    text = clause.text
    for m in clause.mentions:
        text = text.replace(m.text, " , ", 1)
    return text


def _exceeded(_: str, reading: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    said = [m for c in reading.clauses if c.status != "ban" for m in c.mentions]
    meant = [c for c in reading.clauses if c.status in ("ask", "background")]
    named = {m.value for c in reading.asked() for m in c.of("gait", "choice")}
    gaits = {m.value for c in meant for m in c.of("gait", "choice")}
    gaits |= {"bound"} if says("leaps", reading.text) else set()
    # "at a lazy pace" may mean the gait, and "boundingstraight" is a slip of the keyboard.
    unnamed = reading.text
    for m in (m for m in said if m.kind in ("gait", "choice")):
        unnamed = unnamed.replace(m.text, " , ")
    banned = {m.value for c in reading.clauses if c.status == "ban" for m in c.mentions}
    gaits |= {gait for gait in ("pace", "trot", "bound") if gait in unnamed} - banned
    if any(c.of("go", "way", "speed", "vx") and not c.of("gait", "choice") for c in meant):
        gaits |= {"trot"}  # Walking is done at a trot.
    ways = {m.value for m in said if m.kind == "way"}
    legs = {m.value for m in said if m.kind == "legs"}
    kinds = {m.kind for m in said} | (
        {"go"} if gaits - {"stand"} or _slipped(reading.text) else set()
    )
    # Legs said in words that nobody worked out may be any.
    unread = len(re.findall(r"\b(left|right)\b", reading.text)) > sum(
        m.kind == "legs" for m in said
    )
    named = set[str]() if says("whichever_gait", reading.text) else named
    for s in segments:
        moving = s.gaits - {"stand"}
        if moving == s.gaits and s.vx == 0 and not s.tempo and not kinds & _ASKS_MOTION:
            yield ErrorCode.INTENT_EXCEEDED, "but nobody asked me to step"
        if s.strays:
            yield ErrorCode.INTENT_EXCEEDED, "but nobody asked me to turn or to go sideways"
        if moving and named - {"stand"} and not moving & gaits:
            yield ErrorCode.INTENT_EXCEEDED, f"but nobody asked me to {min(moving)}"
        if s.vx < 0 and "backward" not in ways and not _backward_after_all(reading.text):
            yield ErrorCode.INTENT_EXCEEDED, "but nobody asked me to go backward"
        if s.up and not kinds & {"legs", "some_leg"} and not says("some_side", reading.text):
            yield ErrorCode.INTENT_EXCEEDED, "but nobody asked me to lift a leg"
        if len(s.up) == 1 and not unread and len(legs) in (1, 2) and not legs & set(s.up):
            yield ErrorCode.INTENT_EXCEEDED, f"but nobody named the {LEG_WORDS[min(s.up)]}"
        if s.faster and not kinds & {"double", "tempo", "speed", "legs"}:
            yield ErrorCode.INTENT_EXCEEDED, "but nobody asked for a leg that steps faster"


def _measured(_: str, reading: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    for what in unmeasured(reading, segments):
        yield ErrorCode.INTENT_INCOMPLETE, f"but you asked also for {what!r}"


def _beyond(_: str, reading: Reading, segments: Sequence[Segment]) -> Iterator[Finding]:
    for what in beyond(reading, segments):
        yield ErrorCode.INTENT_EXCEEDED, f"but nobody asked me to {what}"


def _backward_after_all(text: str) -> bool:
    """Whether a word is a slip of one that may mean backward, or a number has a minus."""
    return bool(re.search(r"back|rear|revers|minus", text)) or any(
        get_close_matches(w, read_lexicon()["like_backward"], 1, _LIKE_BACK)
        for w in re.findall(r"[a-z]{5,}", text)
    )
