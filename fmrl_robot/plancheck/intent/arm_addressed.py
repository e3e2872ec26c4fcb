"""Whether a text asks an arm for anything at all, told by how its clauses are built.

Questions, stories, lists, log lines and headlines name the same things as instructions do. So a
text asks only where some clause is built as an order: a verb that commands, a wish, a norm, or a
thing and a place with no verb of a statement between them.
"""

from __future__ import annotations

import re

from fmrl_robot.plancheck.intent import arm_asking as asking
from fmrl_robot.plancheck.intent import arm_signs as signs
from fmrl_robot.plancheck.intent.arm_reading import Reader
from fmrl_robot.plancheck.intent.arm_words import Lexicon
from fmrl_robot.plancheck.intent.clauses import Stance
from fmrl_robot.plancheck.intent.words import one_slip_apart
from fmrl_robot.types import Scene

_DO_IT = re.compile(
    r"(?:and |yes |then |so |just |please |now )*do (?:it|so|that)\b|"
    r".*\bdo not (?:stop|rest) (?:until|before)\b"
)
"""A command that takes up a question or a state: "can you grasp it? Then do it"."""

_FILLED = re.compile(r"\b(?:bowl|dish|bin|bucket|basket|drawer|box|stack|pile|tray) of\b")
"""A noun phrase that tells what is in something: "a bowl of cubes"."""

_YOU = re.compile(
    r"\b(?:(?:can|could|would|will|might) (?:you|we)|you (?:can|could|may|might|should|must)|"
    r"(?:like|want|need) you to|(?:do|would) you mind|appreciate (?:you|it)|please|kindly|"
    r"(?:try|be sure) to|it is (?:\w+ )?time|(?:has|have|needs?|ought) to (?:go|be)|"
    r"would (?:look|go|be|feel|do) (?:\w+ )?(?:nice|nicer|good|better|best|well|great|lovely|"
    r"perfect|pretty|fine))\b"
)
"""A wish that is put to whoever is spoken to: "do you think you could"."""

_AWAY_WITH = re.compile(r"(?:and |then |now |so )*(?:in|into|onto|on|off|out|away|down)\b.* with\b")
"""A command without a verb: "into the bin with it"."""

_WOULD_BE = re.compile(r"\b(?:i|it|we|that) (?:would|should)\b")
"""What makes a wish of a condition: "I would be glad if you opened it"."""

_DENOTES = re.compile(
    r"\b(?:home|place|spot|destination|slot|step|task|job|goal|aim) (?:for (?:\w+ ){1,4})?"
    r"(?:is|are)\b|\bcomes? (?:back |out |off |up |down )+(?:to|into|onto|on|in)\b|"
    r"\boff to\b.* with\b"
)
"""A norm in a noun: "the right place for the green cube is the bin"."""

_CONDITION = re.compile(
    r"(?:and |so |but |well |ok |hm+ )*(?:once|after|when|whenever|before|until|while|if|"
    r"as soon as)\b"
)
"""A clause on which another hangs, and that asks for nothing itself."""

_WONDERS = re.compile(
    r"\b(?:wonder\w*|ask(?:ed|ing)?|know|remember|forg[eo]t|idea|sure|tell|guess|see)(?: me)? "
    r"(?:whether|if|why|who|whose|how|what|which|where|when)\b"
)
"""An indirect question."""

_COUNTERFACTUAL = re.compile(
    r"\b(?:would|could|should|might|must|may|ought to) (?:not )?have (?!you\b)\w+"
)
"""What might have been: "it could have dropped the cube"."""

_PERFECT = re.compile(r"\b(?:has|have|had) (?:already |just |all |now |always |never )*been\b")
"""What has come about: "everything has been put where it belongs"."""

_TALKS = re.compile(
    r"\b(?:want|like|love|need|have|going) to (?:know|say|thank|ask|understand|learn|talk|speak|"
    r"mention|hear|read|believe|buy|congratulate|apologi[sz]e|complain|point out)\b|"
    r"\blet (?:me|us) (?:tell|explain|say|ask|think|talk|imagine|assume|remind|guess)\b"
)
"""A wish to talk, which moves nothing: "I would like to know"."""

_FUTURE_OF_OTHERS = re.compile(
    r"\b(?!you\b|we\b|it\b|they\b)(?P<who>\w+) (?:(?:is|are|am) (?:\w+ )?(?:going|about) to|"
    r"will (?:\w+ )?be \w+ing|will (?:\w+ )?have)\b|"
    r"\bi (?:will|shall|may|might|can|could) (?!need|want|like|have|be\b|see\b)\w+"
)
"""What somebody else is about to do: "our technician will be replacing the bin"."""

_LAY_THERE = re.compile(
    r"\bthere (?:\w+ )?(?:lay|lies|stood|stands|sat|sits|is|are|was|were|goes)\b"
)
"""What there is: "inside there lay a cube"."""

_OF_DEEDS = re.compile(
    r"^(?:and |but |now |so )*you (?:just |really |already |have )*(?!need)\w+ed\b|"
    r"\b(?:the way|how|when|time|day) (?:you|i|he|she|we|they)\b"
    r"(?! want| need| like)|"
    r"\bit (?:must|may|might|can) be \w+ to\b|"
    r"^to \w+ .*\b(?:is|are|needs?|takes?|requires?)\b|"
    r"^(?:my|his|her|our|their) (?!cube|block|red|green|blue|yellow)\w+ (?!goes|belongs|needs|"
    r"wants)\w+s\b|"
    r"^(?:nobody|no one|people|kids|children|somebody|someone|robots)"
    r"(?! should| must| has to| ought) "
    r"(?:\w+ )?(?:needs?|wants?|loves?|likes?|hates?|puts?|opens?|closes?|press\w*|keeps?)\b"
)
"""What somebody did or does: "you dropped it", "the way you put it", "kids love to press it"."""

_SAID = re.compile(
    r"\b(?:said|says|told \w+)(?: that)? .*\b(?:is|are|was|were|looks?|looked|has|had)\b"
)
"""A remark of somebody else's, and no order: "he said that it looks good there"."""

_PAST_TIME = re.compile(
    r"\b(?:last (?:\w+day|spring|autumn|winter|summer)|this morning|the other day|ago|earlier|"
    r"in (?:1[89]|20)\d\d)\b"
)
"""A time that is over, beside those that every clause is asked about."""

_PRAISE = re.compile(
    r"(?:oh |wow |and )*(?:well done|(?:good|great|nice|fine|excellent) (?:job|work|one)|bravo|"
    r"thanks?|congrat\w+|impressive|amazing|i (?:saw|noticed|like|love|heard))\b"
)
"""What somebody says of a deed."""

_DEED = re.compile(
    r"(?:that |how |and |when )*you (?:just |really |already )*(?!can|may|should|must)"
)
"""What was done by whoever is spoken to: "you put it there so neatly"."""

_STATEMENT = re.compile(
    r"\b(?:is|are|am|was|were|has|have|had|does|did|came|went|fell|lay|stood|sat|got|gave|made|"
    r"said|told|took|found|lost|means?|cost|will|would|could|might|who|why|how|what|which|whose|"
    r"i|he|she|we|they|nobody|somebody|someone|everybody|"
    r"(?<!as )(?!colou?red\b|painted\b)\w{2,}(?:ed|ing))\b"
)
"""What only a statement or a question has: a finite verb, a subject, a word that asks."""

_DETERMINERS = frozenset([
    "the", "a", "an", "it", "them", "this", "that", "these", "those", "my", "your", "his", "her",
    "our", "every", "each", "all", "both", "red", "green", "blue", "yellow",
])  # fmt: skip
"""Words with which the object of a verb begins."""
_COMMANDS = frozenset(["have", "make", "let", "use", "do", "take", "be", "spare"])
"""Courtesies that command as well: "make it so that red is underneath"."""
_TIDIES = frozenset(
    ["tidy", "clear", "empty", "unload", "sort", "gather", "collect", "build", "unstack", "place"]
)
"""Verbs that need no object."""
_WHEREVER = re.compile(
    r"\b(?:go|goes|belongs?) (?:back )?(?:in|into|inside|on|onto|at|there|under)\b"
)
"""A norm that says whereto, or tries to: "all go in the bni"."""
_PARTICLE = re.compile(r" -> | (?:up|down|out|in|away|off|open|shut|closed|gently)$")
"""A command without a verb ends in where to: "the yellow cube up"."""

_SUGGESTS = re.compile(
    r"\b(?:(?:what|how) about|what if you|consider|think of a|up for|say goodbye|"
    r"(?:it is )?time to|(?:job|kind as|sure|careful|asked|require|expect|permission|fine|gotta|"
    r"have got|need|needto|waiting for|hoping|rather|have|want|wants|wan|mind) "
    r"(?:to|you|that you|you to|you will|it to|that)(?! know| understand)|wanting|"
    r"swap|trade|reversed? positions?|snowman|tower|skyscraper|what (?:is first|comes (?:now|"
    r"next))|"
    r"(?:end |desired |final )(?:result|outcome|state)|outcome|mission|goal|success means|"
    r"(?:is|are|both) (?:expected|due|invited|next|off|placed|wanted|needed)|up next|"
    r"waiting for|feed|receives|wants a home|ought to have|the place|comes? next|by now|"
    r"final answer|go back|it would mean|i would be grateful|do something|let .* be)\b"
)
"""Words, beside verbs and norms, by which people ask: "how about", "success means that"."""
_COURTESIES = ("please", "could", "would", "you")
_NO_VERB = frozenset([
    "the", "a", "an", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our",
    "their", "some", "any", "no", "every", "each", "all", "both", "in", "on", "at", "to", "of",
    "for", "from", "with", "by", "into", "onto", "and", "or", "nor", "but", "if", "as", "than",
    "so", "then", "what", "where", "who", "which", "why", "how", "there", "here", "it", "i",
    "you", "he", "she", "we", "they", "not", "is", "are", "was", "were", "does", "did", "has",
    "had", "be", "been", "will", "would", "can", "could", "should", "may", "might", "must", "new",
    "next", "last", "only", "just", "like", "unlike", "about", "after", "before", "near", "over",
    "under", "between", "during", "because", "since", "until", "while", "though", "see", "such",
    "half", "when", "somebody", "someone", "nobody", "everybody", "everyone", "anybody",
])  # fmt: skip
"""Words that, however a clause goes on, command nothing."""


def addressed(reader: Reader, text: str, scene: Scene) -> bool:
    """Whether some clause of a text asks for something.

    Args:
        reader: has read ``text`` in ``scene``.
        text: as it was given, in which quotation marks still tell speech from order.
        scene: when the task began.
    """
    if signs.DATA.search(text):
        return False
    outside = signs.QUOTE.sub(" , ", text)
    if outside != text and signs.OF_WORDS.search(outside):
        reader = Reader(outside, scene)
    return any(_orders(reader, i) or _may_order(reader, i) for i in range(len(reader.clauses)))


def _orders(reader: Reader, i: int) -> bool:
    """Whether clause ``i`` plainly asks, and is not a statement that only sounds like it."""
    clause = reader.clauses[i]
    if clause.tells or _states(reader, i):
        return False
    if clause.stance is Stance.WITHDRAWN:
        # Of what was taken back the rest still holds: "pick up red, I mean blue".
        return reader.commands(i) or bool(_YOU.search(clause.text)) or _is_whole(reader, i)
    if clause.stance is Stance.EXCEPTED and reader.acts(i):
        return bool(asking.WANTS.search(clause.text)) or reader.commands(i)
    if not (reader.licenses(i) or reader.passes_on(i)):
        return False
    if reader.commands(i):
        return not _is_compound(reader, i) and not _is_idiom(reader, i)
    if asking.WANTS.search(clause.text) or reader.passes_on(i):
        return True
    if _CONDITION.match(clause.text):
        return _wishes_by_condition(reader, i) or _command_follows(reader, i)
    return _is_whole(reader, i)


def _wishes_by_condition(reader: Reader, i: int) -> bool:
    """Whether a condition is a wish by what stands beside it: "I'd be glad if you opened it"."""
    clauses = reader.clauses
    beside = " ".join(c.text for c in clauses if c.sentence == clauses[i].sentence)
    return bool(_WOULD_BE.search(beside)) and " you " in f" {clauses[i].text} "


def _command_follows(reader: Reader, i: int) -> bool:
    """Whether a command follows a condition without a comma: "after opening it put red there"."""
    words, known = reader.clauses[i].words, reader.lexicon
    return any(
        word in known.verbs
        and word not in ("open", "close", "shut", "go")
        and not word.endswith(("ing", "ed", "s"))
        and words[k] in known.concepts
        for k, word in enumerate(words[1:])
    )


def _states(reader: Reader, i: int) -> bool:
    """Whether clause ``i`` is a statement by its tense, its mood or what it follows."""
    text = reader.clauses[i].text
    if _YOU.search(text):
        return False
    if _WONDERS.search(text) or _COUNTERFACTUAL.search(text) or _PERFECT.search(text):
        return True
    told = _OF_DEEDS.search(text) and not _wishes_by_condition(reader, i)
    if told or (_SAID.search(text) and not asking.WANTS.search(text)):
        return True
    if _TALKS.search(text) or _FUTURE_OF_OTHERS.search(text) or _LAY_THERE.search(text):
        return True
    if _PAST_TIME.search(text) and not reader.commands(i):
        return True
    praised = any(
        _PRAISE.match(reader.clauses[j].text)
        for j in range(i + 1)
        if reader.clauses[j].sentence == reader.clauses[i].sentence
    )
    return praised and bool(_DEED.match(_PRAISE.sub("", text).strip()))


def _is_compound(reader: Reader, i: int) -> bool:
    """Whether a clause only begins like a command: "press release", "robot puts cube in bin"."""
    known = reader.lexicon
    words = [w for w in reader.clauses[i].words if w not in known.classes["before_commands"]]
    first, second = words[0], (words[1:2] or [""])[0]
    third_person = _is_third_person(first, known)
    noun = len(words) == len({first, second} - {""}) and first != "go" and second in known.verbs
    return third_person or noun


def _is_idiom(reader: Reader, i: int) -> bool:
    """Whether a verb that needs an object has none in the whole text: "take care", "hold on"."""
    clause = reader.clauses[i]
    named = any(reader.mentions) or any(map(reader.names_cube, range(len(reader.clauses))))
    tidies = not _TIDIES.isdisjoint(clause.words)
    return not named and not tidies and reader.acts(i) <= {"move", "put", "touch"}


def _is_third_person(word: str, known: Lexicon) -> bool:
    """Whether a word is a verb that tells of somebody: "puts"; "goes" asks."""
    stems = {word[:-1], word[:-2]} & known.verbs.keys()
    return word.endswith("s") and bool(stems) and word not in ("goes", "belongs", "looks")


def _is_whole(reader: Reader, i: int) -> bool:
    """Whether a clause without a verb has a thing and what becomes of it, alone or in a list."""
    if _describes(reader, i):
        return False
    if reader.acts(i) - {"touch"} and reader.mentions[i]:
        return True
    sentence = reader.clauses[i].sentence
    all_of_it = [j for j, c in enumerate(reader.clauses) if c.sentence == sentence]
    mine = [i] if any(map(reader.told, all_of_it)) else all_of_it
    things = any(m.is_cube or m.name in ("*", "it") for j in mine for m in reader.mentions[j])
    goes = any(reader.aims(j) or reader.places(j, "object") for j in mine)
    return things and goes


def _describes(reader: Reader, i: int) -> bool:
    """Whether a clause without a verb says what something is like, or stands under a heading."""
    sentence = next(c for c in reader.clauses if c.sentence == reader.clauses[i].sentence)
    measured = signs.MEASURE.search(" ".join(reader.words)) is not None
    return measured or bool(signs.HEADING.fullmatch(sentence.text) or _FILLED.search(sentence.text))


def _may_order(reader: Reader, i: int) -> bool:
    """Whether clause ``i`` is built as an order, in words that the reader does not know."""
    clause, known = reader.clauses[i], reader.lexicon
    text = clause.text
    if not clause.asks or clause.tells or asking.PAST.search(text) or _states(reader, i):
        return False
    if _DO_IT.match(text):
        return any(reader.mentions)
    if not reader.mentions[i]:
        return bool(_SUGGESTS.search(text)) and any(reader.mentions)
    if _YOU.search(text) or _DENOTES.search(text) or _AWAY_WITH.match(text):
        return True
    if _SUGGESTS.search(text) or _commands_within(clause.words, known):
        return True
    if _commands_otherwise(_without_courtesy(clause.words, known), known):
        return True
    if _describes(reader, i) or clause.words[0] in known.courtesies:
        return False
    if _WHEREVER.search(text) and not _STATEMENT.search(text):
        return True
    if _STATEMENT.search(text) or any(_is_third_person(w, known) for w in clause.words):
        return False
    things = any(m.is_cube or m.name in ("*", "it") for m in reader.mentions[i])
    goes = reader.aims(i) or reader.places(i, "object")
    if _PARTICLE.search(text) and things:
        return True
    return (bool(goes) and (things or reader.names_cube(i))) or _is_list(reader, i)


def _is_list(reader: Reader, i: int) -> bool:
    """Whether a sentence without a verb has things and what becomes of them: "red up, blue in"."""
    clauses = reader.clauses
    parts = [j for j, c in enumerate(clauses) if c.sentence == clauses[i].sentence]
    if any(_STATEMENT.search(clauses[j].text) for j in parts):
        return False
    things = any(m.is_cube or m.name == "*" for j in parts for m in reader.mentions[j])
    return things and any(reader.aims(j) or reader.places(j, "object") for j in parts)


def _commands_within(words: tuple[str, ...], known: Lexicon) -> bool:
    """Whether a verb in the form of a command has its object after it, and no subject before it.

    "Gentlu push the button" is a command behind a word that no list knows; in "my aunt put a red
    cube in it" the words before the verb are its subject.
    """
    for k, word in enumerate(words[1:], 1):
        plain = word in known.verbs and not word.endswith(("ing", "ed", "s"))
        article = words[k + 1 : k + 2] and words[k + 1] in _DETERMINERS
        adverb = k == 1 and words[0] not in _NO_VERB and not known.names_thing(words[:1])
        if plain and article and adverb and not words[0].endswith(("s", "ed")):
            return True
    return False


def _without_courtesy(words: tuple[str, ...], known: Lexicon) -> list[str]:
    """The words from the first on that may command; slips of "please" and "could you" left out."""
    before = known.classes["before_commands"] - {"that", "all", "after", "even", "rather"}
    for k, word in enumerate(words):
        slip = word not in _NO_VERB and any(one_slip_apart(word, w) for w in _COURTESIES)
        if word not in before and not slip:
            return list(words[k:])
    return []


def _commands_otherwise(words: list[str], known: Lexicon) -> bool:
    """Whether some words begin with a verb: "crown the blue cube", as no noun has an article after.

    A word that no list knows counts, if it has the form of a command.
    """
    first, second = ([*words, "", ""])[:2]
    return (
        first.isalpha()
        and first not in _NO_VERB
        and first not in known.courtesies - _COMMANDS
        and not known.names_thing([first])
        and not first.endswith(("ing", "ed", "ly"))
        and (not first.endswith("s") or first.endswith("ss"))
        and (second in _DETERMINERS or known.kind(second) == "colors")
    )
