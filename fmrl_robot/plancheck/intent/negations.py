"""Patterns of refusal: what forbids, keeps, excepts and takes back, and what only seems to.

They read lower-case words that are parted by single spaces, contractions spelt out. What an English
speaker may say is open-ended; a form that no pattern knows leaves its clause a wish, which the
comparison with the plan then has to bear out.
"""

from __future__ import annotations

import re

NEGATION = r"(?:not|never|no|non|nothing|nowhere|none|neither|nor|without|nobody)"
"""A word of refusal that turns what follows it: "not", "without"."""

FORBIDS = re.compile(
    rf"\b{NEGATION}\b|\b(?:refrain|avoid\w*|forbid\w*|forbade|prohibit\w*|banned|taboo|off limits|"
    r"off the menu|out of bounds|verboten|"
    r"in preference to|forgo|forego|withhold|withheld|veto|vetoed|"
    r"hands off|paws off|claws off|fingers off|abstain|desist|resist|stop short|instead of|"
    r"rather than|in place of|"
    r"off (?:the )?list|no go|nope|don|inhibit\w*|disabled|locked|lockout|out of the question|"
    r"(?:no|none of your) business|nothing to do with|hate to (?:find|see)|"
    r"loath to|a (?:great )?pity|cease|"
    r"void|nobody|no one|fingers away)\b"
)
"""A clause that forbids: "hands off the red cube"."""

KEEPS = re.compile(
    r"\b(?:leave|leaves|leaving|left alone|"
    r"let(?! go)(?=.*\b(?:be|stay|rest|lie|sit|sleep|remain|alone)\b"
    r"(?! (?:put|placed|moved|in|on|\w+ed)\b))|"
    r"keep|keeps|keeping|kept|stay|stays|staying|remain|remains|remained|untouched|undisturbed|"
    r"(?:left|leave) (?:\w+ ){1,3}(?:be|alone)|with .*\b(?:sitting|standing|staying|lying)|"
    r"spare|spared|sparing|ignore|ignored|in peace|sit tight|shall stand|go on lying|"
    r"(?:exactly|just|right) where (?:it|they)|ignoring|(?<!the )(?<!a )skip|skips|skipping|"
    r"omit|omitting|disregard|disregarding|forget|"
    r"pass over|bypass|steer clear|well alone|"
    r"be left)\b"
)
"""A clause that wants something to stay as it is: "leave the red cube alone"."""

KEPT_AS_WISHED = re.compile(r"\b(?:that way|like that|like this|at that|it so)\b")
"""What is kept is what was just wished for: "open the drawer and keep it that way"."""

KEPT_WHERE_PUT = re.compile(
    r"\b(?:keep|kept) (?:it |them |that |safe )?in\b|\bas well$|\btoo$|"
    r"\bkeep (?:it|them|that)$|\b(?:leave|keep)\b.*\b(?:in|on) (?:it|there|them)\b"
)
"""What is kept has to be brought there first: "the bowl is where we keep it"."""

HOLDS = re.compile(
    r"\b(?:hold|holding|held|hand|gripper|grip|fingers|claw|lifted|raised|aloft|grasp)\b"
)
"""What is kept is kept in the hand, and so is taken: "keep hold of the red cube"."""

EXCEPTS = re.compile(
    r"\b(?:except|excepting|excepted|exception|exceptions|exclude|excluded|excluding|exempt|"
    r"barring|bar|less(?= the| \w+ one)|short of|let off|(?:so|as) long as it is not|"
    r"minus|sans|save for|save|apart from|aside from|"
    r"but for|other than|besides|not included|not invited|with the exception)\b"
)
"""A clause that takes things out of another: "all cubes except the red one"."""

ADDS_TO_ONE = re.compile(r"besides|apart|aside|but(?! for)")
"""Words that except from a group, and add to a single thing: "besides the red cube, take blue"."""

BESIDES_DOING = re.compile(r"\bbesides \w+ing\b")
"""What is done as well: "besides pressing the button, open the drawer"."""

GROUPS = re.compile(
    r"\b(?:only|anywhere|nowhere|no (?:other )?(?:cube|block|brick|one|thing|piece)|"
    r"not (?:a|one)(?: single)? (?:cube|block|brick|piece))\b"
)
"""A sentence about all of something, from which a clause can except: "nowhere but in the bowl"."""

ONLY = re.compile(
    r"\bonly\b|\bjust the\b|\bnothing else\b|\bsolely\b|\bexclusively\b|"
    r"\b(?:cube|one|block|red|green|blue|yellow) alone\b"
)
"""A clause that wants this and nothing else: "only the red cube in the bowl"."""

ONLY_OF_TIME = re.compile(
    r"\bonly (?:then|when|once|if|after|afterwards|later|because|have|has|want|need|open|"
    r"problem)\b|\bthe only (?!thing|cube|block|brick|one|piece)\b"
)
"""An ``only`` that says when or why, and forbids nothing: "only then close the drawer"."""

ORDERS = re.compile(
    r"\b(?:do not|not|never|no)\b(?P<first>[^.!?]*?)\b"
    r"(?:until|unless|before|without (?:first|having))\b"
    r"(?!\s+(?:i|we|he|she|they|some\w+|any\w+|everybody|everyone|nobody|no one|my|further|told|"
    r"asked|instructed|given|tomorrow|\d+)\b)"
)
"""A refusal that only orders two steps: "do not press the button until the drawer is open"."""

ORDERING = re.compile(r"(?:until|unless|as long as|so long as)\b")
"""A clause that says when, whatever it denies: "until nothing is left in the bowl"."""

NO_LONGER = re.compile(r"\b(?:any|no) ?(?:longer|more)\b")
"""A refusal that tells of a change: "it is no longer wanted there"."""

COMPLAINS = re.compile(
    r"\b(?:is|are) not (?:yet |even |already |currently |presently )?"
    r"(?:in|on|inside|there|where|right|here|at|located|lying)\b|"
    r"\b(?:cubes?|blocks?|ones?|things?|pieces?|everything|whatever|what) not "
    r"(?:yet |already |presently |currently )?(?:in|on|there|at|located|lying|inside)\b"
)
"""A refusal that says where something is not: "the red cube is not in the bowl yet"."""

NOTHING_BUT = re.compile(
    r"\b(?:none|nothing|nobody|no (?:other )?(?:cubes?|blocks?|things?|one)|"
    r"not (?:one|a single) (?:cube|block)) (?:but|except|save|other than|apart from)(?: for)?\b|"
    r"\b(?:do not|never|not to) (?P<act>\w+) any(?:thing|body| cubes?| blocks?| of them)? "
    r"(?:but|except|save|other than|apart from)(?: for)?\b"
)
"""What says *only* in another way: "move nothing but the red cube"."""

IS_NONE_OF = re.compile(
    r"\b(?:(?P<group>(?:every|any|each|all|whichever|whatever|what|which|everything|anything|"
    r"those|the|cubes?|blocks?|ones?|things?|pieces?)"
    r"(?: (?:the |of )*(?:cubes?|blocks?|ones?|things?|pieces?))?)"
    r"(?: that| which)? (?:is|are) (?:not|neither)|non) (?=(?:the )?(?:red|green|blue|yellow)\b)"
)
"""A group by what it is not: "whatever is neither red nor blue" is all but these."""

ANYWHERE_BUT = re.compile(
    r"\b(?:do|does|should|must|may|can) not (?P<what>(?:want |put |go |be |lie |belong )?.*?)"
    r"\banywhere(?: else)? (?:but|except|other than)(?: for)?\b"
)
"""A ban on every place but one asks for that one: "do not put it anywhere but in the bowl"."""

SAME = re.compile(r"(?:and |the )*(?:same|likewise|ditto|nor)\b")
"""A clause with the stance of the one before it: "the same goes for the green cube"."""

FLATLY_NO = re.compile(r"(?:but |oh )?(?:no|nope|no way|never)")
"""The whole end of a sentence that turns down what it began with: "green: no"."""

NOT_YOU = re.compile(r"(?:but |and |though )*not you(?: lot| two| guys)?")
"""A clause that turns away whom the next one names: "not you, green"."""

NONE_LEFT = re.compile(
    r"\b(?:leave |(?:i |we )?want )?(?:none|nothing|no (?:cubes?|blocks?|one|things?))"
    r"(?: of (?:the|these|those|them|my)(?: cubes| blocks| ones)?)?"
    r"(?: (?:left|remaining|(?:is |are )?to (?:stay|remain)|(?:may|should|must) (?:stay|remain)))*"
    r" (?:in|on) (?=(?:the |that )?(?:bowl|bin|drawer|table))"
)
"""What says that all go: "leave no cube on the table"."""

PARENTHESIS = re.compile(
    r"(?P<turn>\b(?:apart|aside|except|other|rather|not|never) )?, (?:that is|"
    r"that is to say|of course|obviously|naturally|please|however|though|mind you|"
    r"on the other hand|for (?:my|your) part|i (?:mean|repeat|say)|for now|"
    r"as (?:i said|always|usual)) ,"
)
"""What is only slipped in: "apart, that is, from the red one"."""

QUOTED = re.compile(
    r"\b(?P<says>says?|said|saying|reads?|wrote|written|told \w+|labell?ed|sign|note|called)"
    r"(?: [:,])? \" [^\"]* \"|\" [^\"]* \" ,? ?(?=(?:is|was) what\b)"
)
"""Somebody else's words."""

STOPS_BEFORE = re.compile(
    r"(?:so |but |well |please |just |and |seriously )*"
    r"(?:do not|never|do not (?:dare|do (?:that|it|so)))(?: ever| please| then)*"
)
"""The whole of a clause that forbids what the one before it says: "open it? do not ever"."""

SLIP = re.compile(
    r"\b(?:no ,? ?wait|wait ,? ?no|scratch that|strike that|i mean(?! it)|i meant|correction|"
    r"make that|on second thoughts?|second thoughts|"
    r"hang on(?! to)|oops|reverse that|swap (?:those|these|the) two$|forget (?:that|all|what)|"
    r"never mind(?: that)?|cancel that|oh no|or no|or rather|hm+ ,? ?no|er ,? ?no|did i say|"
    r"er(?= ,)|uh(?= ,)|nah|nope|excuse me|or was it|who am i kidding|erratum|oh ,? ?wrong|"
    r"wrong(?= ,)|cancel|wait(?= ,)|(?:i )?changed my mind|wrong (?:colou?r|one|cube|block)|"
    r"rephrase(?: that)?|edit|apologi[sz]e|have i thought|sorry(?! to\b)(?! for\b)|actually|"
    r"no ,? sorry)\b|(?<=[,.;:-] )no(?= ,)|^no(?= ,|$| first\b)"
)
"""Where a speaker takes back what came before: "the red cube, no wait, the blue one"."""
