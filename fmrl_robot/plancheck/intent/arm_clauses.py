"""An instruction to an arm as clauses, each with its stance.

A refusal that asks for something ("don't forget to", "nothing but the red cube") or only orders two
steps ("don't a until b") is read as what it asks for before the sentence is divided. What is taken
back keeps its clauses, marked, so that nobody takes them for forbidden.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fmrl_robot.plancheck.intent import negations as n
from fmrl_robot.plancheck.intent.arm_asking import sentence_tells
from fmrl_robot.plancheck.intent.arm_mentions import mentions
from fmrl_robot.plancheck.intent.arm_words import PLACES, Lexicon
from fmrl_robot.plancheck.intent.clauses import Clause, Stance, divide, sentences
from fmrl_robot.types import Scene

_FIRST_REFUSAL = re.compile(r"\b(?:do not|not|never|no)\b")
_NOT_ONLY = re.compile(r" (?:\w+ )?(?:just|only|merely)\b")
"""What follows a refusal of too little: "do not bin just the red one"."""
_LEAVES_A_PLACE = re.compile(r"\b(?:to|may|should|can|must) leave the (?:table|bowl|bin|drawer)\b")
_LIST_ENDS = frozenset(["or", "nor", "and"])
_SHORT = 4
"""A clause of fewer words that names a group without a verb is a beginning: "all cubes but ..."."""


def resting(scene: Scene) -> list[tuple[str, str]]:
    """List the things of a scene that are in or on something, each with what that is."""
    return [
        (p.args[0], p.args[1])
        for p in scene.predicates
        if p.name in ("on", "in") and p.value and len(p.args) == 2
    ]


def read_clauses(words: Sequence[str], scene: Scene, known: Lexicon) -> list[Clause]:
    """Divide the words of an instruction into clauses and find the stance of each."""
    division = _Division(scene, known)
    for number, (sentence, mark) in enumerate(sentences(words)):
        division.add(" ".join(sentence), mark, number)
    return division.clauses


class _Division:
    """The clauses so far: those that come next may change the stance of the last."""

    def __init__(self, scene: Scene, known: Lexicon) -> None:
        self._scene, self._known = scene, known
        self._cubes = frozenset(o.name for o in scene.objects if o.category == "cube")
        self.clauses: list[Clause] = []

    def add(self, sentence: str, mark: str, number: int) -> None:
        """Add the clauses of one sentence."""
        tells = sentence_tells(sentence, mark)
        text = self._plainly(sentence)
        slips = list(n.SLIP.finditer(text))
        slip = slips[-1] if slips else None
        if slip:
            self._withdraw(text[: slip.start()], number)
            text = text[slip.end() :]
        parts = divide(text.split(), self._known)
        for k, part in enumerate(parts):
            if 0 < k == len(parts) - 1 and not slip and n.FLATLY_NO.fullmatch(" ".join(part)):
                self._forbid_last()
            self._append(part, text, number, tells, listed=self._is_listed(parts, k))

    def _is_listed(self, parts: Sequence[Sequence[str]], k: int) -> bool:
        """Whether a part goes on with the list of the part before it: "not red, green or blue"."""
        for part in parts[k:]:
            if not self._known.names_thing(part) or not all(map(self._only_names, part)):
                return False
            if not _LIST_ENDS.isdisjoint(part):
                return k > 0
        return False

    def _only_names(self, word: str) -> bool:
        return word in self._known.concepts or word in self._known.classes["fillers"]

    def _plainly(self, sentence: str) -> str:
        """A sentence without the refusals that forbid nothing."""
        text = n.QUOTED.sub(lambda m: f" {m.group('says') or ''} ", sentence)
        text = n.PARENTHESIS.sub(lambda m: m.group("turn") or " ,", text)
        if "leave" in text or "left" in text or "remain" in text or "stay" in text:
            text = n.NONE_LEFT.sub(" all cubes off ", text)
        text = n.IS_NONE_OF.sub(lambda m: f"{m.group('group') or 'all cubes'} except ", text)
        text = self._known.harmless.sub(" ", text)
        text = n.NOTHING_BUT.sub(lambda m: f"{m.group('act') or ''} only", text)
        text = n.ANYWHERE_BUT.sub(lambda m: f"should {m.group('what')}", text)
        if n.ORDERS.search(text):
            text = _FIRST_REFUSAL.sub(" ", text, count=1)
            text = re.sub(r"\bwithout (?:first|having)\b", "after", text)
        return text

    def _withdraw(self, before: str, number: int) -> None:
        """Take back what stands before a slip: its sentence or, if it opens one, the one before."""
        before = n.SLIP.sub(" ", before).strip(" ,.;:-")
        in_sentence = len(before.split()) > 1
        if not in_sentence and not self.clauses:
            return
        back = number if in_sentence else self.clauses[-1].sentence
        self.clauses = [
            replace(c, stance=Stance.WITHDRAWN) if c.sentence == back else c for c in self.clauses
        ]
        if in_sentence:
            self.clauses += [
                Clause(words=tuple(part), stance=Stance.WITHDRAWN, sentence=number)
                for part in divide(before.split(), self._known)
            ]

    def _append(
        self, part: Sequence[str], sentence: str, number: int, tells: bool, *, listed: bool
    ) -> None:
        last = self.clauses[-1] if self.clauses else None
        if last is not None and self._goes_on_excepting(last, part):
            stance = Stance.EXCEPTED
        elif listed and last is not None and last.refuses:
            stance = last.stance
        else:
            if last is not None and n.STOPS_BEFORE.fullmatch(" ".join(part)):
                self._forbid_last()
            stance = self._stance(part, sentence, last)
        self.clauses.append(Clause(words=tuple(part), stance=stance, sentence=number, tells=tells))

    def _forbid_last(self) -> None:
        """Forbid what was named last: "throw red away and make me cry. Seriously, don't"."""
        for k in range(len(self.clauses) - 1, -1, -1):
            if self._known.names_thing(self.clauses[k].words):
                self.clauses[k] = replace(self.clauses[k], stance=Stance.FORBIDDEN)
                return

    def _goes_on_excepting(self, last: Clause, part: Sequence[str]) -> bool:
        """Whether a clause names what the one before it began to except: "except, er, red"."""
        known = self._known
        if n.NOT_YOU.fullmatch(last.text) and all(map(self._only_names, part)):
            return True
        return (
            last.stance is Stance.EXCEPTED
            and not known.names_thing(last.words)
            and known.names_thing(part)
            and not known.acts(part)
        )

    def _stance(self, part: Sequence[str], sentence: str, last: Clause | None) -> Stance:
        text = " ".join(part)
        if last is not None and n.SAME.match(text):
            return last.stance
        if self._excepts(part, sentence, last):
            return Stance.EXCEPTED
        if forbids := n.FORBIDS.search(text):
            return self._refusal(part, forbids)
        if n.KEEPS.search(text) and not _LEAVES_A_PLACE.search(text):
            if n.KEPT_AS_WISHED.search(text) or n.KEPT_WHERE_PUT.search(text):
                return Stance.WANTED
            if not n.HOLDS.search(text):
                return Stance.WANTED if self._moves_there(part) else Stance.KEPT
        return Stance.ONLY if self._wants_only(part) else Stance.WANTED

    def _excepts(self, part: Sequence[str], sentence: str, last: Clause | None) -> bool:
        """Whether a clause takes things out of what another says."""
        text = " ".join(part)
        if "except that" in text and self._known.acts(part):
            return False  # "Except that the green one goes in the bin" is a wish of its own.
        if match := n.EXCEPTS.search(text):
            turn = match.group()
        elif part[0] in ("but", "unless", "without") and self._names_bare(part, last):
            turn = part[0]
        else:
            aside = part[-1] == "aside" and not self._known.acts(part)
            return aside or (part[0] == "but" and last is not None and self._ends_in_group(last))
        if n.BESIDES_DOING.search(text):
            return False
        if not n.ADDS_TO_ONE.search(turn):
            return True
        return not self._known.classes["group"].isdisjoint(sentence.split()) or bool(
            n.GROUPS.search(sentence)
        )

    def _ends_in_group(self, last: Clause) -> bool:
        """Whether a clause ends in a group, from which "but" can only except: "everything but"."""
        group = self._known.classes["group"] - self._known.classes["it"]
        return last.words[-1] in group and last.asks

    def _names_bare(self, part: Sequence[str], last: Clause | None) -> bool:
        """Whether a thing is named right after the turn, and no verb says what to do with it."""
        known = self._known
        if not known.names_thing(part[1:5]):
            return False
        if not known.acts(part):
            return True
        return (
            last is not None
            and len(last.words) < _SHORT
            and not known.acts(last.words)
            and not known.classes["group"].isdisjoint(last.words)
        )

    def _refusal(self, part: Sequence[str], forbids: re.Match[str]) -> Stance:
        """The stance of a clause with a word of refusal in it."""
        text = " ".join(part)
        keeps = n.KEEPS.search(text)
        if keeps and re.match(n.NEGATION, forbids.group()):
            # "The red cube does not leave the bowl" forbids, "leave nothing in the bowl" asks.
            departs = "leave" in part and self._known.names_thing(part[: part.index("leave")])
            forbidden = departs or keeps.start() < forbids.start()
            return Stance.FORBIDDEN if forbidden else Stance.WANTED
        after = text[forbids.end() :]
        if re.match(n.NEGATION, forbids.group()) and _NOT_ONLY.match(after):
            return Stance.WANTED
        harmless = n.COMPLAINS.search(text) or n.ORDERING.match(text) or n.NO_LONGER.search(text)
        return Stance.WANTED if harmless else Stance.FORBIDDEN

    def _wants_only(self, part: Sequence[str]) -> bool:
        """Whether a clause wants what it names and nothing else of its kind."""
        text = " ".join(part)
        if not n.ONLY.search(text.removesuffix(" only")) or n.ONLY_OF_TIME.search(text):
            return False
        at = self._known.classes["at"] | {"shall", "may", "should", "must"}
        return bool(self._known.acts(part)) or not at.isdisjoint(part)

    def _moves_there(self, part: Sequence[str]) -> bool:
        """Whether "leave red in the bowl" asks for a move, because it is not there yet."""
        facts = set(resting(self._scene))
        found = list(mentions(part, self._known))
        objects = [m.name for m in found if m.role == "object" and m.name in self._cubes]
        places = [
            m.name for m in found if m.role == "at" and (m.name in self._cubes or m.name in PLACES)
        ]
        if places and any(m.name == "*" for m in found):
            return not all((cube, place) in facts for cube in self._cubes for place in places)
        return bool(objects and places) and not any(
            (cube, place) in facts for cube in objects for place in places
        )
