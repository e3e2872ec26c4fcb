"""The arm's plan language: its grammar and its reading into words.

Steps are primitive skills, ``grasp(red_cube);place(bowl);open(drawer);press(button)``, or macros
that plan_expansion.py expands against the scene: ``put(each(on_table-red_cube),bin)``,
``put(red_cube,at_blue_cube)`` for where another cube was at first, ``put(red_cube,empty)`` for the
first container without cubes, ``hold(red_cube)``, ``stack(red_cube,blue_cube)`` from below to top,
``ensure_open(drawer)``.
``refuse(reason)`` declines. Skills of other packages join as ``name(target,number,...)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.fm.undressing import calls
from fmrl_robot.planners.gait_language import raise_if_refused
from fmrl_robot.planners.nouns import TAUGHT, Nouns
from fmrl_robot.skills import further_skills
from fmrl_robot.types import Scene

MAX_STEPS = 24

_FURTHER = r"""
name ::= [a-z] [a-z0-9_]{0,31}
number ::= "-"? [0-9]{1,4} ("." [0-9]{1,4})?
"""
_STEP = re.compile(r"^([a-z_]+)\((.*)\)$")
_TAKEN_BY = {"open": "drawers", "close": "drawers", "ensure_open": "drawers",
             "ensure_closed": "drawers", "press": "buttons"}  # fmt: skip
"""What steps without a choice of category are aimed at."""


def _grammar(nouns: Nouns) -> str:
    """GBNF of the language about these things."""
    macros = ['"put(" ref "," place ")"', '"hold(" ref ")"', '"stack(" cube ("," cube){1,3} ")"']
    primitives = ['"grasp(" cube ")"', '"place(" place ")"']
    for step, category in _TAKEN_BY.items():
        steps = macros if step.startswith("ensure") else primitives
        steps += [f'"{step}({name})"' for name in getattr(nouns, category)]
    within = " | ".join(f'"in_{name}"' for name in nouns.containers)
    places = " | ".join(f'"{name}"' for name in nouns.containers)
    return f"""
root ::= refuse | step (";" step){{0,{MAX_STEPS - 1}}}
refuse ::= "refuse(" ("unknown" | "impossible" | "unsafe") ")"
step ::= macro | primitive
macro ::= {" | ".join(macros)}
primitive ::= {" | ".join(primitives)}
ref ::= cube | "held" | "each(" condition except{{0,3}} ")" | "any(" [1-3] "," condition except{{0,3}} ")"
condition ::= "all" | "on_table" | {within} | "off_table" | "stacked" | "top" | "on_" cube | "under_" cube | "with_" cube
except ::= "-" cube
place ::= {places} | "table" | "top" | "empty" | "at_" cube | cube
cube ::= {" | ".join(f'"{name}"' for name in nouns.cubes)}
"""  # noqa: E501


GRAMMAR = _grammar(TAUGHT)
"""GBNF of the language as the embedded models know it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Which cubes a step is about."""

    cube: str = ""
    """One named cube, or ``held``; empty where ``condition`` says which."""
    condition: str = ""
    count: int = 0
    """How many of those that match, 0 for each of them."""
    excepting: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of the language, read but not yet resolved."""

    name: str
    ref: Reference = Reference()
    place: str = ""
    cubes: tuple[str, ...] = ()
    """The layers of ``stack``, from below."""
    values: tuple[str, ...] = ()
    """Parameters of a skill of another package, in its order."""


def grammar(nouns: Nouns = TAUGHT) -> str:
    """GBNF of the language about these things, with every skill that is installed."""
    further, known = further_skills(), _grammar(nouns)
    if not further:
        return known
    calls = " | ".join(
        f'"{name}(" name ("," number){{0,{len(skill.parameters)}}} ")"'
        if skill.parameters
        else f'"{name}(" name ")"'
        for name, skill in further.items()
    )
    steps = known.replace("step ::= macro | primitive", "step ::= macro | primitive | further")
    return f"{steps}further ::= {calls}{_FURTHER}"


def grammar_of(scene: Scene) -> str:
    """GBNF of the language about the things of a scene; see Nouns."""
    return grammar(Nouns.of(scene))


def guide() -> str:
    """Say what the further skills are, for a language model's prompt; empty where there is none."""
    lines: list[str] = []
    for name, skill in further_skills().items():
        values = "".join(f"[,{p.name} {p.lower:g} to {p.upper:g}]" for p in skill.parameters)
        lines.append(f"{name}({'|'.join(skill.targets)}{values}): {skill.words}.")
    return "\n".join(["", "Further operators:", *lines]) if lines else ""


def parse(text: str, nouns: Nouns = TAUGHT) -> list[Step]:
    """Read a plan, also one that is dressed as chat models dress their answers.

    Raises:
        Terminal: the plan is a refusal.
        Retryable: anything that is not a sentence of the language, with what was expected.
    """
    text = calls(text)
    raise_if_refused(text)
    parts = text.split(";") if text else []
    if not parts or len(parts) > MAX_STEPS:
        raise Retryable(f"expected 1 to {MAX_STEPS} steps, got {len(parts)}", ErrorCode.PLAN_SCHEMA)
    return [_step(part, nouns) for part in parts]


def _step(part: str, nouns: Nouns) -> Step:
    match = _STEP.match(part)
    if match is None:
        raise Retryable(f"expected a step such as 'put(red_cube,bowl)', got {part[:60]!r}")
    name, inside = match.groups()
    if name == "put":
        ref, _, place = inside.rpartition(",")
        return Step(name=name, ref=_reference(ref, part, nouns), place=_place(place, part, nouns))
    if name in ("hold", "grasp"):
        return Step(name=name, ref=_reference(inside, part, nouns))
    if name == "place":
        return Step(name=name, place=_place(inside, part, nouns))
    if name == "stack":
        cubes = tuple(inside.split(","))
        if len(cubes) < 2 or len(set(cubes)) != len(cubes) or not set(cubes) <= set(nouns.cubes):
            raise Retryable(
                f"expected two or more different cubes, got {part!r}", ErrorCode.OBJECT_UNKNOWN
            )
        return Step(name=name, cubes=cubes)
    further = further_skills()
    if name in further:
        place, *values = inside.split(",")
        if not place or len(values) > len(further[name].parameters):
            wanted = ",".join(["target", *(p.name for p in further[name].parameters)])
            raise Retryable(f"expected {name}({wanted}), got {part[:60]!r}")
        return Step(name=name, place=place, values=tuple(values))
    if name not in _TAKEN_BY:
        raise Retryable(
            f"expected put, hold, stack, grasp, place, open, close or press, got {name!r}",
            ErrorCode.SKILL_UNKNOWN,
        )
    targets: tuple[str, ...] = getattr(nouns, _TAKEN_BY[name])
    if inside not in targets:
        wanted = " or ".join(f"{name}({target})" for target in targets)
        raise Retryable(f"expected {wanted}, got {part[:60]!r}", ErrorCode.OBJECT_UNKNOWN)
    return Step(name=name, place=inside)


def _reference(text: str, part: str, nouns: Nouns) -> Reference:
    match = nouns.reference.match(text)
    if match is None:
        raise Retryable(
            f"expected a cube ({', '.join(nouns.cubes)}), held, each(..) or any(..), got "
            f"{text[:40]!r} in {part[:60]!r}",
            ErrorCode.OBJECT_UNKNOWN,
        )
    cube, held, kind, count, condition, minus = match.groups()
    if kind is None:
        return Reference(cube=cube or held)
    if (kind == "any") != (count is not None):
        raise Retryable(f"expected each(condition) or any(number,condition), got {text!r}")
    return Reference(
        condition=condition,
        count=int(count or 0),
        excepting=frozenset(c for c in minus.split("-") if c),
    )


def _place(text: str, part: str, nouns: Nouns) -> str:
    if not nouns.place.match(text):
        raise Retryable(
            f"expected a place ({', '.join(nouns.containers)}, table, top, empty, a cube or at_ a "
            f"cube), got {text[:40]!r} in {part[:60]!r}",
            ErrorCode.OBJECT_UNKNOWN,
        )
    return text
