"""Steps of the arm's plan language in words, and one step at a time.

``steps: ... =>`` asks the embedded planner for a skill list in words, ``next: ... =>`` for the one
step that comes next, given what was done and how it ended. Code turns either back into steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from fmrl_robot.planners.plan_language import GRAMMAR, MAX_STEPS, Reference, Step
from fmrl_robot.skills.captioner import say_thing

DONE = "done"
"""What stands in the place of a next step when there is none."""


def next_grammar(grammar: str) -> str:
    """Of a plan language's GBNF, that of one next step, or DONE."""
    whole = f'root ::= refuse | step (";" step){{0,{MAX_STEPS - 1}}}'
    return grammar.replace(whole, f'root ::= refuse | "{DONE}" | step')


NEXT_GRAMMAR = next_grammar(GRAMMAR)
"""GBNF of one next step."""

WORDS_GRAMMAR = r"""
root ::= refuse | skill ("; " skill){0,23}
refuse ::= "refuse(" ("unknown" | "impossible" | "unsafe") ")"
skill ::= "put " noun " " where | "pick up " noun | "place it " where | "stack " thing (", then " thing){1,3} | "open the drawer" | "close the drawer" | "press the button"
noun ::= thing | "what the gripper holds" | every (" but " thing (" and " thing){0,2})?
every ::= ("every" | "one" | "two" | "three") " " ("cube" | "top cube of the tower") rest?
rest ::= " on the table" | " in the bowl" | " in the bin" | " in the drawer" | " off the table" | " that lies on another" | (" on " | " under " | " together with ") thing
where ::= "in the bowl" | "in the bin" | "in the drawer" | "in the empty container" | "on the table" | "on the top of the tower" | "on " thing | "where " thing " was"
thing ::= "the " ("red" | "green" | "blue" | "yellow") " cube"
"""  # noqa: E501
"""GBNF of a skill list in words."""

_PLACES = {"top": "the top of the tower", "table": "the table", "empty": "the empty container"}
_PREPOSITIONS = {"bowl": "in", "bin": "in", "drawer": "in", "empty": "in"}
_RELATIONS = {"on": "on", "under": "under", "with": "together with"}
_CONDITIONS = {
    "all": "cube",
    "on_table": "cube on the table",
    "in_bowl": "cube in the bowl",
    "in_bin": "cube in the bin",
    "in_drawer": "cube in the drawer",
    "off_table": "cube off the table",
    "stacked": "cube that lies on another",
    "top": "top cube of the tower",
}
_NUMBERS = {1: "one", 2: "two", 3: "three"}


def say_steps(steps: Sequence[Step]) -> str:
    """Write a plan as a list of skills in words, such as ``open the drawer; press the button``."""
    return "; ".join(say_step(step) for step in steps)


def say_step(step: Step) -> str:
    """Write one step in words."""
    match step.name:
        case "put":
            return f"put {_noun(step.ref)} {_where(step.place)}"
        case "hold" | "grasp":
            return f"pick up {_noun(step.ref)}"
        case "place":
            return f"place it {_where(step.place)}"
        case "stack":
            return "stack " + ", then ".join(say_thing(c) for c in step.cubes)
        case "ensure_open" | "open":
            return "open the drawer"
        case "ensure_closed" | "close":
            return "close the drawer"
        case _:
            return f"{step.name} {say_thing(step.place)}"


def next_prompt(instruction: str, history: Sequence[tuple[str, bool]]) -> str:
    """Return instruction and history as the embedded planner is asked for the next step.

    Args:
        instruction: what the person wants.
        history: steps in the plan language so far, and whether each succeeded.
    """
    said = " ".join(f"{step} {'ok' if success else 'failed'}." for step, success in history)
    return f"{instruction} | {said or 'nothing yet.'}"


def _where(place: str) -> str:
    if place.startswith("at_"):
        return f"where {say_thing(place.removeprefix('at_'))} was"
    return f"{_PREPOSITIONS.get(place, 'on')} {_PLACES.get(place) or say_thing(place)}"


def _noun(ref: Reference) -> str:
    if ref.cube:
        return "what the gripper holds" if ref.cube == "held" else say_thing(ref.cube)
    kind, _, other = ref.condition.partition("_")
    if ref.condition in _CONDITIONS:
        noun = _CONDITIONS[ref.condition]
    else:
        noun = f"cube {_RELATIONS[kind]} {say_thing(other)}"
    if ref.count:
        return f"{_NUMBERS[ref.count]} {noun}"
    but = " and ".join(say_thing(c) for c in sorted(ref.excepting))
    return f"every {noun}" + (f" but {but}" if but else "")
