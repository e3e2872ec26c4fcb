"""Sentences that ask a quadruped for nothing: told, asked about, exclaimed, quoted, defined.

Known by their form, not by what they speak of: a subject that is somebody else, a verb before a
subject that is not the robot, a tense that no order has, a quotation with a verb of saying.
"""

from __future__ import annotations

import re

from fmrl_robot.plancheck.intent.quadruped_words import begins, leading, says

_FORMS = ("exclaims", "of_others", "being_does", "about_itself", "defines", "judges")
_SAYING = (
    r"(?:yelled|shouted|said|screamed|whispered|wrote|cried|typed|barked|exclaimed|muttered|asked|"
    r"called|ordered|told)"
)
_REFUSES = r"(?![^\"]*\b(?:not|never|no|without|don|avoid|stop|nor|neither)\b)"
_QUOTED = (
    rf"\" {_REFUSES}[^\"]{{2,80}} \"(?P<end> ,)?(?= (?:the|my|a|an|his|her|our|he|she|they) "
    rf"(?:\w+ ){{0,3}}{_SAYING} (?:to|at|her|his|and|\.|$))",
    rf"(?:^|(?<=[.!?;] ))(?P<end>(?:he|she|they) {_SAYING}(?: (?:me|us|him|her|them|out))?"
    rf"(?: [,:])?) \" {_REFUSES}[^\"]{{2,80}} \"(?! (?:so|do)\b)",
    rf"(?P<end>\b(?:the|a|this|that|my) (?:command|word|phrase|sentence|text|term|name|verb|noun|"
    rf"message|sign)) \" {_REFUSES}[^\"]{{2,80}} \"(?= (?:has|means|comes|was|consists|contains|"
    rf"appears|rhymes|sounds|starts|begins|ends|is (?:a|an|only|just|very|too|short|long)\b))",
)
"""Quotations that somebody said or that are spoken of: '"Trot on!" the teacher shouted to her'."""


def unquoted(text: str) -> str:
    """Return plain words less what is quoted as said by others; what forbids stays."""
    for pattern in _QUOTED:
        text = re.sub(pattern, lambda m: f"{m['end'] or ''} words".strip(" ,"), text)
    return text


def asks_of_others(sentence: str) -> bool:
    """Whether a question is about things, and no polite request: "can a pace be fast?"."""
    return sentence.endswith("?") and begins("asked_of_others", sentence)


def tells(sentence: str) -> bool:
    """Whether a sentence, in plain words, tells of something; an order may follow in it."""
    rest = sentence
    while lead := leading("time_told", rest):
        rest = rest[len(lead) :].strip()
    if says("asks_too", rest):
        return False
    timed = rest != sentence and begins("teller", rest) and not says("asks_anyway", rest)
    past = says("long_past", rest) and says("past", rest) and not says("as_then", rest)
    return timed or past or says("unreal", rest) or any(begins(form, rest) for form in _FORMS)
