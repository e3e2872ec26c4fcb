"""What tells a clause that asks for something from one that only tells or asks about it.

People tell stories round their wishes ("my aunt put the red cube there once; put it in the bowl").
A story must not be carried out, and a wish must not be taken for one: so the patterns are many, and
each looks for one sign only.
"""

from __future__ import annotations

import re

WANTS = re.compile(
    r"\b(?:want|wants|need|needs|(?:would|i|we|do) like|(?:would|i) love|would rather|prefer|"
    r"should|must|ought|shall|has to|have to|(?:is|are) (?:for|to)|means to|meant to|go(?:es)?|"
    r"belongs?|to be|ends? up|ending up|let|please|kindly|see to|make sure|ensure|supposed|may|"
    r"(?:can|could|would|will|might) (?:you|we|i|the|it|be|have)|"
    r"(?:kind|good|nice) as to|(?:like|have|want|trouble|ask|beg|get) you to|"
    r"you (?:put|take|place|open|close|press|bring|move|pick|bin|do))\b"
)
"""A clause that asks, whoever its subject is: "the red cube should go in the bowl"."""

OWN_WISH = re.compile(
    r"\b(?:i|we) (?:\w+ )?(?:want|need|(?:would|do) like|would love)(?: to (?:have|see))? "
    r"(?:the|a|an|that|this|it|them|my|all|every|both|red|green|blue|yellow)\b"
)
"""Something is wished for by itself: "I would like the red cube"."""

NORMS = re.compile(r"\b(?:go(?:es)?|belongs?)\b")
"""Verbs that ask only where they say whereto: "red belongs in the bowl", not "to grandma"."""

_POLITE = re.compile(
    r"if (?:it is|that is|it would|you|i may|i might|possible|at all|not too|convenient|need be|"
    r"so|all goes)\b"
)
"""A condition that is none: "if you please"."""

DEMANDS = re.compile(
    r"\b(?:(?:i|we) (?:want|need|do like)|(?:i|we) would like|should|must|ought|has to|have to|"
    r"go(?:es)?|belongs?|to be|ends? up|ending up|please|kindly|"
    r"(?:can|could|would|will|might) you|see to|make sure|ensure|"
    r"you (?:put|take|place|open|close|press|bring|move|pick|bin|do))\b"
)
"""A clause whose wish is the speaker's own: what others want or may do need not come up."""

AS_GOOD = re.compile(
    r"(?:and |so |but |well |ok |hm+ )*(?:once|after|when|before|until|while|as soon as|if|"
    r"i (?:think|guess|suppose|hope|wish|wonder|ask|asked|was wondering|was hoping|am asking))\b"
)
"""A clause that tells, and asks by it: "once the red cube is in the bowl, press the button"."""

HEARSAY = re.compile(
    r"\b(?:i|he|she|they|boss|mum|mom|dad|mother|father|wife|friend|teacher|colleague|we|granny)"
    r" (?:\w+ )?(?:asks?|asked|tells?|told|says?|said|wants?|wanted)\b"
)
"""A clause that passes on a wish: "mum says the green block has to go in the drawer"."""

_REPORTS = re.compile(
    r"\b(?:ban|bans|order to|request to|temptation|urge to|idea of|thought of|thinking of|"
    r"(?:he|she|they|boss|mum|mom|dad|tim|note|sign|label|anybody|anyone|"
    r"somebody|someone|whoever|mother|father|wife|friend|teacher|colleague|"
    r"who) (?:\w+ )?(?:asks?|asked|tells?|told|says?|said|wants?|wanted|reads?)|over my dead body|"
    r"(?:and|or) (?:i will|i shall|you will (?:be|regret|lose)|see what happens)|people with)\b"
)
"""A clause that says what others say or want, or what comes of it: who obeys it is not asked."""

PAST = re.compile(
    r"\b(?:(?:was|were) (?:to|supposed to|meant to|going to)|yesterday|"
    r"last (?:week|night|year|month|time|summer)|used to|years? ago|long ago|once upon)\b"
)
"""A clause about what was: "yesterday the red cube was in the bin"."""

_LINKS = r"(?:and |but |so |because |since |as |well |that )*"
"""What may stand before the subject of a clause."""

_SUBJECT = re.compile(
    r"(?:and |but |so |because |since |as |well |that |though |although |while |when |where |if |"
    r"now |once )*"
    r"(?:i|he|she|we|they|it|nobody|somebody|someone|everyone|my|our|his|her|their|who|which|"
    r"whose|whoever|there|here is|what do you|did you|some|aunt|grandma|the operator)\b"
)
"""A clause whose beginning tells of somebody or something: "she keeps it there"."""

_TELLS = re.compile(
    rf"{_LINKS}"
    r"(?:i|he|she|we|they|nobody|somebody|someone|everyone|the operator|my \w+|our \w+) "
    r"(?:just |really |already |always |never |had |have |has |was |were )*"
    r"(?:put|placed|dropped|moved|opened|closed|shut|pressed|took|picked|left|had|was|were|did|"
    r"stacked|grabbed|lost|wore|broke|like|love|adore|hate|loves|hates|likes)\b"
)
"""A clause that tells what somebody did or feels: "my brother hates the red cube"."""

_STATES = re.compile(
    r"\b(?:is|are|was|were|am|be|been|lies|sits|stands|sitting|lying|standing|fell|hid|got|gave|"
    r"came|has|had|reminds?)\b"
)
"""A clause that tells how things are: "the bowl is empty"."""

_HAD = re.compile(r"(?:\w+ ){1,3}had \w+ed\b")
"""A sentence that tells of what came before: "the robot had moved it"."""

_ASKS_ABOUT = re.compile(
    r"(?:and |so |but |hey |robot |ok |well )*"
    r"(?:is|are|was|were|does|did|how (?:many|much|do|does|is|are|old|far)|"
    r"what (?:is|are|do|does|was|colou?r)|which|who|where|when)\b"
)
"""A question about how things are: "where is the red cube?"."""

_ASKS_FOR = re.compile(r"\b(?:you|we|about|please|put|move)\b")
"""A question that may be a wish all the same: "how about the red cube in the bowl?"."""

_CONDITION = re.compile(
    r"(?:but |and |only |that |so )*(?:if|unless|provided|as long as|so long as|in case)\b"
)
"""A clause on which the rest hangs."""

_OF_OTHERS = re.compile(
    r"(?:and |but |so |because |since |well |that )*"
    r"(?:he|she|they|it|somebody|someone|nobody|my|our|his|her|their|some|who\w*|which)\b"
)
"""A clause that is about others than who speaks: "they want it gone"."""

_OTHERS_ACT = re.compile(
    r"(?:because |since |as |and |so |that |where )*"
    r"(?:i|he|she|we|they|my \w+|his \w+|the (?!robot)\w+)\b"
)
"""A refusal that is somebody else's: "because I can not lift it"."""


def sentence_tells(sentence: str, mark: str) -> bool:
    """Whether a sentence tells of the past, or asks about something; ``mark`` is what ends it."""
    if _HAD.match(sentence) or PAST.match(sentence):
        return True
    return mark == "?" and bool(_ASKS_ABOUT.match(sentence)) and not _ASKS_FOR.search(sentence)


def says_how_it_is(clause: str) -> bool:
    """Whether a clause says how things are or were."""
    return bool(PAST.search(clause) or _SUBJECT.match(clause) or _STATES.search(clause))


def says_what_was_done(clause: str) -> bool:
    """Whether a clause tells what somebody did or feels, and wants nothing."""
    return bool(_TELLS.match(clause)) and not WANTS.search(clause)


def reports(clause: str) -> bool:
    """Whether a clause only speaks of what is asked: whose order, whose wish, at what price."""
    return bool(_REPORTS.search(clause))


def is_polite(clause: str) -> bool:
    """Whether a condition is only a courtesy."""
    return bool(_POLITE.match(clause))


def hangs_on_the_unseen(clause: str) -> bool:
    """Whether a clause is a condition, and no courtesy."""
    condition = _CONDITION.match(clause)
    return bool(condition) and not _POLITE.search(clause)


def is_of_others(clause: str) -> bool:
    """Whether a clause tells what others do or want, who need not be obeyed."""
    return bool(_OF_OTHERS.match(clause))


def refuses_for_others(clause: str) -> bool:
    """Whether a refusal says what somebody else does not do, and so forbids nothing."""
    return bool(_OTHERS_ACT.match(clause))
