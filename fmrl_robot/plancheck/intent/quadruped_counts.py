"""Numbers of an instruction that no clause makes a duration of: "then four", "twice over".

They are held against the plan as a whole, for nobody can say which segment they belong to: a plan
in which a number is nowhere to be found leaves something out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fmrl_robot.plancheck.intent.quadruped_plan import Segment
from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Reading
from fmrl_robot.plancheck.intent.quadruped_words import Mention, begins, first_of, number_of
from fmrl_robot.types import Leg

_TIMES = re.compile(
    r"\b(?:(twice|thrice) over|(twice|thrice)(?= [,.:!]| in a row|$)|"
    r"(two|three|four|five|[2-9]) (?:rounds|repetitions|sets|"
    r"times(?! (?:as|the|faster|more|per|in|a|every|each|nominal|normal))))\b"
)
_OFTEN = {"twice": 2, "thrice": 3, "two": 2, "three": 3, "four": 4, "five": 5}
_NUMBER = re.compile(
    r"(?<![\w.])(two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|[2-9]|\d\d+)(?![\w.])"
)
_NAMED = re.compile(
    r"\b(?:other|last|first|these|those|remaining|both|step|phase|stage|part|number|front) $"
)
"""Before a number that numbers things, or says how many are left: "step two", "the other two"."""
_SAME_S = 0.26
_ALONE = re.compile(rf"(?:(?:in|for|the|another|next|only) )*{_NUMBER.pattern}(?: more)?[ .!,]*")
"""A clause that is a number and nothing else: "in the three"."""


def unmeasured(reading: Reading, segments: Sequence[Segment]) -> Iterator[str]:
    """Yield what of an instruction's numbers and measures a plan does not show."""
    seconds = [s.seconds for s in segments]
    for clause in reading.asked():
        times = _TIMES.search(clause.text + " ,")
        if times:
            word = next(g for g in times.groups() if g)
            often = _OFTEN[word] if word in _OFTEN else int(word)
            # "twice over: trot, stand" is of all of it, and "trot three times" of that alone.
            acts = [c for c in reading.asked() if c.of("gait", "choice", "go")]
            of_all = not clause.of("gait", "choice", "go", "rest", "lift")
            if len(segments) < often * (len(acts) if of_all else 1):
                yield times.group()
    pairs = [(a, b) for i, a in enumerate(seconds) for b in seconds[i + 1 :]]
    double = first_of("twice_as_long", reading.text)
    if double and not any(abs(max(p) - 2 * min(p)) <= _SAME_S for p in pairs):
        yield double
    same = first_of("as_long", reading.text)
    if same and not double and not any(abs(a - b) <= _SAME_S for a, b in pairs):
        yield same
    speeds = [abs(s.vx) for s in segments if s.vx]
    alike = first_of("same_speed", reading.text)
    if alike and len(speeds) > 1 and len(set(speeds)) == len(speeds):
        yield alike
    upright = first_of("on_hind", reading.text)
    if upright and not any({Leg.FL, Leg.FR} <= s.up for s in segments):
        yield upright
    yield from _bare(reading, seconds)


def _bare(reading: Reading, seconds: Sequence[float]) -> Iterator[str]:
    """Numbers with no unit, where others have one: "stand 4 s with FL up, then four with FR up"."""
    asked = reading.asked()
    timed = [float(m.value) for c in asked for m in c.of("seconds")]
    # A clause that names two gaits was split, and each part has the words of both.
    whole = list({(c.sentence, c.text): c for c in asked}.values())
    said = [[m for c in asked if c.text == one.text for m in c.mentions] for one in whole]
    bare = [w for c, some in zip(whole, said, strict=True) for w in _numbers(c, some)]
    bare = bare if timed else []
    for word in bare:
        wanted = number_of(word)
        told = [*timed, *(number_of(other) for other in bare)]
        if _alike(wanted, seconds) < min(_alike(wanted, told), len(seconds)):
            yield word


def _alike(wanted: float, some: Sequence[float]) -> int:
    return sum(abs(wanted - s) <= _SAME_S for s in some)


def _numbers(clause: Clause, said: Sequence[Mention]) -> Iterator[str]:
    """The numbers of a clause that are in no mention and count nothing else."""
    short = _ALONE.fullmatch(clause.text) or "should be" in clause.text
    if not (clause.firm or clause.sign in ("then", "and") or short):
        return
    rest = clause.text
    for m in said:
        rest = rest.replace(m.text, "," * len(m.text), 1)
    for m in _NUMBER.finditer(rest):
        before, after = rest[: m.start()], clause.text[m.end() :].strip()
        # "4 five seconds" is "for", as some type it, and "2 the rear" is "to".
        typed = m.group() in ("2", "4") and not re.match(r"$|[,.;]|with|after|more|should", after)
        item = m.start() == 0 and after.startswith(tuple(o.text for o in said))
        if not (begins("counted", after) or typed or item or _NAMED.search(before)):
            yield m.group()
