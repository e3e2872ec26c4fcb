"""What the clauses of an instruction to an arm forbid, as steps that no plan may contain.

A clause forbids what it names. Where it names too little, the clauses beside it say what is meant:
"it", "the others", "anything but". What stays unclear is forbidden, since a refusal costs a
question and a forbidden step may cost more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from fmrl_robot.plancheck.intent.arm_asking import refuses_for_others
from fmrl_robot.plancheck.intent.arm_effects import Event
from fmrl_robot.plancheck.intent.arm_reading import Reader
from fmrl_robot.plancheck.intent.clauses import Stance
from fmrl_robot.plancheck.intent.negations import KEEPS

_NO_CUBES = frozenset(["no", "other", "cube", "cubes", "block", "blocks", "and"])
"""Words of a clause that only says what there is not to be: "no cubes"."""
_TAKE = frozenset({"grasp", "place"})
_STATES = frozenset({"open", "close"})
_ANY: frozenset[str] = frozenset()
_EVERYTHING = _TAKE | _STATES | {"press"}

_LETS_GO = re.compile(r"\b(?:let go|put (?:it |them )?down)\b")
"""What is forbidden is to put down what is held: "do not let go of it"."""
_NEAR = re.compile(r"\b(?:near|off|clear|away|at|with)\b")
"""The cube is the place to keep away from: "stay off the red cube"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ban:
    """Steps that no plan may contain."""

    acts: frozenset[str]
    """Of grasp, place, open, close, press."""
    things: frozenset[str] = frozenset()
    """Cubes; empty: any."""
    places: frozenset[str] = frozenset()
    """Where a cube may not be placed; empty: anywhere."""
    why: str = ""
    """The words that forbid it."""

    def forbids(self, event: Event) -> bool:
        """Whether one step is what it forbids."""
        act, thing, to = event
        if act not in self.acts:
            return False
        if act not in _TAKE:
            return True
        if self.things and thing not in self.things:
            return False
        return not self.places or (act == "place" and to in self.places)


def bans(reader: Reader) -> list[Ban]:
    """Return what no step may do, clause by clause."""
    found: list[Ban] = []
    for i, clause in enumerate(reader.clauses):
        refusal = _Refusal(reader, i)
        match clause.stance:
            case Stance.FORBIDDEN:
                found += refusal.forbidden()
            case Stance.KEPT:
                found += refusal.kept()
            case Stance.EXCEPTED:
                found += refusal.excepted()
            case Stance.ONLY:
                found += refusal.only()
            case Stance.WANTED | Stance.WITHDRAWN:
                pass
    return found


class _Refusal:
    """One clause that refuses, and what it names."""

    def __init__(self, reader: Reader, i: int) -> None:
        self._reader, self._i = reader, i
        self._clause = reader.clauses[i]
        self._words = frozenset(self._clause.words)
        self._acts = reader.acts(i)
        self._objects = reader.named(i, "object")
        self._to = reader.aims(i)
        self._all = reader.has(i, "*")
        others = reader.lexicon.classes["others"]
        self._others = not self._objects and not others.isdisjoint(self._words)
        """Whether it is about the cubes that are not named."""

    def _ban(self, acts: Set[str], things: Set[str] = _ANY, places: Set[str] = _ANY) -> Ban:
        return Ban(
            acts=frozenset(acts),
            things=frozenset(things),
            places=frozenset(places),
            why=self._clause.text,
        )

    # --- a prohibition ----------------------------------------------------------------------------

    def forbidden(self) -> Iterator[Ban]:
        """Ban what "do not" forbids."""
        reader, i = self._reader, self._i
        only_it = reader.names_only_it(i)
        if reader.has(i, "button") or (self._acts == {"press"} and only_it):
            yield self._ban({"press"})
            if reader.has(i, "drawer"):
                yield from self._of_drawer()
            return
        if "press" in self._acts and self._all:
            yield self._ban({"press"})
        drawer = "drawer" in reader.places(i, "object") | reader.places(i, "from")
        states = self._acts & _STATES
        if (states and (only_it or self._acts <= _STATES)) or (drawer and not self._objects):
            yield from self._of_drawer()
            if states:
                return
        if not (self._objects or self._to or drawer):
            places = (reader.places(i, "object") | reader.places(i, "from")) - {"table"}
            if places:
                yield self._ban({"place"}, places=places)
                if not self._others and not self._all:
                    return
        if "leave" in self._words and self._objects:
            yield self._ban(_TAKE, self._objects)
            return
        if self._forbids_everything():
            yield self._ban(_EVERYTHING - _TAKE - self._acts_of_others())
        meant = self._meant()
        if meant is None:
            return
        if meant or self._to or drawer or reader.named(i, "from"):
            yield from self._of_cubes(meant)
        else:
            yield from self._of_antecedent()

    def _forbids_everything(self) -> bool:
        """Whether drawer and button are meant as well: "touch nothing"."""
        if self._words.isdisjoint({"nothing", "anything"}) or not self._all:
            return False
        if self._others or self._objects or self._to:
            return False
        excepted = self._exceptions()
        return excepted is not None and bool(self._acts or excepted)

    def _meant(self) -> set[str] | None:
        """Cubes that are forbidden, none for any of them; None where nothing is."""
        if self._others:
            return self._unnamed() or None
        if self._objects or not self._all:
            return self._objects
        excepted = self._exceptions()
        named_alone = self._words <= _NO_CUBES
        if excepted is None or not (self._acts or self._to or excepted or named_alone):
            return None
        rest = self._reader.cubes - excepted
        if self._to:
            return set(rest) if excepted else set()
        return set(rest - self._reader.wanted_objects()) or None

    def _of_antecedent(self) -> Iterator[Ban]:
        """Ban what a clause forbids that names nothing: it is about what was named before."""
        reader, i = self._reader, self._i
        if not self._acts or refuses_for_others(self._clause.text):
            return
        cubes, place = reader.antecedent(i)
        if place == "button":
            yield self._ban({"press"})
        elif place == "drawer" and "put" in self._acts:
            yield self._ban({"place"}, places={place})
        elif place == "drawer":
            yield from self._of_drawer()
        elif cubes or place or not reader.has(i, "it"):
            yield from self._of_cubes(cubes)

    def _of_cubes(self, cubes: set[str]) -> Iterator[Ban]:
        """Ban taking cubes or, where the clause says whereto, placing them there."""
        reader, i, to = self._reader, self._i, self._to
        lets_go = "release" in self._acts or _LETS_GO.search(self._clause.text)
        if lets_go or (self._acts == {"put"} and cubes and not to):
            yield self._ban({"place"}, cubes)
            return
        away, referred = reader.named(i, "from"), reader.referred(i)
        near = reader.named(i, "at") | away
        if near and not cubes and not reader.places(i, "at") and _NEAR.search(self._clause.text):
            cubes, to = near, set[str]()
        cubes = cubes or (set[str]() if to else away)
        if to and (self._goes() or not (cubes or referred)):
            yield self._ban({"place"}, cubes, to)
            if not (self._goes() and self._all and cubes):
                return
            # "All that are neither red nor blue go in the bowl": what it names has to stay.
            cubes = cubes - reader.wanted_objects()
        if cubes or referred:
            yield from self._taking(cubes or referred)
        elif self._acts and self._acts.isdisjoint({"open", "close", "press"}):
            yield self._ban(_EVERYTHING)

    def _goes(self) -> bool:
        """Whether it forbids that something gets somewhere, and not what lies there already."""
        into = self._reader.lexicon.classes["into"]
        return not self._acts or "put" in self._acts or not into.isdisjoint(self._words)

    def _taking(self, cubes: set[str]) -> Iterator[Ban]:
        """Ban taking cubes; those that are wanted, only where the clause beside brings them.

        "The red cube in the bin, not in the bowl" wants the cube that its second half is about.
        """
        again = cubes & self._reader.wanted_objects()
        if again and not self._acts:
            if places := self._reader.destinations(self._i):
                yield self._ban({"place"}, again, places)
            cubes = cubes - again
        if cubes:
            yield self._ban(_TAKE, cubes)

    def _of_drawer(self) -> Iterator[Ban]:
        kept = self._clause.stance is Stance.KEPT or bool(KEEPS.search(self._clause.text))
        banned = self._acts & _STATES or _STATES
        if kept and not self._words.isdisjoint({"closed", "shut", "close"}):
            banned = {"open"}
        elif kept and not self._words.isdisjoint({"open", "opened", "ajar"}):
            banned = {"close"}
        yield self._ban(banned)
        if banned == _STATES and not kept:
            yield self._ban({"place"}, places={"drawer"})

    # --- what stays as it is ----------------------------------------------------------------------

    def kept(self) -> Iterator[Ban]:
        """Ban what "leave alone" forbids."""
        reader, i = self._reader, self._i
        if reader.has(i, "button"):
            yield self._ban({"press"})
            return
        if "drawer" in reader.places(i, "object") and not self._objects:
            yield from self._of_drawer()
            return
        if away := reader.places(i, "from"):
            leaving = self._objects or (reader.antecedent(i)[0] if reader.has(i, "it") else None)
            if leaving:
                yield self._ban({"place"}, leaving, away)
                return
        cubes = self._staying()
        if cubes is None:
            return
        places = (reader.places(i, "object") | away | reader.places(i, "at")) - {"table"}
        if not cubes and places:
            yield self._ban({"place"}, places=places)
            return
        if not cubes:
            cubes, place = reader.antecedent(i)
            if place == "button":
                yield self._ban({"press"})
                return
            if place == "drawer" or not self._words.isdisjoint({"open", "closed", "shut"}):
                yield from self._of_drawer()
                return
        if things := cubes - reader.wanted_objects():
            yield self._ban(_TAKE, things)

    def _staying(self) -> set[str] | None:
        """Cubes that a clause says stay; None where it is unclear which of all it excepts."""
        reader, i, cubes = self._reader, self._i, self._objects
        if self._others:
            cubes = self._unnamed()
        elif self._all and not cubes:
            excepted = self._exceptions()
            if excepted is None:
                return None
            cubes = set(reader.cubes - excepted - reader.wanted_objects())
        return cubes or reader.referred(i) or reader.named(i, "at") | reader.named(i, "from")

    # --- exceptions and "only" --------------------------------------------------------------------

    def excepted(self) -> Iterator[Ban]:
        """Ban what "except" takes out of a wish."""
        if self._inside_ban():
            return
        reader, i = self._reader, self._i
        near = reader.named(i, "at") | reader.named(i, "from")
        things = self._objects or reader.referred(i) or near
        places = reader.places(i, "object") | reader.places(i, "at")
        if not things and places:
            yield self._ban({"place"}, places=places)
        if not (things or places or self._acts or self._goes_on()):
            yield self._ban(_TAKE)  # "But my favourite": nobody here knows which that is.
        if things and things.isdisjoint(self._aims_of_others()):
            yield self._ban({"place"}, places=things)
        again = things & reader.wanted_objects()
        beside = reader.destinations(i)
        if again and beside:
            yield self._ban({"place"}, again, beside)
        if things - again:
            yield self._ban(_TAKE, things - again)

    def _goes_on(self) -> bool:
        """Whether what is excepted is the drawer or button, or is only named by the next clause."""
        reader, i = self._reader, self._i
        if reader.mentions[i] or reader.acts(i):
            return True
        return i + 1 < len(reader.clauses) and reader.clauses[i + 1].stance is Stance.EXCEPTED

    def _aims_of_others(self) -> set[str]:
        """Where clauses that ask bring things."""
        reader = self._reader
        return {a for j, c in enumerate(reader.clauses) if c.asks for a in reader.aims(j)}

    def only(self) -> Iterator[Ban]:
        """Ban all cubes but those that "only" is said of."""
        cubes = self._objects or self._reader.referred(self._i)
        if cubes or not self._acts.isdisjoint({"press", "open", "close"}):
            rest = self._reader.cubes - cubes - self._reader.wanted_objects()
            if rest:
                yield self._ban(_TAKE, rest)

    # --- what the clauses beside it say -----------------------------------------------------------

    def _inside_ban(self) -> bool:
        """Whether what is excepted is excepted from a prohibition, and so is allowed."""
        reader = self._reader
        return any(
            reader.clauses[j].stance in (Stance.FORBIDDEN, Stance.KEPT)
            and reader.has(j, "*")
            and not reader.named(j, "object")
            for j in reader.beside(self._i)
        )

    def _exceptions(self) -> set[str] | None:
        """Cubes that the clauses beside a ban on everything take out of it; None: who knows."""
        reader, found = self._reader, set[str]()
        for j in (self._i - 1, self._i + 1, self._i + 2):
            if not 0 <= j < len(reader.clauses) or reader.clauses[j].stance != Stance.EXCEPTED:
                continue
            these = reader.named(j, "object") or reader.referred(j) or reader.named(j, "at")
            if not these and not reader.acts(j):
                return None
            found |= these
        return found

    def _unnamed(self) -> set[str]:
        """Cubes that no clause wants anything of; none where no cube is named."""
        reader, found = self._reader, set[str]()
        for j, clause in enumerate(reader.clauses):
            if clause.asks:
                found |= {m.name for m in reader.mentions[j]} & reader.cubes | reader.referred(j)
        only_acts = not self._acts_of_others().isdisjoint({"press", "open", "close"})
        return set(reader.cubes - found) if found or only_acts else set()

    def _acts_of_others(self) -> set[str]:
        """What clauses that forbid nothing want done with drawer and button."""
        reader, found = self._reader, set[str]()
        for j, clause in enumerate(reader.clauses):
            if clause.stance is not Stance.FORBIDDEN:
                found |= reader.acts(j) | (_STATES if reader.has(j, "drawer") else set[str]())
        return found
