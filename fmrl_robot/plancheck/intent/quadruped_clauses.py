"""An instruction as clauses: what each asks for or forbids, and in which order they are to happen.

Three passes: sentences (told stories and questions are set aside), clauses (parted by marks, "and",
"then"), and polarity (a negation or an exception holds to the end of its clause).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fmrl_robot.plancheck.intent.quadruped_words import Mention, begins, mentions, plain, says

Status = Literal["ask", "ban", "aside", "background", "withdrawn"]

_ENDS = frozenset(".!?;")
_PARTS = frozenset([*",:()\"-+", "and", "but", "or", "nor", "while", "so", "plus", "just", "please",
                    "instead", "only", "yet", "now", "until"])  # fmt: skip
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A stretch of the instruction that asks, forbids, or only tells."""

    status: Status
    mentions: tuple[Mention, ...]
    text: str
    follows: bool
    """What it asks for comes in a later segment than what was asked before."""
    sentence: int
    sign: str
    """The kind of mention or the word that opened it."""
    opener: str
    """The words of that mention."""
    firm: bool = True
    """It commands beyond doubt; what a doubtful one mentions may be in the plan and need not."""

    def of(self, *kinds: str) -> tuple[Mention, ...]:
        """Return its mentions of some kinds."""
        return tuple(m for m in self.mentions if m.kind in kinds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An instruction, read."""

    text: str
    clauses: tuple[Clause, ...]
    ordered: bool
    """Segments come in the order of the clauses; False: nobody could tell."""

    def asked(self) -> tuple[Clause, ...]:
        """Return the clauses that ask for something."""
        return tuple(c for c in self.clauses if c.status == "ask")


def read(instruction: str) -> Reading:
    """Read an instruction."""
    text = plain(instruction)
    found = mentions(text)
    clauses: list[Clause] = []
    for number, (start, end) in enumerate(_sentences(text, found)):
        inside = [m for m in found if start <= m.start < end]
        parts = list(_clauses(text, start, end, inside, number))
        for part in _asides(text[start:end], parts):
            if part.sign == "withdraw":
                clauses = [_withdrawn(c) for c in clauses]
            clauses.append(part)
    clauses = [_weighed(c) for c in _swapped(_inherited(_chosen(clauses)))]
    clauses = [replace(c, firm=_commands(c)) for c in clauses]
    others = any(c.sign == "withdraw" and c.text.strip(" .,!?") for c in clauses)
    if others and not any(c.status == "ask" and c.mentions for c in clauses):
        # "forward, I mean left, then right": said again in other words, and not taken back.
        clauses = [replace(c, status="ask") if c.status == "withdrawn" else c for c in clauses]
    if not any(c.status == "ask" and c.mentions for c in clauses):
        # Where nothing else asks, what seemed to be told is the order: "the gait is a trot".
        clauses = [replace(c, status="ask") if c.status == "background" else c for c in clauses]
    ordered = _ordered(text, found) and not _detour(clauses)
    return Reading(
        text=text, clauses=tuple(c for one in clauses for c in _split(one)), ordered=ordered
    )


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
    if words.endswith("?") and begins("question", words):
        return [replace(c, status="aside") for c in row]
    narrated = begins("narrator", words) and not says("order_words", words)
    acts = any(c.of("gait", "way", "speed", "legs", "rest", "go", "lift") for c in row)
    if begins("told", words) or (
        narrated and (not acts or says("telling", words) or begins("teller", words))
    ):
        status: Status = "aside"
    elif narrated and says("telling_now", words):
        status = "background"
    else:
        return list(row)
    orders = next(
        (i for i, c in enumerate(row) if i and _orders(c) and not _lists(row[i - 1], c)), len(row)
    )
    return [
        replace(c, status=status) if i < orders and c.status == "ask" else c
        for i, c in enumerate(row)
    ]


def _lists(last: Clause, clause: Clause) -> bool:
    """Whether a clause is but the next gait of a list: "her horse can pace, bound and trot"."""
    gaits = clause.of("gait")
    return bool(gaits and last.of("gait")) and clause.text.strip(" .,!?;") == gaits[0].text


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
    before = clause.text[: max(0, clause.text.find(acts[0].text))]
    return not acts[0].text.endswith("ed") and all(says("lead_in", w) for w in before.split())


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
    pending = empty = False
    for (at, after, sign), (until, _, _) in zip(cuts, [*cuts[1:], (end, end, "")], strict=True):
        before = text[start:after]
        # "do not just stand there": nothing was said yet of what is not to be done.
        if not (empty and status == "ban" and sign in _BARE):
            status = _status(sign, status, before)
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


def _status(sign: str, status: Status, before: str) -> Status:
    """Polarity of what follows a sign."""
    if sign == "ban":
        return "ban"
    if sign == "reason":
        # "avoid anything like bounding" still forbids.
        return "ban" if status == "ban" else "background"
    if sign == "except" or (sign == "but" and says("quantity", _last_part(before))):
        return (
            "ask"
            if status == "ban" or says("nothing", _last_part(before)) or _grounded(before)
            else "ban"
        )
    if sign in ("or", "nor"):
        return status
    return "ask"


def _last_part(before: str) -> str:
    return re.split(r" [,:] ", before)[-1]


def _grounded(before: str) -> bool:
    """All feet down but one: that one is up."""
    return says("down", before)


def _inherited(clauses: Sequence[Clause]) -> list[Clause]:
    """Carry a negation over "and": "without trotting and bounding", "don't trot and bound"."""
    found: list[Clause] = []
    for clause in clauses:
        last = found[-1] if found else None
        if (
            last is not None
            and last.status == "ban"
            and clause.status == "ask"
            and clause.sentence == last.sentence
            and clause.sign in ("and", ",", "or", "nor")
            and _continues(last, clause)
        ):
            # "without lifting one leg and another": what is not to be done holds for both.
            clause = replace(
                clause, status="ban", mentions=(*clause.mentions, *last.of("lift", "double"))
            )
        if last is not None and last.status == "ban" and clause.sign in ("until", "before"):
            # "do not trot until you have stood" asks for both, and so does "before".
            found[-1] = replace(last, status="ask")
        found.append(clause)
    return found


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


def _weighed(clause: Clause) -> Clause:
    """Turn into an order what only sounds like a ban.

    A leg that must not be stood on is to be up; "don't trot too fast" asks for a slow trot.
    """
    too = next((m for m in clause.of("speed") if m.text.startswith("too ")), None)
    if too is not None and clause.status == "ban":
        other = "slow" if too.value == "fast" else "fast"
        row = (replace(m, value=other) if m is too else m for m in clause.mentions)
        return replace(clause, status="ask", mentions=tuple(row))
    legs = clause.of("legs", "some_leg")
    stays = clause.of("legs") and not clause.of("lift", "double", "gait")
    if clause.status == "ask" and stays and says("stays_down", clause.text):
        return replace(clause, status="ban", opener="not", mentions=clause.of("legs"))
    if clause.status == "ban" and legs and not _contrasts(clause):
        if clause.of("lift", "double", "gait"):
            return clause
        return replace(clause, status="ask")
    return clause


def _contrasts(clause: Clause) -> bool:
    """Whether a leg is named only to say that another is meant: "not the front left"."""
    return clause.opener in ("not", "never", "nor") and not says("down", clause.text)


def _continues(last: Clause, clause: Clause) -> bool:
    """Whether a clause goes on with the list that a negation opened: same form, nothing before."""
    before, here = last.of("gait", "way", "legs"), clause.of("gait", "way", "legs")
    if not before or not here or before[0].kind != here[0].kind or here[0].value == "stand":
        return False
    if re.sub(r"^(the|your|its) ", "", clause.text).find(here[0].text) != 0:
        return False
    form = [m.text.endswith("ing") for m in (before[0], here[0])]
    listed = last.opener.endswith(":")
    return form[0] == form[1] and (clause.sign != "," or form[0] or listed)


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
                row = [*head, *_unflagged(tail[:comma]), *_flagged(tail[comma:])]
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
