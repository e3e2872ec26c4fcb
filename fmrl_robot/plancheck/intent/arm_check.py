"""Compares what an arm's plan brings about with what the instruction asks for and forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent.arm import CONTAINERS, Ban, Reader, lexicon
from fmrl_robot.plancheck.intent.arm_effects import Effects, Event, effects
from fmrl_robot.plancheck.intent.clauses import FORBIDS, Stance
from fmrl_robot.plancheck.intent.readback import say
from fmrl_robot.types import Plan, Problem, Scene, SubGoal

_COMMAND = r"(?:^|\b(?:and|then|please|you|to|also|just|first|finally|lastly|now) )"
"""What stands before a verb that asks."""
_COMMAND_WORDS = re.compile(r"(?:and |then |please |you |also |just |now |kindly )*(?:wait|tell|hand|pass|give|point|turn|throw|bring|arrange|keep)\b")
_DESCRIBES = re.compile(
    r"\b(?:what|whats|whatever|contents?|top|upper|bottom|lower|tower|stack|pile|rest|remaining|empty|tidy|clear|clearing|hand|gripper|holding|held|coloured|colored|painted)\b"
)
"""Words by which cubes are meant without being named."""
COUNTS = {"once": 1, "twice": 2, "thrice": 3, "two": 2, "three": 3, "four": 4}


def problems(
    plan: Plan, scene: Scene, done: Sequence[SubGoal] = ()
) -> tuple[Problem, ...]:
    """Return the first way in which a plan is not what was asked for; empty where there is none.

    Args:
        plan: with the instruction that it answers.
        scene: when the task began.
        done: steps that succeeded since then.
    """
    reader = Reader(plan.instruction, scene)
    found = effects([*done, *plan.subgoals], scene)
    for code, message in _Comparison(reader, found, plan).problems():
        return (Problem(code=int(code), message=message),)
    return ()


Finding = tuple[ErrorCode, str]


class _Comparison:
    """One reading beside one plan's effects."""

    def __init__(self, reader: Reader, found: Effects, plan: Plan) -> None:
        self.reader, self.effects, self.plan = reader, found, plan
        self.asking = [
            i
            for i, clause in enumerate(reader.clauses)
            if clause.stance in (Stance.WANTED, Stance.ONLY) and reader.asks(i)
        ]

    def problems(self) -> Iterator[Finding]:
        """Name what is wrong, the gravest first."""
        yield from self._forbidden()
        yield from self._unsupported()
        if not self._asks_anything():
            yield ErrorCode.INTENT_NOTHING, f"{self._would()}, but nothing in it asks for that; say what to do"
        for missing in self._missing():
            yield (
                ErrorCode.INTENT_INCOMPLETE,
                f"{self._would()}, but you asked also for {missing}; say it in other words",
            )
        for extra in self._extra():
            yield (
                ErrorCode.INTENT_EXCEEDED,
                f"{self._would()}, but nobody asked for {extra}; name each thing that should move",
            )

    def _asks_anything(self) -> bool:
        """Whether some clause may ask for something: a verb of a skill, or two things together."""
        reader = self.reader
        asking = [i for i in range(len(reader.clauses)) if reader.may_ask(i)]
        if not self.effects.events:
            return any(m.sure for i in self.asking for m in reader.mentions[i])
        colors = {m.name for i in asking if not reader.told(i) for m in reader.mentions[i]}
        return len(colors) > 1 or any(
            reader.acts(i)
            or reader.names_cube(i)
            or any(not m.name.endswith("_cube") or m.role != "object" for m in reader.mentions[i])
            for i in asking
        )

    def _drawer_wish(self, text: str) -> str:
        """What a clause wants of the drawer: ``open``, ``closed`` or nothing."""
        plain = re.sub(r"\b(?:an?|the|that|this|your|my) (?:open|closed|shut) (?:\w+ )?drawer\b|\bdrawer is (?:open|closed|shut)\b", " ", text)
        if re.search(r"\b(?:close|shut|closing|shutting)\b|\bclosed\b", plain):
            return "closed"
        return "open" if re.search(r"\b(?:open|opened|opening|ajar)\b", plain) else ""

    def _would(self) -> str:
        return f"I would {say(self.effects)}"

    # --- what is forbidden ------------------------------------------------------------------------

    def _forbidden(self) -> Iterator[Finding]:
        for ban in self.reader.bans():
            for event in self.effects.events:
                if breaks(event, ban):
                    yield (
                        ErrorCode.INTENT_FORBIDDEN,
                        f"{self._would()}, but {ban.why!r} forbids it",
                    )

    # --- what is asked for ------------------------------------------------------------------------

    def _unsupported(self) -> Iterator[Finding]:
        for i, clause in enumerate(self.reader.clauses):
            if clause.stance not in (Stance.WANTED, Stance.ONLY):
                continue
            wanted = [rf"\b(?:{p})" for p in lexicon()["unsupported"] if i in self.asking or _COMMAND_WORDS.match(clause.text)]
            wanted += [_COMMAND + verb for verb in lexicon()["unsupported_acts"]]
            for pattern in wanted:
                match = re.search(rf"(?:{pattern})\b", clause.text)
                if match and not clause.tells:
                    yield (
                        ErrorCode.INTENT_INCOMPLETE,
                        f"{self._would()}, but no skill does {match.group()!r}; ask for it without",
                    )

    def _missing(self) -> Iterator[str]:
        for i in filter(self.reader.demands, self.asking):
            yield from self._missing_cubes(i)
            yield from self._missing_places(i)
            yield from self._missing_acts(i)
            yield from self._miscounted(i)
        if re.search(r"\b(?:other way (?:a?round)|vice versa|conversely)\b", " ".join(self.reader.words)):
            if len(self.effects.moved) < 2:
                yield "the other way round as well"

    def _missing_cubes(self, i: int) -> Iterator[str]:
        reader, found = self.reader, self.effects
        into = reader.places(i, "at") | reader.named(i, "at")
        touched = found.moved | found.places
        for mention in reader.mentions[i]:
            cube = mention.name
            if not mention.sure or cube not in found.before or cube in touched:
                continue
            if found.after[cube] in into or found.base(cube, found.after) in into:
                continue
            away = reader.places(i, "from")
            if away and found.base(cube, found.after) not in away:
                continue
            if (mention.role != "object" and self._described(cube)) or self._compares(i, cube):
                continue
            yield f"the {cube.replace('_', ' ')} ({reader.clauses[i].text!r})"
        objects = {m.name for m in reader.mentions[i] if m.role == "object" and m.sure and m.name in found.before}
        containers = into & set(CONTAINERS)
        if len(objects) == 1 and len(into) == 1 and containers and "or" not in reader.words:
            (cube,), (place,) = objects, containers
            reached = ("place", cube, place) in found.events or place in (
                found.base(cube, found.after), found.base(cube, found.before))  # fmt: skip
            if not reached:
                yield f"the {cube.replace('_', ' ')} in the {place} ({reader.clauses[i].text!r})"

    def _compares(self, i: int, cube: str) -> bool:
        """Whether a cube is only named to tell of another: "what lies with the red cube"."""
        words, color = self.reader.clauses[i].words, cube.removesuffix("_cube")
        at = next((k for k, w in enumerate(words) if self.reader.concepts.get(w) == ("colors", color)), 0)
        before = words[max(0, at - 4) : at]
        return bool({"with", "than", "like", "where", "as"} & set(before)) or (
            "of" in before and not {"top", "out"} & set(words[max(0, at - 6) : at])
        )

    def _described(self, cube: str) -> bool:
        """Whether a moved cube stood on, under or with this one: it only tells which is meant."""
        found = self.effects
        return any(
            found.before.get(x) == cube
            or found.before.get(cube) == x
            or cube in (found.after.get(x), found.before.get(x))
            or found.base(x, found.after) == found.base(cube, found.after) != "table"
            for x in found.moved
        )

    def _missing_places(self, i: int) -> Iterator[str]:
        reader, found = self.reader, self.effects
        for mention in reader.mentions[i]:
            place = mention.name
            if place not in CONTAINERS or (mention.role == "from" and not any(found.base(x, found.after) == place for x in reader.named(i, "object"))):
                continue
            used = place in found.places or any(found.base(x, found.before) == place for x in found.moved)
            used = used or (place == "drawer" and (found.done("open") or found.done("close")))
            named = reader.named(i, "object") or {m for j in self.asking for m in reader.named(j, "object")}
            there = named and any(found.base(x, found.after) == place for x in named)
            either = "or" in reader.clauses[i].words or reader.clauses[min(i + 1, len(reader.clauses) - 1)].words[0] == "or"
            if not (used or there or either or (place == "drawer" and self._state_asked(i))):
                yield f"the {place} ({reader.clauses[i].text!r})"

    def _state_asked(self, i: int) -> bool:
        words = set(self.reader.clauses[i].words)
        if words & {"slide", "push", "shove", "in", "home", "back"} and not self.effects.is_open:
            return True
        wish = self._drawer_wish(self.reader.clauses[i].text)
        return bool(wish) and (wish == "open") == self.effects.is_open

    def _missing_acts(self, i: int) -> Iterator[str]:
        reader, found = self.reader, self.effects
        words = reader.clauses[i].words
        if reader.has(i, "button") and reader.acts(i) & {"press"}:
            wanted = next((COUNTS[w] for w in words if w in ("twice", "thrice")), 1)
            if found.done("press") < wanted:
                yield f"a press of the button ({reader.clauses[i].text!r})"
        wish = self._drawer_wish(reader.clauses[i].text)
        if not reader.has(i, "drawer") or not wish or FORBIDS.search(reader.clauses[i].text) or reader.named(i, "object"):
            return
        if wish == "open" and not (found.is_open or found.done("open")):
            yield "the drawer open"
        if wish == "closed" and found.is_open and not found.done("close"):
            yield "the drawer closed"

    def _miscounted(self, i: int) -> Iterator[str]:
        """How many of a group are moved, where a clause says how many should be."""
        reader, found = self.reader, self.effects
        match = re.search(r"\b(two|three|2|3) (?:of (?:the|them|these|those)|cubes|blocks|bricks)\b", reader.clauses[i].text)
        if match is None or reader.named(i, "object") or not (reader.places(i, "at") or reader.named(i, "at")):
            return
        count = {"two": 2, "three": 3, "2": 2, "3": 3}[match.group(1)]
        if len(found.moved) > count:
            yield f"{match.group()} only ({reader.clauses[i].text!r})"

    # --- what nobody asked for --------------------------------------------------------------------

    def _extra(self) -> Iterator[str]:
        reader, found = self.reader, self.effects
        text = " ".join(reader.words)
        anyone = any(m.name in ("*", "it") for ms in reader.mentions for m in ms)
        nouns = sum(reader.concepts.get(w) == ("categories", "cube") for w in reader.words)
        colors = sum(m.name.endswith("_cube") and m.sure for ms in reader.mentions for m in ms)
        described = nouns > colors or bool(_DESCRIBES.search(text))
        named = {m.name for ms in reader.mentions for m in ms}
        restricted = self._restricted()
        for cube in sorted(found.moved):
            if (restricted and cube not in restricted) or (cube not in named and not (anyone or described) and not self._in_the_way(cube)):
                yield f"the {cube.replace('_', ' ')}"
        if found.done("press") and "button" not in named and not any({"press", "touch"} & reader.acts(i) for i in range(len(reader.clauses))):
            yield "a press of the button"

    def _restricted(self) -> set[str]:
        """The colour of "everything that is red", where nothing else names a cube."""
        text = " ".join(self.reader.words)
        match = re.search(
            r"\b(?:everything|anything|whatever|all|each|every \w+|any \w+|cubes|ones|blocks|those|things)(?: that| which| who)?(?: (?:is|are|be|looks?|painted|coloured|colored))+ (\w+)\b",
            text,
        )
        kind, color = self.reader.concepts.get(match.group(1), ("", "")) if match else ("", "")
        if kind != "colors":
            return set()
        return {m.name for ms in self.reader.mentions for m in ms if m.name.endswith("_cube")}

    def _in_the_way(self, cube: str) -> bool:
        """Whether it lay on a cube that has to move, and was only set aside."""
        return self.effects.after[cube] == "table" and self.effects.before[cube] not in ("table", "hand")


def breaks(event: Event, ban: Ban) -> bool:
    """Whether one step is what a ban forbids."""
    act, thing, to = event
    if act not in ban.acts:
        return False
    if act in ("grasp", "place"):
        return (not ban.things or thing in ban.things) and (
            (act == "grasp" and not ban.places) or (act == "place" and (not ban.places or to in ban.places))
        )
    return True
