"""Compares what an arm's plan brings about with what the instruction asks for and forbids.

In this order: what was forbidden, what no skill does, that nothing was asked for at all, what is
missing, what nobody asked for. Where the reading is unsure the plan is believed, but for bans.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent.arm_bans import bans
from fmrl_robot.plancheck.intent.arm_effects import Effects, effects
from fmrl_robot.plancheck.intent.arm_licence import Licence
from fmrl_robot.plancheck.intent.arm_missing import Missing
from fmrl_robot.plancheck.intent.arm_reading import Reader
from fmrl_robot.plancheck.intent.arm_unknown import dropped_commands
from fmrl_robot.plancheck.intent.clauses import Stance
from fmrl_robot.plancheck.intent.readback import say
from fmrl_robot.types import Plan, Problem, Scene, SubGoal

_COMMAND = r"(?:^|\b(?:and|then|please|you|you to|also|just|first|finally|lastly|now) )"
"""What stands before a verb that asks."""

_COMMANDS_MORE = re.compile(
    r"(?:and |then |please |you |also |just |now |kindly )*"
    r"(?:wait|tell|hand|pass|give|point|turn|throw|bring|arrange|keep)\b"
)
"""A clause that asks with a verb that the reader does not know: "wait for me"."""

_DESCRIBES = re.compile(
    r"\b(?:what(?:s)?|whatever|contents?|top|upper|bottom|lower|tower|stack|pile|rest|remaining|"
    r"empty|tidy|clear|clearing|hand|gripper|holding|held|coloured|colored|painted)\b"
)
"""Words by which cubes are meant without being named: "the top of the stack"."""

_OF_COLOR = re.compile(
    r"\b(?:everything|anything|whatever|all|each|every \w+|any \w+|cubes|ones|blocks|those|things)"
    r"(?: that| which| who)?(?: (?:is|are|be|looks?|painted|coloured|colored))+ (\w+)\b"
)
"""A group by its colour: "everything that is red"."""

Finding = tuple[ErrorCode, str]


def problems(
    plan: Plan, scene: Scene, done: Sequence[SubGoal] = (), *, partial: bool = False
) -> tuple[Problem, ...]:
    """Return the first way in which a plan is not what was asked for; empty where there is none.

    Args:
        plan: with the instruction that it answers.
        scene: when the task began.
        done: steps that succeeded since then.
        partial: more will come, so that nothing can be missing yet.
    """
    reader = Reader(plan.instruction, scene)
    found = effects([*done, *plan.subgoals], scene)
    for code, message in _Comparison(reader, found, partial).findings():
        if not (partial and code == ErrorCode.INTENT_INCOMPLETE):
            return (Problem(code=int(code), message=message),)
    return ()


class _Comparison:
    """One reading beside one plan's effects."""

    def __init__(self, reader: Reader, found: Effects, partial: bool) -> None:
        self._reader, self._effects = reader, found
        # What a part of a task leaves in the hand may still be put aside.
        self._aside = ("table", "hand") if partial else ("table",)
        self._asking = [i for i, c in enumerate(reader.clauses) if c.asks and reader.asks(i)]

    def findings(self) -> Iterator[Finding]:
        """Name what is wrong, the gravest first."""
        would = f"I would {say(self._effects)}"
        for why in self._forbidden():
            yield ErrorCode.INTENT_FORBIDDEN, f"{would}, but {why!r} forbids it"
        for phrase in self._unsupported():
            message = f"{would}, but no skill does {phrase!r}; ask for it without"
            yield ErrorCode.INTENT_INCOMPLETE, message
        if not self._asks_anything():
            message = f"{would}, but nothing in it asks for that; say what to do"
            yield ErrorCode.INTENT_NOTHING, message
        for clause in dropped_commands(self._reader, self._effects):
            message = f"{would}, but you asked also to {clause!r}; no skill that I know does it"
            yield ErrorCode.INTENT_INCOMPLETE, message
        for missing in Missing(self._reader, self._effects, self._asking).phrases():
            message = f"{would}, but you asked also for {missing}; say it in other words"
            yield ErrorCode.INTENT_INCOMPLETE, message
        for extra in self._extra():
            message = f"{would}, but nobody asked for {extra}; name each thing that should move"
            yield ErrorCode.INTENT_EXCEEDED, message

    def _forbidden(self) -> Iterator[str]:
        """The words that forbid a step of the plan."""
        for ban in bans(self._reader):
            if any(map(ban.forbids, self._effects.events)):
                yield ban.why

    def _unsupported(self) -> Iterator[str]:
        """The words that ask for what no skill does."""
        known = self._reader.lexicon
        phrases = [rf"\b(?:{phrase})" for phrase in known.unsupported]
        verbs = [_COMMAND + verb for verb in known.unsupported_acts]
        for i, clause in enumerate(self._reader.clauses):
            told = self._reader.told(i) and i not in self._asking
            if not clause.asks or clause.tells:
                continue
            named = not told and known.names_thing(clause.words[:2])
            commands = named or i in self._asking or _COMMANDS_MORE.match(clause.text)
            for pattern in [*(phrases if commands else []), *verbs]:
                if match := re.search(rf"(?:{pattern})\b", clause.text):
                    yield match.group()

    def _asks_anything(self) -> bool:
        """Whether some clause may ask for something: a verb of a skill, or two things together."""
        reader = self._reader
        if not self._effects.events:
            return any(m.sure for i in self._asking for m in reader.mentions[i])
        may_ask = [i for i in range(len(reader.clauses)) if reader.may_ask(i)]
        named = {m.name for i in may_ask if not reader.told(i) for m in reader.mentions[i]}
        return len(named) > 1 or any(map(self._may_mean_something, may_ask))

    def _may_mean_something(self, i: int) -> bool:
        """Whether a clause has more to it than colours, which things that nobody moves have too."""
        reader = self._reader
        return (
            bool(reader.acts(i))
            or reader.names_cube(i)
            or any(not m.is_cube or m.role != "object" for m in reader.mentions[i])
        )

    def _extra(self) -> Iterator[str]:
        """What the plan does that nobody asked for.

        Where anything is restricted, each step must be licensed; elsewhere it is enough that what
        it is done to is named, or described.
        """
        if self._restricts():
            yield from Licence(self._reader, self._effects, self._aside).oversteps()
            return
        found, named = self._effects, {m.name for some in self._reader.mentions for m in some}
        allowed, described = self._of_one_color(), self._describes()
        for cube in sorted(found.moved):
            meant = cube in named or described or self._set_aside(cube)
            if not meant or (allowed and cube not in allowed):
                yield f"the {cube.replace('_', ' ')}"
        if found.done("press") and "button" not in named and not self._presses():
            yield "a press of the button"

    def _restricts(self) -> bool:
        """Whether anything is refused, or spoken of as if it were."""
        reader, clauses = self._reader, self._reader.clauses
        restricted = any(c.refuses or c.stance is Stance.ONLY for c in clauses)
        return restricted or bool(reader.lexicon.caution.search(" ".join(reader.words)))

    def _presses(self) -> bool:
        reader = self._reader
        return any(reader.acts(i) & {"press", "touch"} for i in range(len(reader.clauses)))

    def _describes(self) -> bool:
        """Whether cubes are meant that no colour names: all of them, "it", "the top of it"."""
        reader = self._reader
        mentions = [m for some in reader.mentions for m in some]
        nouns = sum(map(reader.lexicon.is_cube, reader.words))
        colors = sum(m.is_cube and m.sure for m in mentions)
        return (
            any(m.name in ("*", "it") for m in mentions)
            or nouns > colors
            or bool(_DESCRIBES.search(" ".join(reader.words)))
        )

    def _of_one_color(self) -> set[str]:
        """The cubes named beside "everything that is red", which alone may move; empty: any."""
        match = _OF_COLOR.search(" ".join(self._reader.words))
        if match is None or self._reader.lexicon.kind(match.group(1)) != "colors":
            return set()
        return {m.name for some in self._reader.mentions for m in some if m.is_cube}

    def _set_aside(self, cube: str) -> bool:
        """Whether it lay on a cube that has to move, and was only set aside."""
        before = self._effects.before[cube]
        return self._effects.after[cube] in self._aside and before not in ("table", "hand")
