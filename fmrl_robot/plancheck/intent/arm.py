"""What an instruction to an arm asks for and forbids, read without asking any model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from fmrl_robot.plancheck.intent import clauses as c
from fmrl_robot.plancheck.intent.clauses import Clause, Stance
from fmrl_robot.plancheck.intent.words import mend, words
from fmrl_robot.skills import further_skills
from fmrl_robot.types import Scene

CONTAINERS = ("bowl", "bin", "drawer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A thing that a clause names."""

    name: str
    """Of the scene's object; ``table``; ``*`` for any cube; ``it`` for what was named before."""
    role: str
    """``object``, ``at`` (where something goes or lies) or ``from``."""
    sure: bool = True
    """False where a colour may be that of something else."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Something that a clause asks for."""

    act: str
    """move, open, close or press."""
    things: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    words: str = ""


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    """The word lists of arm.yaml."""
    text = files("fmrl_robot.plancheck.intent").joinpath("arm.yaml").read_text("utf-8")
    return yaml.safe_load(text)


@lru_cache(maxsize=1)
def look_alikes() -> frozenset[str]:
    """English words that are one slip away from a word that matters, and none."""
    text = files("fmrl_robot.plancheck.intent").joinpath("look_alikes.txt").read_text("utf-8")
    return frozenset(text.split())


_AT = frozenset(
    ["in", "into", "inside", "within", "to", "onto", "on", "upon", "atop", "over", "above", "under", "beneath", "underneath", "below", "beside", "near", "at", "towards", "toward", "->", "by", "with"]
)
_INTO = frozenset(["into", "onto", "to", "->", "inside", "atop"])
_FROM = frozenset(["from", "off", "out", "away", "clear"])
_ALL = frozenset(
    ["all", "every", "everything", "anything", "any", "each", "both", "cubes", "blocks", "ones", "bricks", "boxes", "pieces", "things", "objects", "items", "others", "other", "rest", "remaining", "lot", "none", "nothing", "whatever", "whichever", "everybody", "everyone", "single", "remainder", "bunch", "those", "these"]
)
_OTHERS = frozenset(["others", "other", "rest", "remaining", "else"])
_IT = frozenset(["it", "them", "that", "this", "those", "these", "him", "her"])
_FILLERS = frozenset(["the", "a", "an", "my", "your", "our", "its", "his", "her", "this", "that", "and", "or", "nor", ",", "of", "both", "either"])
_AFTER_COLOR = frozenset(
    ["is", "are", "was", "were", "be", "goes", "go", "stays", "stay", "must", "should", "may", "can", "could", "would", "will", "shall", "has", "not", "and", "or", "nor", ",", "too", "as", "well", "please", "in", "into", "on", "onto", "to", "from", "off", "at", "with", "under", "over", "then", "instead", "alone", "there", "here", "where", "belongs", "needs", "wants", "->", "first", "second", "last", "next"]
)


_BEFORE_COMMANDS = frozenset(
    ["and", "then", "please", "just", "now", "first", "finally", "also", "so", "to", "kindly", "robot", "ok", "okay", "hey", "or", "lastly", "next", "afterwards", "simply", "but", "well", "right", "again", "do", "go", "ahead", "second", "third", "last", "after", "that", "start", "by", "begin", "with", "instead"]
)
_WANTS = re.compile(
    r"\b(?:want|wants|need|needs|(?:would|i|we|do) like|love to|prefer|should|must|ought|shall|has to|have to|goes?|belongs?|to be|ends? up|ending up|let|please|kindly|"
    r"(?:can|could|would|will|might) (?:you|we|i|the|it)|see to|make sure|ensure|supposed|may|you (?:put|take|place|open|close|press|bring|move|pick|bin|do))\b"
)
"""Words of a clause that asks for something, whoever its subject is."""
_SUBJECT = re.compile(
    r"(?:and |but |so |because |since |as |well |that |though |although |while |when |where |if |now |once )*"
    r"(?:i|he|she|we|they|it|nobody|somebody|someone|everyone|my|our|his|her|their|who|which|whose|there|here is|what do you|did you|some|aunt|grandma|the operator)\b"
)
"""How a clause begins that tells of somebody or something."""
_TELLS = re.compile(
    r"(?:and |but |so |because |since |as |well |that )*(?:i|he|she|we|they|nobody|somebody|someone|everyone|the operator|my \w+|our \w+) "
    r"(?:just |really |already |always |never |had |have |has |was |were )*"
    r"(?:put|placed|dropped|moved|opened|closed|shut|pressed|took|picked|left|had|was|were|did|stacked|grabbed|lost|wore|broke|like|love|adore|hate|loves|hates|likes)\b"
)
"""A clause that tells what somebody did or feels."""
_STATES = re.compile(r"\b(?:is|are|was|were|am|be|been|lies|sits|stands|sitting|lying|standing|fell|hid|got|gave|came|has|had|reminds?)\b")
_PAST = re.compile(r"\b(?:yesterday|last (?:week|night|year|month|time|summer)|used to|years? ago|long ago|once upon)\b")
_HAD = re.compile(r"(?:\w+ ){1,3}had \w+ed\b")
_ASKS_ABOUT = re.compile(r"(?:and |so |but |hey |robot |ok |well )*(?:is|are|was|were|does|did|how (?:many|much|do|does|is|are|old|far)|what (?:is|are|do|does|was|colou?r)|which|who|where|when)\b")


def tells_only(sentence: str, mark: str) -> bool:
    """Whether a sentence tells of the past, or asks about something."""
    if _HAD.match(sentence) or _PAST.match(sentence):
        return True
    return mark == "?" and bool(_ASKS_ABOUT.match(sentence)) and not re.search(r"\b(?:you|we|about|please|put|move)\b", sentence)


class Reader:
    """Reads one instruction for one scene."""

    def __init__(self, text: str, scene: Scene) -> None:
        lists = lexicon()
        self.scene = scene
        self.concepts: dict[str, tuple[str, str]] = {}
        for group in ("categories", "colors"):
            for name, some in lists[group].items():
                self.concepts |= dict.fromkeys(some, (group, name))
        self.verbs: dict[str, str] = {w: v for v, some in lists["verbs"].items() for w in some}
        # What skills of other packages are called is what people call them by.
        self.verbs |= {w: "move" for name in further_skills() for w in name.split("_")}
        known = frozenset(self.concepts) | frozenset(self.verbs) | frozenset(["never", "without", "except", "touch", "leave", "until"])
        others = look_alikes()
        plain = re.sub(r"\b(never|no|not) , (?=ever|no|never|not)", r"\1 ", " ".join(words(text)))
        known |= _ALL | _OTHERS
        self.words = [w for word in plain.split(" ") for w in self._apart(mend(word, known, others))]
        self.cubes = frozenset(o.name for o in scene.objects if o.category == "cube")
        self.clauses = list(self._clauses(lists["harmless"]))
        self.mentions = [list(self._mentions(clause.words)) for clause in self.clauses]

    def _apart(self, word: str) -> list[str]:
        """Part what was typed without a space: "putblue", "yellowcube"."""
        if word in self.concepts or word in self.verbs:
            return [word]
        for i in range(2, len(word) - 2):
            front, back = word[:i], word[i:]
            color, colored = self.concepts.get(front, ("", ""))[0], self.concepts.get(back, ("", ""))
            if color == "colors" and colored == ("categories", "cube"):
                return [front, back]
            if colored[0] == "colors" and (front in self.verbs or front in ("the", "want", "of")):
                return [front, back]
        return [word]

    # --- clauses ----------------------------------------------------------------------------------

    def _clauses(self, harmless: Sequence[str]) -> Iterator[Clause]:
        things = frozenset(self.concepts)
        taken_back = re.compile("|".join(f"(?:\\b{h})" for h in harmless))
        found: list[Clause] = []
        for number, (sentence, mark) in enumerate(c.sentences(self.words)):
            tells = tells_only(" ".join(sentence), mark)
            text = taken_back.sub(" ", " ".join(sentence))
            text = c.NOTHING_BUT.sub(lambda m: f"{m.group('act') or ''} only", text)
            text = c.ANYWHERE_BUT.sub(lambda m: f"should {m.group('what')}", text)
            ordered = c.ORDERS.search(text)
            if ordered:
                text = re.sub(r"\b(?:do not|not|never|no)\b", " ", text, count=1)
            for slip in [m for m in [c._SLIP.search(text)] if m]:
                before, text = text[: slip.start()], text[slip.end() :]
                if len(before.split()) > 1:
                    found = [replace(f, stance=Stance.WITHDRAWN) if f.sentence == number else f for f in found]
                    found += [
                        Clause(words=tuple(p), stance=Stance.WITHDRAWN, sentence=number)
                        for p in c.divide(before.split(), frozenset(self.verbs), things)
                    ]
                elif found:
                    last = found[-1].sentence
                    found = [replace(f, stance=Stance.WITHDRAWN) if f.sentence == last else f for f in found]
            for part in c.divide(text.split(), frozenset(self.verbs), things):
                before = found[-1].stance if found else None
                if found and before is Stance.EXCEPTED and not self._names_thing(found[-1].words) and self._names_thing(part) and not self._acts(part):
                    found.append(Clause(words=tuple(part), stance=Stance.EXCEPTED, sentence=number, tells=tells))
                    continue
                if found and re.fullmatch(r"(?:so |but |well |please |just |and )*(?:do not|never|do not (?:dare|do (?:that|it|so)))(?: ever| please| then)*", " ".join(part)):
                    found[-1] = replace(found[-1], stance=Stance.FORBIDDEN)
                found.append(Clause(words=tuple(part), stance=self._stance(part, text, before, found), sentence=number, tells=tells))
        return iter(found)

    def _stance(self, part: Sequence[str], sentence: str, before: Stance | None, found: Sequence[Clause]) -> Stance:
        text = " ".join(part)
        if before and re.match(r"(?:and |the )*(?:same|likewise|ditto|nor)\b", text):
            return before
        bare = self._names_thing(part[1:5]) and (
            not self._acts(part) or (bool(found) and not self._acts(found[-1].words) and bool(_ALL & set(found[-1].words)) and len(found[-1].words) < 4)
        )
        excepted = c.EXCEPTS.search(text) or (part[0] in ("but", "unless", "without") and bare)
        grouped = bool(_ALL & set(sentence.split())) or bool(
            re.search(r"\b(?:only|anywhere|nowhere|no (?:other )?(?:cube|block|brick|one|thing|piece)|not (?:a|one)(?: single)? (?:cube|block|brick|piece))\b", sentence)
        )
        if excepted and (
            grouped
            or not re.search(r"besides|apart|aside|but", excepted.group() if isinstance(excepted, re.Match) else part[0])
        ) and not re.search(r"\bbesides \w+ing\b", text):
            return Stance.EXCEPTED
        forbids, keeps = c.FORBIDS.search(text), c.KEEPS.search(text)
        if forbids and keeps and re.match(c._NEGATION, forbids.group()):
            departs = "leave" in part and self._names_thing(part[: part.index("leave")])
            return Stance.FORBIDDEN if departs or keeps.start() < forbids.start() else Stance.WANTED
        if forbids and c.COMPLAINS.search(text):
            return Stance.WANTED
        if forbids and (re.match(r"(?:until|unless|as long as|so long as)\b", text) or re.search(r"\b(?:any|no) ?(?:longer|more)\b", text)):
            return Stance.WANTED
        if forbids:
            return Stance.FORBIDDEN
        if re.search(r"\b(?:that way|like that|like this|at that|it so)\b", text) and keeps:
            return Stance.WANTED
        if keeps and re.search(r"\b(?:keep|kept) (?:it |them |that |safe )?in\b|\bas well$|\btoo$|\bkeep (?:it|them|that)$|\b(?:leave|keep)\b.*\b(?:in|on) (?:it|there|them)\b", text):
            return Stance.WANTED
        if keeps and not c._HOLDS.search(text):
            return Stance.WANTED if self._moves_there(part) else Stance.KEPT
        if re.search(r"\bonly\b|\bjust the\b|\bnothing else\b|\bsolely\b|\bexclusively\b", text.removesuffix(" only")) and not re.search(
            r"\bonly (?:then|when|once|if|after|afterwards|later|because|have|has|want|need|open|thing|problem)\b|\bthe only\b", text
        ) and (self._acts(part) or any(w in _AT for w in part)):
            return Stance.ONLY
        return Stance.WANTED

    def _moves_there(self, part: Sequence[str]) -> bool:
        """Whether "leave the red cube in the bowl" asks for a move, because it is not there yet."""
        facts = {(p.args[0], p.args[1]) for p in self.scene.predicates if p.name in ("on", "in") and p.value and len(p.args) == 2}
        found = list(self._mentions(part))
        objects = [m.name for m in found if m.role == "object" and m.name in self.cubes]
        places = [m.name for m in found if m.role == "at" and (m.name in self.cubes or m.name in (*CONTAINERS, "table"))]
        if any(m.name == "*" for m in found) and places:
            return not all((cube, p) in facts for cube in self.cubes for p in places)
        return bool(objects and places) and all((o, p) not in facts for o in objects for p in places)

    def _names_thing(self, part: Sequence[str]) -> bool:
        return any(w in self.concepts for w in part)

    def _acts(self, part: Sequence[str]) -> set[str]:
        return {self.verbs[w] for w in part if w in self.verbs}

    # --- what a clause names ----------------------------------------------------------------------

    def _mentions(self, part: Sequence[str]) -> Iterator[Mention]:
        role, last, gap = "object", "", 99
        for i, word in enumerate(part):
            gap += word not in _FILLERS
            if word in _FROM and not (word == "away" and part[i - 1 : i] == ["throw"]):
                role = "from"
            elif word in _AT:
                role = "at"
            elif word in self.verbs and word not in ("set", "rest", "place"):
                role = "object"
            group, name = self.concepts.get(word, ("", ""))
            if word == "bin" and self._bins(part, i):
                yield Mention(name="bin", role="at")
                continue
            if group == "colors":
                if i + 1 < len(part) and self.concepts.get(part[i + 1], ("", ""))[1] in (*CONTAINERS, "table", "button"):
                    continue
                role = last if gap <= 1 and role == "object" and last else role
                yield Mention(name=f"{name}_cube", role=role, sure=self._is_cube(part, i))
                last, gap, role = role, 0, "object"
            elif group == "categories" and name != "cube":
                if "for" in part[max(0, i - 3) : i] and role == "object":
                    role = "at"
                yield Mention(name=name, role=role)
                last, gap, role = role, 0, "object"
            elif word in _ALL or (
                word in ("no", "not") and re.match(r"(?:a |one |any )?(?:single |other )?(?:cube|block|brick|piece)\b", " ".join(part[i + 1 : i + 4]))
            ):
                yield Mention(name="*", role=role)
            elif word in _IT and (word not in ("that", "this", "these", "those", "his", "her") or i == len(part) - 1):
                yield Mention(name="it", role=role)
                role = "object"

    def _bins(self, part: Sequence[str], i: int) -> bool:
        """Whether ``bin`` is what to do: "bin the red cube"."""
        after = part[i + 1 : i + 2]
        return bool(after) and (after[0] in _FILLERS | _IT | _ALL or after[0] in self.concepts) and (
            i == 0 or part[i - 1] in ("and", "to", "please", "then", "you", "just", "should", "must", "not")
        ) and after[0] not in ("and", "or", ",")

    def _is_cube(self, part: Sequence[str], i: int) -> bool:
        after = part[i + 1 : i + 4]
        if not after or after[0] in _AFTER_COLOR or after[0] in self.verbs or after[0] in self.concepts:
            return True
        return any(self.concepts.get(w) == ("categories", "cube") for w in after)

    # --- what follows -----------------------------------------------------------------------------

    def named(self, i: int, role: str) -> set[str]:
        """Cubes that clause ``i`` names in a role."""
        return {m.name for m in self.mentions[i] if m.role == role and m.name.endswith("_cube")}

    def places(self, i: int, role: str) -> set[str]:
        """Containers and the table that clause ``i`` names in a role."""
        return {m.name for m in self.mentions[i] if m.role == role and m.name in (*CONTAINERS, "table")}

    def has(self, i: int, name: str) -> bool:
        """Whether clause ``i`` names this."""
        return any(m.name == name for m in self.mentions[i])

    def wanted_objects(self) -> set[str]:
        """Cubes that some clause wants moved."""
        return {
            x
            for i, clause in enumerate(self.clauses)
            if clause.stance in (Stance.WANTED, Stance.ONLY) and self.asks(i)
            for x in self.named(i, "object")
        }

    def names_cube(self, i: int) -> bool:
        """Whether clause ``i`` has a word for a cube that is no colour: block, one, thing."""
        return any(self.concepts.get(w) == ("categories", "cube") for w in self.clauses[i].words)

    def acts(self, i: int) -> set[str]:
        """What clause ``i`` wants done: open, close, press, release, put, move, touch."""
        return self._acts(self.clauses[i].words)

    def asks(self, i: int) -> bool:
        """Whether clause ``i`` asks for something, and does not merely tell."""
        clause = self.clauses[i]
        text = clause.text
        grouped = any(m.name == "*" for m in self.mentions[i])
        if clause.stance in (Stance.FORBIDDEN, Stance.KEPT, Stance.EXCEPTED) and not grouped:
            return False
        if clause.tells or _PAST.search(text) or clause.words[0] in ("if", "though", "although", "as", "because"):
            return False
        named = any(m.name.endswith("_cube") or m.name in ("*", "it") for m in self.mentions[i])
        aimed = bool(self.places(i, "at") | self.named(i, "at")) and named
        if _WANTS.search(text) or text.startswith("besides "):
            return bool(self._acts(clause.words)) or named or aimed
        if self._commands(clause.words):
            return True
        return not self.told(i) and (bool(self._acts(clause.words)) or aimed)

    def demands(self, i: int) -> bool:
        """Whether clause ``i`` clearly tells the robot to do something: what it names must come up."""
        clause = self.clauses[i]
        if not self.asks(i) or self.takes_back:
            return False
        others = re.match(r"(?:and |but |so |because |since |well |that )*(?:he|she|they|it|somebody|someone|nobody|my|our|his|her|their|some|who\w*|which)\b", clause.text)
        return not others and (self._commands(clause.words) or bool(_WANTS.search(clause.text)) or not self.told(i))

    @property
    def takes_back(self) -> bool:
        """Whether the speaker takes something back, and who knows how much."""
        return any(clause.stance is Stance.WITHDRAWN for clause in self.clauses)

    def may_ask(self, i: int) -> bool:
        """Whether clause ``i`` may ask for something, at the most generous reading."""
        clause = self.clauses[i]
        grouped = any(m.name == "*" for m in self.mentions[i])
        if clause.stance in (Stance.FORBIDDEN, Stance.KEPT, Stance.EXCEPTED) and not grouped:
            return False
        if clause.tells or _PAST.search(clause.text):
            return False
        if _TELLS.match(clause.text) and not _WANTS.search(clause.text):
            return False
        return bool(self._acts(clause.words) or self.mentions[i])

    def told(self, i: int) -> bool:
        """Whether clause ``i`` says how things are or were."""
        text = self.clauses[i].text
        return bool(self.clauses[i].tells or _PAST.search(text) or _SUBJECT.match(text) or _STATES.search(text))

    def _commands(self, part: Sequence[str]) -> bool:
        """Whether a clause begins with a verb in the form of a command."""
        first = next((w for w in part if w not in _BEFORE_COMMANDS), "")
        return first in self.verbs and not first.endswith(("ing", "ed"))

    def bans(self) -> list[Ban]:
        """What no step may do."""
        found: list[Ban] = []
        for i, clause in enumerate(self.clauses):
            match clause.stance:
                case Stance.FORBIDDEN:
                    found += self._forbidden(i)
                case Stance.KEPT:
                    found += self._kept(i)
                case Stance.EXCEPTED:
                    found += self._excepted(i)
                case Stance.ONLY:
                    found += self._only(i)
                case _:
                    pass
        return found

    def _forbidden(self, i: int) -> Iterator[Ban]:
        clause = self.clauses[i]
        acts, why = self._acts(clause.words), clause.text
        objects, targets = self.named(i, "object"), self.named(i, "at")
        into = self.places(i, "at")
        if self.has(i, "button") or (acts == {"press"} and {m.name for m in self.mentions[i]} <= {"it"}):
            yield Ban(acts=frozenset({"press"}), why=why)
            return
        if "press" in acts and self.has(i, "*"):
            yield Ban(acts=frozenset({"press"}), why=why)
        drawer = "drawer" in self.places(i, "object") | self.places(i, "from")
        if acts & {"open", "close"} and {m.name for m in self.mentions[i]} <= {"it"}:
            yield from self._drawer(i, acts)
            return
        if (acts and acts <= {"open", "close"}) or (drawer and not objects):
            yield from self._drawer(i, acts)
            if acts & {"open", "close"}:
                return
        if not (objects or targets or into) and not drawer:
            places = (self.places(i, "object") | self.places(i, "from")) - {"table"}
            if places:
                yield Ban(acts=frozenset({"place"}), places=frozenset(places), why=why)
                if not self._others(i) and not self.has(i, "*"):
                    return
        if "leave" in clause.words and objects:
            yield Ban(acts=frozenset({"grasp", "place"}), things=frozenset(objects), why=why)
            return
        if self._others(i):
            objects = self.cubes - self._named_otherwise()
            if not objects:
                return
        elif self.has(i, "*") and not objects:
            excepted = self._exceptions(i)
            if excepted is None or not (acts or into or targets or excepted):
                return
            if into or targets:
                objects = set(self.cubes - excepted) if excepted else set()
            else:
                objects = self.cubes - excepted - self.wanted_objects()
                if {"nothing", "anything"} & set(clause.words):
                    yield Ban(acts=frozenset({"open", "close", "press"} - self._other_acts()), why=why)
                if not objects:
                    return
        if not (objects or targets or into or drawer or self.named(i, "from")):
            if not acts or self._told_of_others(clause):
                return
            objects, place = self._antecedent(i)
            if place == "button":
                yield Ban(acts=frozenset({"press"}), why=why)
                return
            if not (objects or place) and self.has(i, "it"):
                return
            if place == "drawer":
                yield from self._drawer(i, acts) if not acts & {"put"} else [Ban(acts=frozenset({"place"}), places=frozenset({place}), why=why)]
                return
        yield from self._placing(i, objects, targets, into, acts, why)

    def _told_of_others(self, clause: Clause) -> bool:
        """Whether it says what somebody else does or may not do."""
        return bool(re.match(r"(?:because |since |as |and |so |that |where )*(?:i|he|she|we|they|my \w+|his \w+|the (?!robot)\w+)\b", clause.text))

    def _placing(self, i: int, objects: set[str], targets: set[str], into: set[str], acts: set[str], why: str) -> Iterator[Ban]:
        part = self.clauses[i].words
        text = self.clauses[i].text
        goes = bool(acts & {"put"}) or bool(_INTO & set(part)) or not acts
        to = targets | into
        referred = self._referred(i)
        near = re.search(r"\b(?:near|off|clear|away|at|with)\b", text) and not into
        if acts == {"put"} and not to and objects:
            yield Ban(acts=frozenset({"place"}), things=frozenset(objects), why=why)
            return
        if "release" in acts or re.search(r"\b(?:let go|put (?:it |them )?down)\b", text):
            yield Ban(acts=frozenset({"place"}), things=frozenset(objects), why=why)
            return
        beside = targets | self.named(i, "from")
        if near and beside and not objects:
            objects, to, targets = beside, set(), set()
        objects = objects or (self.named(i, "from") if not to else set())
        if to and goes:
            again = objects & self.wanted_objects()
            grouped = self.has(i, "*") and objects
            if not grouped:
                yield Ban(acts=frozenset({"place"}), things=frozenset(objects), places=frozenset(to), why=why)
                return
            # "All that are neither red nor blue go in the bowl" says of what it names that it stays.
            yield Ban(acts=frozenset({"place"}), things=frozenset(objects), places=frozenset(to), why=why)
            objects = objects - again
        elif to and not (objects or referred):
            yield Ban(acts=frozenset({"place"}), things=frozenset(objects), places=frozenset(to), why=why)
            return
        if objects or referred:
            things = frozenset(objects or referred)
            again = things & self.wanted_objects()
            if again and not acts:
                destinations = self._destinations(i)
                if destinations:
                    yield Ban(acts=frozenset({"place"}), things=again, places=frozenset(destinations), why=why)
                things -= again
            if things:
                yield Ban(acts=frozenset({"grasp", "place"}), things=things, why=why)
        elif not acts & {"open", "close", "press"} and acts:
            yield Ban(acts=frozenset({"grasp", "place", "open", "close", "press"}), why=why)

    def _kept(self, i: int) -> Iterator[Ban]:
        clause = self.clauses[i]
        why = clause.text
        objects, away = self.named(i, "object"), self.places(i, "from")
        if self.has(i, "button"):
            yield Ban(acts=frozenset({"press"}), why=why)
            return
        if "drawer" in self.places(i, "object") and not objects:
            yield from self._drawer(i, self._acts(clause.words))
            return
        if away and not objects and self.has(i, "it"):
            objects, _ = self._antecedent(i)
        if away and objects:
            yield Ban(acts=frozenset({"place"}), things=frozenset(objects), places=frozenset(away), why=why)
            return
        if self._others(i):
            objects = self.cubes - self._named_otherwise()
        elif self.has(i, "*") and not objects:
            excepted = self._exceptions(i)
            if excepted is None:
                return
            objects = self.cubes - excepted - self.wanted_objects()
        objects = objects or self._referred(i) or (self.named(i, "at") | self.named(i, "from"))
        places = (self.places(i, "object") | self.places(i, "from") | self.places(i, "at")) - {"table"}
        if not objects and places:
            yield Ban(acts=frozenset({"place"}), places=frozenset(places), why=why)
            return
        if not objects:
            objects, place = self._antecedent(i)
            if place == "button":
                yield Ban(acts=frozenset({"press"}), why=why)
                return
            if place == "drawer" or {"open", "closed", "shut"} & set(clause.words):
                yield from self._drawer(i, self._acts(clause.words))
                return
        things = frozenset(objects) - self.wanted_objects()
        if things:
            yield Ban(acts=frozenset({"grasp", "place"}), things=things, why=why)

    def _drawer(self, i: int, acts: set[str]) -> Iterator[Ban]:
        clause = self.clauses[i]
        kept = clause.stance is Stance.KEPT or bool(c.KEEPS.search(clause.text))
        shut = bool({"closed", "shut", "close"} & set(clause.words))
        opened = bool({"open", "opened", "ajar"} & set(clause.words))
        if kept and shut:
            banned = {"open"}
        elif kept and opened:
            banned = {"close"}
        else:
            banned = acts & {"open", "close"} or {"open", "close"}
        yield Ban(acts=frozenset(banned), why=clause.text)
        if banned == {"open", "close"} and not kept:
            yield Ban(acts=frozenset({"place"}), places=frozenset({"drawer"}), why=clause.text)

    def _excepted(self, i: int) -> Iterator[Ban]:
        clause = self.clauses[i]
        if self._inside_ban(i):
            return
        things = self.named(i, "object") or self._referred(i) or self.named(i, "at") | self.named(i, "from")
        places = self.places(i, "object") | self.places(i, "at")
        if not things and places:
            yield Ban(acts=frozenset({"place"}), places=frozenset(places), why=clause.text)
        again = things & self.wanted_objects()
        near = self._destinations(i)
        if again and near:
            yield Ban(acts=frozenset({"place"}), things=frozenset(again), places=frozenset(near), why=clause.text)
        if things - again:
            yield Ban(acts=frozenset({"grasp", "place"}), things=frozenset(things - again), why=clause.text)

    def _only(self, i: int) -> Iterator[Ban]:
        clause = self.clauses[i]
        objects = self.named(i, "object")
        if objects or self._acts(clause.words) & {"press", "open", "close"}:
            things = self.cubes - objects - self.wanted_objects()
            yield Ban(acts=frozenset({"grasp", "place"}), things=frozenset(things), why=clause.text)

    def _others(self, i: int) -> bool:
        return bool(_OTHERS & set(self.clauses[i].words)) and not self.named(i, "object")

    def _inside_ban(self, i: int) -> bool:
        """Whether what is excepted is excepted from a prohibition, and so is allowed."""
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(self.clauses)]
        return any(
            self.clauses[j].stance in (Stance.FORBIDDEN, Stance.KEPT) and self.has(j, "*") and not self.named(j, "object")
            for j in beside
        )

    def _exceptions(self, i: int) -> set[str] | None:
        """Cubes that the clauses after a ban on everything take out of it; None: who knows."""
        found: set[str] = set()
        for j in (i - 1, i + 1, i + 2):
            if 0 <= j < len(self.clauses) and self.clauses[j].stance is Stance.EXCEPTED:
                these = self.named(j, "object") or self._referred(j) or self.named(j, "at")
                if not these and not self._acts(self.clauses[j].words):
                    return None
                found |= these
        return found

    def _named_otherwise(self) -> set[str]:
        """Cubes that some clause wants something of; all of them where none is named."""
        found: set[str] = set()
        for j, clause in enumerate(self.clauses):
            if clause.stance in (Stance.WANTED, Stance.ONLY):
                found |= {m.name for m in self.mentions[j] if m.name in self.cubes} | self._referred(j)
        return found or set(self.cubes)

    def _other_acts(self) -> set[str]:
        """What clauses that forbid nothing want done with drawer and button."""
        found: set[str] = set()
        for j, clause in enumerate(self.clauses):
            if clause.stance is not Stance.FORBIDDEN:
                found |= self._acts(clause.words)
                found |= {"open", "close"} if self.has(j, "drawer") else set()
        return found

    def _antecedent(self, i: int) -> tuple[set[str], str]:
        """Cubes, or the place, that were named last before clause ``i``."""
        for j in range(i - 1, -1, -1):
            if self.clauses[j].stance is Stance.WITHDRAWN:
                continue
            found = self.named(j, "object") or self._referred(j) or self.named(j, "at")
            if found:
                return found, ""
            if self.has(j, "button"):
                return set(), "button"
            places = self.places(j, "object") or self.places(j, "at")
            if places:
                return set(), sorted(places)[0]
        return set(), ""

    def _destinations(self, i: int) -> set[str]:
        """Where the clause before or after ``i`` brings things."""
        for j in (i - 1, i + 1):
            if 0 <= j < len(self.clauses):
                found = self.places(j, "at") | self.named(j, "at") | self.places(j, "object")
                if found:
                    return found - {"button"}
        return set()

    def _referred(self, i: int) -> set[str]:
        """Cubes that clause ``i`` describes by where they are, without naming them."""
        part = self.clauses[i].words
        nouns = any(self.concepts.get(w) == ("categories", "cube") or w in ("what", "whatever", "contents") for w in part)
        facts = self.scene.predicates
        below = {p.args[0]: p.args[1] for p in facts if p.name in ("on", "in") and p.value and len(p.args) == 2}
        found: set[str] = set()
        stacked = {x: y for x, y in below.items() if y in self.cubes}
        if stacked and not self.named(i, "object") and not self.named(i, "at"):
            if {"top", "upper", "topmost", "uppermost", "highest"} & set(part):
                found |= set(stacked) - set(stacked.values())
            if {"bottom", "lowest", "lower", "lowermost", "base"} & set(part):
                found |= set(stacked.values()) - set(stacked)
        if nouns and not self.named(i, "object"):
            for place in self.places(i, "at") | self.places(i, "from"):
                found |= {x for x, y in below.items() if y == place}
            for cube in self.named(i, "at"):
                found |= {x for x, y in below.items() if y == cube}
                if {"under", "underneath", "beneath", "below"} & set(part):
                    found |= {below.get(cube, "")} & self.cubes
        return found
