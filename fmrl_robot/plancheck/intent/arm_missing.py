"""What an instruction to an arm asks for and a plan does not bring about.

Only clauses count that clearly demand something, and of these only what they surely name: a colour
may be that of the speaker's shirt, and a cube may be named only to tell which other one is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fmrl_robot.plancheck.intent.arm_effects import Effects
from fmrl_robot.plancheck.intent.arm_mentions import Mention
from fmrl_robot.plancheck.intent.arm_reading import Reader
from fmrl_robot.plancheck.intent.arm_words import CONTAINERS
from fmrl_robot.plancheck.intent.negations import FORBIDS

_PRESSES = {"twice": 2, "thrice": 3}
_COUNTS = {"two": 2, "three": 3, "2": 2, "3": 3}

_CONVERSELY = re.compile(r"\b(?:other way (?:a?round)|vice versa|conversely)\b")
"""Two things are to change places: "red on blue, and vice versa"."""

_SO_MANY = re.compile(r"\b(two|three|2|3) (?:of (?:the|them|these|those)|cubes|blocks|bricks)\b")
"""How many of a group are meant: "two of the cubes"."""

_SAYS_WHICH_DRAWER = re.compile(
    r"\b(?:an?|the|that|this|your|my) (?:open|closed|shut) (?:\w+ )?drawer\b|"
    r"\bdrawer is (?:open|closed|shut)\b"
)
"""How the drawer is, and not how it should be: "the open drawer"."""

_CLOSES = re.compile(r"\b(?:close|shut|closing|shutting)\b|\bclosed\b")
_OPENS = re.compile(r"\b(?:open|opened|opening|ajar)\b")

_PUSHED_SHUT = frozenset(["slide", "push", "shove", "in", "home", "back"])
"""Words by which a drawer is closed without being called so: "slide it home"."""


class Missing:
    """One reading beside one plan's effects, and the clauses that ask for something."""

    def __init__(self, reader: Reader, found: Effects, asking: Sequence[int]) -> None:
        self._reader, self._effects, self._asking = reader, found, asking

    def phrases(self) -> Iterator[str]:
        """Name what is missing, in words for whoever gave the instruction."""
        for i in filter(self._reader.demands, self._asking):
            said = f"({self._reader.clauses[i].text!r})"
            yield from (f"{what} {said}" for what in self._cubes(i))
            yield from (f"the {place} {said}" for place in self._places(i))
            if self._too_few_presses(i):
                yield f"a press of the button {said}"
            yield from self._drawer(i)
            yield from (f"{count} only {said}" for count in self._too_many(i))
        text = " ".join(self._reader.words)
        if _CONVERSELY.search(text) and len(self._effects.moved) < 2:
            yield "the other way round as well"

    # --- cubes ------------------------------------------------------------------------------------

    def _cubes(self, i: int) -> Iterator[str]:
        for mention in self._reader.mentions[i]:
            if self._is_due(i, mention):
                yield f"the {mention.name.replace('_', ' ')}"
        objects = {
            m.name
            for m in self._reader.mentions[i]
            if m.role == "object" and m.sure and m.name in self._effects.before
        }
        into = self._reader.aims(i)
        # With one cube and one container a clause leaves no doubt which goes where.
        if len(objects) == len(into) == 1 and "or" not in self._reader.words:
            (cube,), (place,) = objects, into
            if place in CONTAINERS and not self._reaches(cube, place):
                yield f"the {cube.replace('_', ' ')} in the {place}"

    def _is_due(self, i: int, mention: Mention) -> bool:
        """Whether the plan should do something with a cube, does not, and it is not there yet."""
        reader, found, cube = self._reader, self._effects, mention.name
        if not mention.sure or cube not in found.before or cube in found.moved | found.places:
            return False
        base = found.base(cube, found.after)
        if not reader.aims(i).isdisjoint({found.after[cube], base}):
            return False
        away = reader.places(i, "from")
        if away and base not in away:
            return False
        tells_which = mention.role != "object" and self._tells_which(cube)
        return not tells_which and not self._compares(i, cube)

    def _reaches(self, cube: str, place: str) -> bool:
        found = self._effects
        bases = (found.base(cube, found.after), found.base(cube, found.before))
        return ("place", cube, place) in found.events or place in bases

    def _compares(self, i: int, cube: str) -> bool:
        """Whether a cube is only named to tell of another: "what lies with the red cube"."""
        words, color = self._reader.clauses[i].words, ("colors", cube.removesuffix("_cube"))
        concepts = self._reader.lexicon.concepts
        at = next((k for k, word in enumerate(words) if concepts.get(word) == color), 0)
        before = words[max(0, at - 4) : at]
        if not {"with", "than", "like", "where", "as"}.isdisjoint(before):
            return True
        return "of" in before and {"top", "out"}.isdisjoint(words[max(0, at - 6) : at])

    def _tells_which(self, cube: str) -> bool:
        """Whether a moved cube stood on, under or with this one, only to tell which is meant."""
        before, after, base = self._effects.before, self._effects.after, self._effects.base
        return any(
            before.get(cube) == moved
            or cube in (after.get(moved), before.get(moved))
            or base(moved, after) == base(cube, after) != "table"
            for moved in self._effects.moved
        )

    def _too_many(self, i: int) -> Iterator[str]:
        """How many of a group should move, where more do."""
        reader = self._reader
        match = _SO_MANY.search(reader.clauses[i].text)
        if match is None or reader.named(i, "object") or not reader.aims(i):
            return
        there = [c for c in self._effects.moved if self._effects.after[c] in reader.aims(i)]
        if len(there) > _COUNTS[match.group(1)]:
            yield match.group()

    # --- places -----------------------------------------------------------------------------------

    def _places(self, i: int) -> Iterator[str]:
        reader, found = self._reader, self._effects
        named = reader.named(i, "object")
        cubes = named or {cube for j in self._asking for cube in reader.named(j, "object")}
        for mention in reader.mentions[i]:
            place = mention.name
            if place not in CONTAINERS:
                continue
            if mention.role == "from" and not self._any_in(place, named, found.after):
                continue
            used = place in found.places or self._any_in(place, found.moved, found.before)
            there = self._any_in(place, cubes, found.after)
            drawer = place == "drawer" and self._drawer_is_done(i)
            if not (used or there or drawer or self._is_either(i)):
                yield place

    def _any_in(self, place: str, cubes: set[str], where: dict[str, str]) -> bool:
        return any(self._effects.base(cube, where) == place for cube in cubes)

    def _is_either(self, i: int) -> bool:
        """Whether a clause names places to choose from: "in the bowl or the bin"."""
        clauses = self._reader.clauses
        goes_on = i + 1 < len(clauses) and clauses[i + 1].words[0] == "or"
        return goes_on or "or" in clauses[i].words

    # --- drawer and button ------------------------------------------------------------------------

    def _too_few_presses(self, i: int) -> bool:
        reader = self._reader
        if not reader.has(i, "button") or "press" not in reader.acts(i):
            return False
        wanted = next((_PRESSES[w] for w in reader.clauses[i].words if w in _PRESSES), 1)
        return self._effects.done("press") < wanted

    def _drawer(self, i: int) -> Iterator[str]:
        reader, found, text = self._reader, self._effects, self._reader.clauses[i].text
        if not reader.has(i, "drawer") or reader.named(i, "object") or FORBIDS.search(text):
            return
        wish = _drawer_wish(text)
        if wish == "open" and not (found.is_open or found.done("open")):
            yield "the drawer open"
        if wish == "closed" and found.is_open and not found.done("close"):
            yield "the drawer closed"

    def _drawer_is_done(self, i: int) -> bool:
        """Whether the drawer was moved, or is left as a clause wants it."""
        found, clause = self._effects, self._reader.clauses[i]
        if found.done("open") or found.done("close"):
            return True
        if not found.is_open and not _PUSHED_SHUT.isdisjoint(clause.words):
            return True
        wish = _drawer_wish(clause.text)
        return bool(wish) and (wish == "open") == found.is_open


def _drawer_wish(text: str) -> str:
    """What a clause wants of the drawer: ``open``, ``closed`` or nothing."""
    plain = _SAYS_WHICH_DRAWER.sub(" ", text)
    if _CLOSES.search(plain):
        return "closed"
    return "open" if _OPENS.search(plain) else ""
