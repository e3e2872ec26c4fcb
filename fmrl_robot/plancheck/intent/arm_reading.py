"""One instruction to an arm as its reader understands it: clauses, what they name, who asks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fmrl_robot.plancheck.intent import arm_asking as asking
from fmrl_robot.plancheck.intent.arm_clauses import read_clauses, resting
from fmrl_robot.plancheck.intent.arm_mentions import Role, mentions
from fmrl_robot.plancheck.intent.arm_words import PLACES, lexicon, mended_words
from fmrl_robot.plancheck.intent.clauses import Stance
from fmrl_robot.types import Scene

_CONDITIONS = frozenset(["if", "though", "although", "as", "because"])
"""Words that begin a clause which gives a reason, and asks for nothing."""
_CONTENTS = frozenset(["what", "whatever", "contents"])
_TOP = frozenset(["top", "upper", "topmost", "uppermost", "highest"])
_BOTTOM = frozenset(["bottom", "lowest", "lower", "lowermost", "base"])
_STACK = re.compile(r"\b(?:the|that|this|your|my) (?:\w+ )?(?:stack|tower|pile)\b")
COUNTS = frozenset(["two", "three", "four", "both", "pair", "couple", "trio", "2", "3", "4"])
"""Numbers that stand for cubes."""
_EMPTIES = frozenset(["empty", "emptied", "emptying", "clear", "unload", "tip", "drain"])
"""Verbs whose object is the place that cubes leave."""
_STARTS = frozenset(["by", "with", "start", "begin", "finish", "continue"])
"""Words after which a command may end in -ing: "start by opening the drawer"."""
_BEARS = re.compile(
    r"\b(?:has|have|with|carr\w+|support\w*|bear\w*) (?:\w+ )*?on (?:top of )?(?:it|them|top)\b"
)
"""A cube by what stands on it: "the one that has another on top of it"."""
_UNDER = frozenset(["under", "underneath", "beneath", "below"])


class Reader:
    """Reads one instruction for one scene; clauses go by their number."""

    def __init__(self, text: str, scene: Scene) -> None:
        self.lexicon = lexicon()
        self.words = mended_words(text, self.lexicon)
        self.cubes = frozenset(o.name for o in scene.objects if o.category == "cube")
        self.clauses = read_clauses(self.words, scene, self.lexicon)
        self.mentions = [list(mentions(c.words, self.lexicon)) for c in self.clauses]
        self._below = dict(resting(scene))
        """What each thing is in or on."""

    # --- what a clause names ----------------------------------------------------------------------

    def named(self, i: int, role: Role) -> set[str]:
        """Cubes that clause ``i`` names in a role."""
        return {m.name for m in self.mentions[i] if m.role == role and m.is_cube}

    def places(self, i: int, role: Role) -> set[str]:
        """Containers and the table that clause ``i`` names in a role."""
        return {m.name for m in self.mentions[i] if m.role == role and m.name in PLACES}

    def aims(self, i: int) -> set[str]:
        """Whatever clause ``i`` names that something goes to, or lies in or on."""
        return self.places(i, "at") | self.named(i, "at")

    def has(self, i: int, name: str) -> bool:
        """Whether clause ``i`` names this."""
        return any(m.name == name for m in self.mentions[i])

    def names_only_it(self, i: int) -> bool:
        """Whether clause ``i`` names nothing but what was named before."""
        return all(m.name == "it" for m in self.mentions[i])

    def names_cube(self, i: int) -> bool:
        """Whether clause ``i`` has a word for cubes that is no colour: block, one, both."""
        words = self.clauses[i].words
        return any(map(self.lexicon.is_cube, words)) or not COUNTS.isdisjoint(words)

    def acts(self, i: int) -> set[str]:
        """What clause ``i`` wants done: open, close, press, release, put, move, touch."""
        return self.lexicon.acts(self.clauses[i].words)

    # --- whether it asks --------------------------------------------------------------------------

    def asks(self, i: int) -> bool:
        """Whether clause ``i`` asks for something, and does not merely tell."""
        clause, text = self.clauses[i], self.clauses[i].text
        if clause.refuses and not self.has(i, "*"):
            return False
        if clause.tells or asking.PAST.search(text) or clause.words[0] in _CONDITIONS:
            return False
        named = any(m.is_cube or m.name in ("*", "it") for m in self.mentions[i])
        aimed = named and bool(self.aims(i))
        if asking.WANTS.search(text) or text.startswith("besides "):
            return named or bool(self.acts(i))
        if self._commands(clause.words):
            return True
        return not self.told(i) and (aimed or bool(self.acts(i)))

    def demands(self, i: int) -> bool:
        """Whether clause ``i`` clearly tells the robot what to do: what it names must come up."""
        text = self.clauses[i].text
        if not self.asks(i) or self._takes_back or asking.is_of_others(text):
            return False
        commands = self._commands(self.clauses[i].words)
        wishes = asking.DEMANDS.search(text) or not (asking.WANTS.search(text) or self.told(i))
        return commands or bool(wishes)

    def may_ask(self, i: int) -> bool:
        """Whether clause ``i`` may ask for something, at the most generous reading."""
        clause, text = self.clauses[i], self.clauses[i].text
        if clause.refuses and not self.has(i, "*"):
            return False
        if clause.tells or asking.PAST.search(text) or asking.says_what_was_done(text):
            return False
        return bool(self.acts(i) or self.mentions[i])

    def licenses(self, i: int) -> bool:
        """Whether clause ``i`` plainly asks, so that a step may rest on it."""
        clause, text = self.clauses[i], self.clauses[i].text
        if not clause.asks or clause.tells or asking.reports(text) or asking.PAST.search(text):
            return False
        if clause.words[0] in _CONDITIONS and not asking.is_polite(text):
            return False
        acts = self.acts(i) - {"touch"}
        if self._commands(clause.words):
            return bool(acts) or self.has(i, "button")
        if asking.WANTS.search(text):
            wished = self.aims(i) or self.places(i, "object") or self.has(i, "it")
            wished = wished or asking.OWN_WISH.search(text)
            return bool(acts if not asking.NORMS.search(text) else wished) or (
                bool(wished) and bool(self.mentions[i])
            )
        if asking.AS_GOOD.match(text):
            return bool(acts)
        return not self.told(i) and self._says_no_more(i)

    def passes_on(self, i: int) -> bool:
        """Whether clause ``i`` passes on what somebody else wants done."""
        clause, text = self.clauses[i], self.clauses[i].text
        if clause.words[0] in _CONDITIONS or asking.PAST.search(text):
            return False
        does = self.acts(i) - {"touch"} or self.aims(i)
        return bool(clause.asks and asking.HEARSAY.search(text) and does)

    def _says_no_more(self, i: int) -> bool:
        """Whether a clause without a verb has no word that the reader does not know."""
        words, known = self.clauses[i].words, self.lexicon
        if all(m.name == "it" for m in self.mentions[i]):
            return False
        unknown = [
            word
            for k, word in enumerate(words)
            if not known.is_plain(word) and (words[k + 1 : k + 2] or ("",))[0] not in known.concepts
        ]
        says = self.aims(i) or self.places(i, "object") or self.acts(i)
        return not unknown and (bool(says) or self._goes_on(i))

    def _goes_on(self, i: int) -> bool:
        """Whether a clause that only names is part of a sentence that says what to do with it."""
        sentence = self.clauses[i].sentence
        return any(
            self.clauses[j].sentence == sentence
            and self.clauses[j].stance is not Stance.WITHDRAWN
            and (self.acts(j) or self.aims(j) or self.places(j, "object"))
            for j in self.beside(i)
        )

    def told(self, i: int) -> bool:
        """Whether clause ``i`` says how things are or were."""
        return self.clauses[i].tells or asking.says_how_it_is(self.clauses[i].text)

    @property
    def _takes_back(self) -> bool:
        """Whether the speaker takes something back, and who knows how much."""
        return any(clause.stance is Stance.WITHDRAWN for clause in self.clauses)

    def _commands(self, part: Sequence[str]) -> bool:
        """Whether a clause begins with a verb in the form of a command."""
        before = self.lexicon.classes["before_commands"]
        k = next((k for k, word in enumerate(part) if not self._leads(word, before)), len(part))
        first = part[k] if k < len(part) else ""
        started = not _STARTS.isdisjoint(part[:k])
        return first in self.lexicon.verbs and (started or not first.endswith(("ing", "ed")))

    def _leads(self, word: str, before: frozenset[str]) -> bool:
        """Whether a word may stand before a verb that commands: "gently close it"."""
        return word in before or (word.endswith("ly") and word not in self.lexicon.verbs)

    # --- what it means beyond its own words -------------------------------------------------------

    def wanted_objects(self) -> set[str]:
        """Cubes that some clause wants moved."""
        return {
            cube
            for i, clause in enumerate(self.clauses)
            if clause.asks and self.asks(i)
            for cube in self.named(i, "object")
        }

    def antecedent(self, i: int) -> tuple[set[str], str]:
        """Cubes, or else the place, that were named last before clause ``i``."""
        for j in range(i - 1, -1, -1):
            if self.clauses[j].stance is Stance.WITHDRAWN:
                continue
            if cubes := self.named(j, "object") or self.referred(j) or self.named(j, "at"):
                return cubes, ""
            if self.has(j, "button"):
                return set(), "button"
            if places := self.places(j, "object") or self.places(j, "at"):
                return set(), min(places)
        return set(), ""

    def destinations(self, i: int) -> set[str]:
        """Where the clause before or after ``i`` brings things."""
        for j in self.beside(i):
            if found := self.aims(j) | self.places(j, "object"):
                return found
        return set()

    def beside(self, i: int) -> list[int]:
        """The clauses before and after ``i``, where there are such."""
        return [j for j in (i - 1, i + 1) if 0 <= j < len(self.clauses)]

    def referred(self, i: int) -> set[str]:
        """Cubes that clause ``i`` describes by where they are, without naming them."""
        if self.named(i, "object"):
            return set()
        words = self.clauses[i].words
        found = set[str]() if self.named(i, "at") else self._of_stack(words)
        if not _EMPTIES.isdisjoint(words) and not self.names_cube(i):
            return found.union(*map(self._resting_at, self.places(i, "object")))
        if not self.names_cube(i) and _CONTENTS.isdisjoint(words):
            return found
        places = self.places(i, "at") | self.places(i, "from")
        if not _CONTENTS.isdisjoint(words):
            places |= self.places(i, "object")
        for place in places:
            found |= self._resting_at(place)
        for cube in self.named(i, "at"):
            found |= self._resting_at(cube)
            if not _UNDER.isdisjoint(words):
                found |= {self._below.get(cube, "")} & self.cubes
        return found

    def _resting_at(self, place: str) -> set[str]:
        return {thing for thing, at in self._below.items() if at == place}

    def _of_stack(self, words: Sequence[str]) -> set[str]:
        """The cubes at the top or the bottom of a stack, where words speak of these."""
        stacked = {thing: at for thing, at in self._below.items() if at in self.cubes}
        found: set[str] = set()
        if _BEARS.search(" ".join(words)):
            return set(stacked.values())
        if _STACK.search(" ".join(words)) and (_TOP | _BOTTOM).isdisjoint(words):
            return set(stacked) | set(stacked.values())
        if not _TOP.isdisjoint(words):
            found |= set(stacked) - set(stacked.values())
        if not _BOTTOM.isdisjoint(words):
            found |= set(stacked.values()) - set(stacked)
        return found
