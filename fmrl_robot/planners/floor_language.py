"""The part of the quadruped's plan language that goes somewhere: ``go(red_marker);turn(-90)``.

``go(THING)`` walks up to a thing, ``go(start)`` back to where the plan began, ``around(THING)``
once around one; ``turn(90)`` turns left by degrees, ``turn(THING)`` towards a thing; ``walk(2)``
walks straight for metres, back where negative, ``walk(0,1)`` to the left; ``sit()`` and ``up()``
take a posture. Beside them stand the gaits of gait_language.py.
"""

from __future__ import annotations

import re

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.skills.body_skills import ANGLE, BODY_SKILLS, FORWARD, LEFT, SINCE, START
from fmrl_robot.types import SubGoal, SubGoalKind

GRAMMAR = r"""
place ::= go | around | turn | way | "sit()" | "up()"
go ::= "go(" thing ")"
around ::= "around(" thing ")"
turn ::= "turn(" number ")" | "turn(" thing ")"
way ::= "walk(" number ("," number)? ")"
thing ::= [a-z] [a-z0-9_]{0,31}
number ::= "-"? [0-9]{1,3} ("." [0-9]{1,2})?
"""
"""GBNF of these steps; which things there are is the plan check's affair."""
FIRST = "1"
"""Id of a plan's first step: where that began is the start."""
SKILLS = {"go": "go_to", "around": "go_around", "turn": "turn", "walk": "walk", "sit": "sit",
          "up": "stand_up"}  # fmt: skip
"""Skills by the word for a step."""
_STEP = re.compile(rf"^({'|'.join(SKILLS)})\(([^()]*)\)$")
_NAME, _NUMBER = re.compile(r"[a-z][a-z0-9_]{0,31}"), re.compile(r"-?\d{1,3}(\.\d{1,2})?")
TIMEOUT_S = 90.0
POSTURE_TIMEOUT_S = 15.0


def step(part: str, number: int) -> SubGoal | None:
    """Read one step; None where it is none of this part of the language.

    Raises:
        Retryable: what stands in its brackets is not what the step takes.
    """
    match = _STEP.match(part)
    if match is None:
        return None
    word, inside = match.groups()
    given = inside.split(",") if inside else []
    target, params = _aim(word, given, part)
    subgoal = SubGoal(
        id=str(number),
        kind=SubGoalKind.SKILL,
        skill=SKILLS[word],
        target=target,
        params=params,
        timeout_s=TIMEOUT_S if given else POSTURE_TIMEOUT_S,
        text=_describe(word, target, given),
    )
    try:
        BODY_SKILLS[subgoal.skill].measured(subgoal)
    except ValueError as error:
        message = f"{error} in {part[:60]!r}"
        raise Retryable(message, ErrorCode.PARAMETER_OUT_OF_BOUNDS) from error
    return subgoal


def _aim(word: str, given: list[str], part: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The target and the parameters of a step."""
    named = len(given) == 1 and bool(_NAME.fullmatch(given[0]))
    numbers = all(_NUMBER.fullmatch(value) for value in given)
    if word in ("sit", "up") and not given:
        return "", ()
    if word in ("go", "around", "turn") and named:
        back = word == "go" and given[0] == START
        return given[0], ((SINCE, FIRST),) if back else ()
    if word == "turn" and numbers and len(given) == 1:
        return "", ((ANGLE, given[0]),)
    if word == "walk" and numbers and len(given) in (1, 2):
        return "", tuple(zip((FORWARD, LEFT), given, strict=False))
    raise Retryable(
        "expected go(THING), go(start), around(THING), turn(DEGREES or THING), "
        f"walk(METRES) or walk(METRES,METRES_LEFT), sit() or up(), got {part[:60]!r}"
    )


def _describe(word: str, target: str, given: list[str]) -> str:
    """Say a step in words."""
    thing = f"the {target.replace('_', ' ')}"
    match word:
        case "go":
            return (
                "the robot goes back to the start"
                if target == START
                else f"the robot is at {thing}"
            )
        case "around":
            return f"the robot goes around {thing}"
        case "turn":
            return (
                f"the robot faces {thing}" if target else f"the robot turns by {given[0]} degrees"
            )
        case "walk":
            return f"the robot walks {' and '.join(given)} m"
        case "sit":
            return "the robot sits"
        case _:
            return "the robot stands"
