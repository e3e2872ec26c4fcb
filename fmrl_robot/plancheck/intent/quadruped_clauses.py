"""An instruction as clauses: what each asks for or forbids, and in which order they are to happen.

Three passes: sentences (told stories and questions are set aside), clauses (parted by marks, "and",
"then"), and polarity (a negation or an exception holds to the end of its clause).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fmrl_robot.plancheck.intent.quadruped_polarity import inherited, polarity, weighed
from fmrl_robot.plancheck.intent.quadruped_reading import Clause, Reading, Status
from fmrl_robot.plancheck.intent.quadruped_told import asks_of_others, tells, unquoted
from fmrl_robot.plancheck.intent.quadruped_words import (
    Mention,
    begins,
    first_of,
    leading,
    mentions,
    plain,
    says,
)

_ENDS = frozenset(".!?;")
_PARTS = frozenset([*",:()\"-+", "and", "but", "or", "nor", "while", "so", "plus", "just", "please",
                    "instead", "only", "yet", "now", "until"])  # fmt: skip
_SAID = ("gait", "choice", "speed", "vx", "legs", "some_leg", "lift", "rest", "air", "double")
"""Kinds of mention by which "the gait is a trot" may be an order; "the wind goes back" is none."""
_TURNS = frozenset({",", "fresh", "please", "just", "so", "now"})
"""Where "before X, Y" turns from X to Y."""
_BARE = frozenset({"just", "only", "please", "now", "so", "fresh"})
"""Signs that a ban goes on over where nothing was said of it yet: "do not show me a trot"."""
_STRONG = frozenset({"then", "before", "after"})
_SIGNS = frozenset(
    ["ban", "except", "idiom", "after_ban", "withdraw", "then", "before", "after", "fresh",
     "reason"]
)  # fmt: skip
"""Kinds that steer the reading and demand nothing."""


def read(instruction: str) -> Reading:
    """Read an instruction."""
    text = _named(unquoted(plain(instruction)))
    found = mentions(text)
    clauses: list[Clause] = []
    for number, (start, end) in enumerate(_sentences(text, found)):
        inside = [m for m in found if start <= m.start < end]
        parts = list(_clauses(text, start, end, inside, number))
        for part in _asides(text[start:end], parts):
            if part.sign == "withdraw":
                clauses = [_withdrawn(c) for c in clauses]
            clauses.append(part)
    clauses = [weighed(c) for c in _swapped(inherited(_chosen(clauses)))]
    clauses = [
        replace(c, status="aside") if c.status == "ask" and _about_gait(c.text) else c
        for c in clauses
    ]
    clauses = [replace(c, firm=_commands(c)) for c in clauses]
    others = any(c.sign == "withdraw" and c.text.strip(" .,!?") for c in clauses)
    if others and not any(c.status == "ask" and c.mentions for c in clauses):
        # "forward, I mean left, then right": said again in other words, and not taken back.
        clauses = [replace(c, status="ask") if c.status == "withdrawn" else c for c in clauses]
    if not any(c.status == "ask" and c.mentions for c in clauses):
        # Where nothing else asks, what seemed to be told is the order: "the gait is a trot".
        clauses = [
            replace(c, status="ask") if c.status == "background" and c.of(*_SAID) else c
            for c in clauses
        ]
    ordered = _ordered(text, found) and not _detour(clauses)
    return Reading(
        text=text, clauses=tuple(c for one in clauses for c in _split(one)), ordered=ordered
    )


def _named(text: str) -> str:
    """Call "the other front leg" by its name, where its twin was named before."""
    while m := re.search(r"\bthe other (front|fore|rear|hind|back) (leg|paw|foot)\b", text):
        end = "F" if m[1] in ("front", "fore") else "R"
        before = [o.value for o in mentions(text[: m.start()]) if o.value[:1] == end]
        named = {"FL": "front right", "FR": "front left", "RL": "rear right", "RR": "rear left"}
        twin = named.get(before[-1], "that") if before else "that"
        text = f"{text[: m.start()]}the {twin} {m[2]}{text[m.end() :]}"
    return text


def _withdrawn(clause: Clause) -> Clause:
    return replace(clause, status="withdrawn") if clause.status == "ask" else clause


def _sentences(text: str, found: Sequence[Mention]) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in re.finditer(r"[.!?;](?= |$)", text):
        if not any(m.start <= mark.start() < m.end for m in found):
            yield start, mark.end()
            start = mark.end()
    if text[start:].strip():
        yield start, len(text)


def _asides(sentence: str, row: Sequence[Clause]) -> list[Clause]:
    """Set aside what a sentence tells or asks about instead of ordering it."""
    words = sentence.strip()
    while m := leading("interjection", words):
        words = words[len(m) :].strip()
    asked = words.endswith("?") and begins("question", words)
    if begins("of_words", words):
        return [replace(c, status="aside") if c.status != "ban" else c for c in row]
    if asked or asks_of_others(words) or begins("definition", words):
        return [replace(c, status="aside") for c in row]
    narrated = begins("narrator", words) and not says("order_words", words)
    acts = any(c.of("gait", "way", "speed", "legs", "rest", "go", "lift") for c in row)
    told = tells(words)
    if (
        told
        or begins("told", words)
        or begins("about_gait", words)
        or (narrated and (not acts or says("telling", words) or begins("teller", words)))
    ):
        status: Status = "aside"
    elif narrated and says("telling_now", words):
        status = "background"
    else:
        return [_told(c) if i else c for i, c in enumerate(row)]
    orders = next(
        (i for i, c in enumerate(row) if i and _orders(c) and not _lists(row[i - 1], c)), len(row)
    )
    return [
        replace(c, status=status) if i < orders and (c.status == "ask" or _gives(c, told)) else c
        for i, c in enumerate(row)
    ]


def _gives(clause: Clause, told: bool) -> bool:
    """Whether a clause gives a reason within what is told: "when I was young I could hop"."""
    return told and clause.status == "background"


def _about_gait(text: str) -> bool:
    """Whether a clause speaks of a gait instead of asking for it: "trotting is suspended"."""
    about = first_of("about_gait", text)
    return bool(about) and not says("commanding", text.partition(about)[0])


def _told(clause: Clause) -> Clause:
    """Set aside a clause within an order that only tells: "Hello there, my feet hurt all day"."""
    told = begins("teller", clause.text) and says("telling", clause.text)
    told = (told and not says("order_words", clause.text)) or begins("being_does", clause.text)
    if clause.status != "ask" or not told:
        return clause
    return replace(clause, status="aside")


def _lists(last: Clause, clause: Clause) -> bool:
    """Whether a clause is but the next gait of a list: "her horse can pace, bound and trot"."""
    gaits = clause.of("gait")
    listed = bool(gaits and last.of("gait")) and clause.sign != "so"
    return listed and clause.text.strip(" .,!?;") == gaits[0].text


def _commands(clause: Clause) -> bool:
    """Whether nothing stands before the first mention but what leads in an order."""
    if not clause.mentions:
        return False
    before = clause.text.partition(clause.mentions[0].text)[0]
    return says("commanding", before) or all(
        says("lead_in", w) or says("link", w) for w in before.split()
    )


def _orders(clause: Clause) -> bool:
    """Whether a clause begins with what may be done."""
    # "the dog trotted to the village and back" goes on telling.
    ways = () if clause.sign == "and" else clause.of("way")
    acts = clause.of("gait", "go", "rest", "speed", "lift", "cannot") or ways
    if not acts or clause.sign == "so":
        return clause.sign == "so"
    if says("trails", clause.text) and not clause.of("gait", "go", "rest", "lift"):
        return False  # "I shall run again, slowly at first"
    before = clause.text[: max(0, clause.text.find(acts[0].text))]
    past = acts[0].text.endswith("ed") or acts[0].text in ("ran", "went", "came", "stood")
    return not past and all(says("lead_in", w) for w in before.split())


def _clauses(
    text: str, start: int, end: int, inside: Sequence[Mention], number: int
) -> Iterator[Clause]:
    """Cut a sentence at its marks and at what changes polarity."""
    cuts: list[tuple[int, int, str]] = [(start, start, "")]
    for mark in re.finditer(r"\S+", text[start:end]):
        at = start + mark.start()
        if mark.group() in _PARTS and not any(m.start <= at < m.end for m in inside):
            cuts.append((at, start + mark.end(), mark.group()))
    cuts += [(m.start, m.end, m.kind) for m in inside if m.kind in _SIGNS - {"after_ban"}]
    cuts.sort()
    status: Status = "ask"
    pending = empty = banned = False
    for (at, after, sign), (until, _, _) in zip(cuts, [*cuts[1:], (end, end, "")], strict=True):
        before = text[start:at].rstrip(" ,:") if sign == "except" else text[start:after]
        # "do not just stand there": nothing was said yet of what is not to be done.
        if not (empty and status == "ban" and sign in _BARE):
            status = polarity(sign, "ban" if banned and sign == "except" else status, before)
        pending = pending or sign in _STRONG
        body = text[after:until].strip()
        own = tuple(m for m in inside if after <= m.start < until)
        empty = not body.strip(".!?; ") and not own
        if empty and sign != "withdraw":
            continue
        if says("anymore", body):
            status = "aside"
        banned = any(m.kind == "after_ban" for m in own)
        clause = Clause(
            status="ban" if banned else status,
            mentions=tuple(m for m in own if m.kind not in _SIGNS),
            text=body,
            follows=pending,
            sentence=number,
            sign=sign,
            opener=text[at:after],
        )
        # "after 3 s trot": the time is that of what came before.
        first = next(iter(clause.of("seconds")), None)
        if sign == "after" and first is not None and body.startswith(first.text):
            yield replace(clause, mentions=(first,), text=first.text, follows=False, sign=",")
            left = body.removeprefix(first.text).strip()
            if not left.strip(".!?;"):
                continue
            clause = replace(clause, mentions=clause.mentions[1:], text=left, sign="then")
        pending = False
        yield clause


def _chosen(clauses: Sequence[Clause]) -> list[Clause]:
    """Gaits with "or" between them are a choice, none of which is demanded."""
    found = list(clauses)
    for i, clause in enumerate(clauses):
        if i and clause.sign == "or" and clause.status == "ask" and clause.of("gait"):
            found[i - 1 : i + 1] = [_choice(found[i - 1]), _choice(clause)]
    return found


def _choice(clause: Clause) -> Clause:
    row = (replace(m, kind="choice") if m.kind == "gait" else m for m in clause.mentions)
    return replace(clause, mentions=tuple(row))


def _swapped(clauses: Sequence[Clause]) -> list[Clause]:
    """Put the clauses of "before X, Y" and "X after Y" in the order in which they happen."""
    found: list[Clause] = []
    for number in dict.fromkeys(c.sentence for c in clauses):
        row = [c for c in clauses if c.sentence == number]
        signs = [i for i, c in enumerate(row) if c.sign in ("before", "after")]
        if len(signs) == 1 and not any(c.sign == "then" for c in row):
            at = signs[0]
            head, tail = row[:at], row[at:]
            asks = any(c.mentions and c.status != "aside" for c in head)
            if row[at].sign == "after" and asks:
                row = [*_unflagged(tail), *_flagged(head)]
            elif row[at].sign == "before" and not asks:
                # Up to the comma it is said what comes later.
                comma = next((i for i, c in enumerate(tail) if i and c.sign in _TURNS), len(tail))
                row = [*head, *_unflagged(tail[comma:]), *_flagged(tail[:comma])]
            elif row[at].sign == "after":
                comma = next((i for i, c in enumerate(tail) if i and c.sign in _TURNS), len(tail))
                first, rest = _unflagged(tail[:comma]), tail[comma:]
                told = any(c.mentions for c in first)
                row = [*head, *first, *(_flagged(rest) if told else rest)]
        found += row
    return found


def _detour(clauses: Sequence[Clause]) -> bool:
    """Whether a sentence has a "before" with acts on both sides and a comma behind: who knows."""
    for i, c in enumerate(clauses):
        if (
            c.sign == "before"
            and any(
                d.sign == "," and d.mentions and d.sentence == c.sentence for d in clauses[i + 1 :]
            )
            and any(d.mentions and d.sentence == c.sentence for d in clauses[:i])
        ):
            return True
    return False


def _split(clause: Clause) -> Iterator[Clause]:
    """Part a clause where a second gait or way is named: "trot forward bound back"."""
    row: list[Mention] = []
    for m in clause.mentions:
        if m.kind in ("gait", "way") and any(o.kind == m.kind and o.value != m.value for o in row):
            yield replace(clause, mentions=tuple(row))
            clause, row = replace(clause, follows=False, sign=""), []
        row.append(m)
    yield replace(clause, mentions=tuple(row))


def _flagged(row: Sequence[Clause]) -> list[Clause]:
    return [replace(c, follows=True) if i == 0 else c for i, c in enumerate(row)]


def _unflagged(row: Sequence[Clause]) -> list[Clause]:
    return [replace(c, follows=False) if i == 0 else c for i, c in enumerate(row)]


def _ordered(text: str, found: Sequence[Mention]) -> bool:
    """Whether clauses are done in the order in which they are said, as far as their words tell."""
    signs = [m for m in found if m.kind in ("before", "after")]
    if len(signs) > 1 or (signs and any(m.kind == "then" for m in found)):
        return False
    if any(m.text.endswith(("that", "this")) for m in signs):
        return False
    if says("not_before", text):
        return False
    rest = text
    for m in reversed(found):
        if m.kind in ("then", "seconds", "before", "after", "air"):
            rest = rest[: m.start] + " " * (m.end - m.start) + rest[m.end :]
    if says("reorder", rest):
        return False
    acts = [m for m in found if m.kind in ("gait", "way", "legs")]
    for m in re.finditer(r"\S+", rest):
        if says("early", m.group()) and any(a.start < m.start() for a in acts):
            return False
        follows = any(a.start > m.start() for a in found if a.kind == "then")
        if says("late", m.group()) and follows:
            return False
    return True
