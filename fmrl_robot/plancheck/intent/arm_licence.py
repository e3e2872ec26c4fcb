"""What an instruction to an arm licenses, step by step, where it restricts anything.

A list of refusals is never complete. So where anything is refused, excepted, limited or hedged, no
step is taken on trust: each must be borne out by a clause that plainly asks for it, and a thing
that is named in other clauses alone is off limits, in whatever words it was spared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fmrl_robot.plancheck.intent import arm_asking as asking
from fmrl_robot.plancheck.intent.arm_effects import Effects
from fmrl_robot.plancheck.intent.arm_reading import COUNTS, Reader
from fmrl_robot.plancheck.intent.clauses import Stance

_SHUTS = frozenset(["shut", "closed", "slide", "push", "shove", "in", "home", "back", "again"])
"""Words, beside its verbs, by which a drawer is closed."""
_INVERTS = re.compile(
    r"\b(?:opposite|(?:swap|switch|exchange|mixed up|confused) (?:\w+ ){0,2}"
    r"(?:names|colou?rs|words|places in)|reverse of)\b"
)
"""What was said is to be understood the other way round, and who knows how much of it."""


_NOT_THERE = re.compile(r"\b(?:is|are) not (?:yet |already |currently )?(?:in|on|at|inside)\b")
"""A group by where it is not: "those that are not in the bin yet"."""


_MANY = frozenset(["them", "these", "those"])


class Licence:
    """What the clauses that plainly ask allow, beside one plan's effects."""

    def __init__(self, reader: Reader, found: Effects, aside: tuple[str, ...] = ("table",)) -> None:
        """Compare.

        Args:
            reader: of the instruction.
            found: what the plan brings about.
            aside: where a thing may be in the end that only makes way.
        """
        self._reader, self._effects, self._aside = reader, found, aside
        self._asking = [] if self._is_open() else list(filter(reader.licenses, self._all()))
        if not (self._asking or any(c.refuses for c in reader.clauses)):
            self._asking = list(filter(reader.passes_on, self._all()))
        objects = {i: self._objects(i) for i in self._asking}
        if not any(objects.values()):
            # What was taken back still says of which thing the rest is.
            objects |= {i: self._objects(i) for i in self._withdrawn()}
        elif any(
            reader.clauses[i - 1].stance is Stance.WITHDRAWN
            for i in self._all()
            if i and reader.clauses[i].refuses
        ):
            # "Red, green, wait, not green, blue": what the correction does not name still holds.
            objects |= {i: self._objects(i) for i in self._withdrawn()}
        self._clauses_of = {
            cube: [i for i, cubes in objects.items() if cube in cubes] for cube in reader.cubes
        }

    def oversteps(self) -> Iterator[str]:
        """Name what the plan does that no clause asks for."""
        for act, thing, to in self._effects.events:
            cube = thing.replace("_", " ")
            if act == "grasp" and not (self._clauses_of.get(thing) or self._is_set_aside(thing)):
                yield f"the {cube}"
            elif act == "place" and not self._may_go(thing, to):
                yield f"the {cube} in or on the {to.replace('_', ' ')}"
            elif act == "press" and not self._presses():
                yield "a press of the button"
            elif act == "open" and not self._opens():
                yield "an opening of the drawer"
            elif act == "close" and not self._closes():
                yield "a closing of the drawer"

    def _all(self) -> range:
        return range(len(self._reader.clauses))

    def _is_open(self) -> bool:
        """Whether all hangs on what nobody can see here: a condition, a wish that is inverted."""
        reader = self._reader
        if _INVERTS.search(" ".join(reader.words)):
            return True
        return any(
            asking.hangs_on_the_unseen(reader.clauses[i].text)
            and not any(m.name != "it" for m in reader.mentions[i])
            and any(reader.licenses(j) or reader.clauses[j].refuses for j in self._depending(i))
            for i in self._all()
        )

    def _depending(self, i: int) -> Iterator[int]:
        """The clauses that hang on clause ``i``: the one before it or, if it opens one, after."""
        clauses = self._reader.clauses
        before = [j for j in range(i) if clauses[j].sentence == clauses[i].sentence]
        named = [j for j in before if self._reader.mentions[j]]
        if named:
            yield named[-1]
        elif not before and i + 1 < len(clauses) and clauses[i + 1].sentence == clauses[i].sentence:
            yield i + 1

    # --- cubes ------------------------------------------------------------------------------------

    def _objects(self, i: int) -> set[str]:
        """Cubes that clause ``i`` may ask to be moved."""
        reader = self._reader
        named = reader.named(i, "object")
        if reader.has(i, "*") or not COUNTS.isdisjoint(reader.clauses[i].words):
            return named | self._group(i)
        if named:
            return named
        if referred := reader.referred(i):
            return referred
        if named := reader.named(i, "at"):
            return (reader.has(i, "it") and self._meant_before(i)) or named
        if (reader.has(i, "it") or not reader.names_cube(i)) and (cubes := self._meant_before(i)):
            return cubes
        tidies = not reader.mentions[i] and "move" in reader.acts(i)
        many = reader.has(i, "it") and not _MANY.isdisjoint(reader.clauses[i].words)
        return self._group(i) if reader.names_cube(i) or tidies or many else set()

    def _meant_before(self, i: int) -> set[str]:
        """Cubes that were named last before clause ``i``, and not to take them out."""
        reader = self._reader
        for j in range(i - 1, -1, -1):
            clause = reader.clauses[j]
            if clause.stance in (Stance.WITHDRAWN, Stance.EXCEPTED):
                continue
            if clause.refuses and not reader.has(i, "it"):
                continue
            if reader.has(j, "*") or (reader.names_cube(j) and not clause.refuses):
                return reader.named(j, "object") or reader.referred(j) or self._group(j)
            if cubes := reader.named(j, "object") or reader.referred(j) or reader.named(j, "at"):
                return cubes
        return set()

    def _group(self, i: int) -> set[str]:
        """Cubes that "all", "the others" or "the cube" of clause ``i`` may mean."""
        reader = self._reader
        elsewhere = self._named_without_asking(i)
        others = reader.lexicon.classes["others"]
        if not others.isdisjoint(reader.clauses[i].words):
            elsewhere |= {m.name for some in reader.mentions for m in some}
        there = self._standing(i)
        return (there or set(reader.cubes)) - elsewhere

    def _standing(self, i: int) -> set[str]:
        """Cubes in or on what clause ``i`` says that the group is in, or leaves."""
        reader, before = self._reader, self._effects.before
        places = [m.name for m in reader.mentions[i] if m.role != "object" and m.name != "it"]
        left = reader.places(i, "from")
        source = left or set(places[:1] if len(set(places)) > 1 else ())
        there = {cube for cube in before if self._effects.base(cube, before) in source}
        if _NOT_THERE.search(reader.clauses[i].text):
            at = {m.name for m in reader.mentions[i] if m.role == "at"}
            there = {cube for cube in before if self._effects.base(cube, before) not in at}
        return there

    def _named_without_asking(self, i: int) -> set[str]:
        """Cubes that only clauses name which ask for nothing."""
        reader = self._reader
        asked = {m.name for j in self._asking for m in reader.mentions[j]}
        told = {
            m.name
            for j, some in enumerate(reader.mentions)
            for m in some
            if j not in self._asking and reader.clauses[j].stance is not Stance.WITHDRAWN
        }
        meant = reader.antecedent(i)[0] if reader.has(i, "it") else set[str]()
        return told - asked - meant

    def _is_set_aside(self, cube: str) -> bool:
        """Whether it only makes way: for the cube below it, or for a hand that has to be free."""
        below = self._effects.before.get(cube, "")
        if self._effects.after.get(cube) not in (*self._aside, below):
            return False
        wanted = bool(self._clauses_of.get(below)) or below in self._aims(self._asking)
        return below == "hand" or wanted

    # --- where they go ----------------------------------------------------------------------------

    def _may_go(self, cube: str, to: str) -> bool:
        if to == "table":
            return True  # Where a cube is put down that has to be out of the way.
        clauses = self._clauses_of.get(cube, [])
        stays = [i for i in clauses if self._reader.clauses[i].stance is not Stance.WITHDRAWN]
        near = {j for i in clauses for j in (i, i + 1) if j < len(self._reader.clauses)}
        near -= set(self._withdrawn())
        return to in (self._aims(stays) or self._aims(near) or self._aims(self._asking) or {to})

    def _aims(self, clauses: Iterable[int]) -> set[str]:
        """Where some clauses bring things; "the bowl takes blue" brings it there as well."""
        reader, found = self._reader, set[str]()
        for i in clauses:
            if reader.clauses[i].stance is Stance.EXCEPTED:
                found |= reader.places(i, "at")
            elif not reader.clauses[i].refuses:
                found |= reader.aims(i) | reader.places(i, "object")
        return found

    def _withdrawn(self) -> list[int]:
        clauses = self._reader.clauses
        return [i for i, c in enumerate(clauses) if c.stance is Stance.WITHDRAWN]

    # --- drawer and button ------------------------------------------------------------------------

    def _presses(self) -> bool:
        reader = self._reader
        return any(
            reader.has(i, "button")
            or ("press" in reader.acts(i) and not reader.mentions[i])
            or (reader.has(i, "it") and reader.antecedent(i)[1] == "button")
            for i in self._asking
        )

    def _opens(self) -> bool:
        """Whether some clause asks for the drawer, or for what is in it."""
        inside = {c for c, at in self._effects.before.items() if at == "drawer"}
        if "drawer" in self._aims(self._all()):
            return bool(self._asking)
        return any(
            _is_of_drawer(self._reader, i) or inside & self._objects(i) for i in self._asking
        )

    def _closes(self) -> bool:
        reader = self._reader
        return any(
            _is_of_drawer(reader, i)
            and ("close" in reader.acts(i) or not _SHUTS.isdisjoint(reader.clauses[i].words))
            for i in self._asking
        )


def _is_of_drawer(reader: Reader, i: int) -> bool:
    """Whether clause ``i`` names the drawer, or means it by a verb alone: "and shut it"."""
    if reader.has(i, "drawer"):
        return True
    means_it = not asking.says_how_it_is(reader.clauses[i].text) or reader.has(i, "it")
    return bool(reader.acts(i) & {"open", "close"}) and means_it and not reader.has(i, "button")
