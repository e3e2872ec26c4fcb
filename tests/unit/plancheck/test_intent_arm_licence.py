"""What a restricted instruction to an arm licenses, and commands that no skill answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.plancheck import check_intent
from fmrl_robot.plancheck.intent import arm_check
from fmrl_robot.plancheck.intent.arm_licence import Licence
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Plan

REFUSED = (ErrorCode.INTENT_FORBIDDEN, ErrorCode.INTENT_EXCEEDED)
STACK = "on(red_cube,blue_cube)"


def code(facts: str, instruction: str, answer: str) -> int:
    """The code of the first problem of a plan in the plan language, 0 where there is none."""
    scene = make_scene(facts.split())
    subgoals, goal = plan_expansion.expand(plan_language.parse(answer), scene)
    plan = Plan(instruction=instruction, method="", subgoals=subgoals, goal=goal)
    found = check_intent(plan, scene, PANDA)
    return found[0].code if found else 0


# Scene facts, instruction, plan: spared in words that no pattern of refusal knows.
SPARED = [
    ("", "Green in the bowl. The button deserves a miss.", "put(green_cube,bowl);press(button)"),
    ("", "Red is fragile, shh. Blue in the bin.", "put(blue_cube,bin);hold(red_cube)"),
    ("", "Just press the button. No more than that.", "press(button);hold(red_cube)"),
    ("", "Put yellow in the bowl, but only if the lamp is on.", "put(yellow_cube,bowl)"),
    ("", "Unless it is made of metal, put each cube in the bin.", "put(red_cube,bin)"),
    ("", "Blue is spoken for. Bin red.", "put(red_cube,bin);hold(blue_cube)"),
    (
        "in(red_cube,bowl)",
        "Everything in the bowl moves to the bin, bar the blue cube.",
        "put(red_cube,bin);put(green_cube,bin)",
    ),
]

# Scene facts, instruction, plan: restricted, and asked for all the same.
LICENSED = [
    ("", "Whatever is neither red nor blue belongs in the bin.",
     "put(each(all-red_cube-blue_cube),bin)"),
    ("", "Gently close... no, open the drawer, nothing else.", "open(drawer)"),
    ("", "Not you, green. The others: bin.", "put(each(all-green_cube),bin)"),
    ("", "do not bin red put it in the bowl", "put(red_cube,bowl)"),
    ("", "Don't touch red, green or blue. Only yellow is to go in the drawer.",
     "ensure_open(drawer);put(yellow_cube,drawer)"),
    ("", "Without opening the drawer, put red in the bowl and yellow in the bin.",
     "put(red_cube,bowl);put(yellow_cube,bin)"),
    ("", "put the yellow cube in the bin. Actually no, in the bowl.", "put(yellow_cube,bowl)"),
    ("", "mum says the green block has to live in the bowl now", "put(green_cube,bowl)"),
    ("", "Leave no cube on the table bar green, the bowl takes the rest.",
     "put(each(all-green_cube),bowl)"),
    (STACK, "Just the upper cube: put it in the bowl.", "put(red_cube,bowl)"),
]  # fmt: skip

# Instruction, plan: a clause commands what no skill does.
DROPPED = [
    ("Put blue in the bowl, then frobnicate it.", "put(blue_cube,bowl)"),
    ("Press the button, give the yellow cube a spin, and put it in the bowl.",
     "press(button);put(yellow_cube,bowl)"),
    ("Bin green, then frobnicate the blue cube.", "put(green_cube,bin)"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "instruction", "answer"), SPARED)
def test_what_no_clause_asks_for_is_refused_where_anything_is_restricted(
    facts: str, instruction: str, answer: str
) -> None:
    assert code(facts, instruction, answer) in REFUSED


@pytest.mark.parametrize(("facts", "instruction", "answer"), LICENSED)
def test_what_a_restricted_instruction_asks_for_is_let_through(
    facts: str, instruction: str, answer: str
) -> None:
    assert code(facts, instruction, answer) == 0


@pytest.mark.parametrize(("facts", "instruction", "answer"), SPARED)
def test_without_the_licence_it_would_be_let_through(
    facts: str, instruction: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: Licence) -> Iterator[str]:
        return iter(())

    monkeypatch.setattr(Licence, "oversteps", none)
    assert code(facts, instruction, answer) == 0


@pytest.mark.parametrize(("instruction", "answer"), DROPPED)
def test_a_command_with_an_unknown_verb_is_not_dropped(
    instruction: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code("", instruction, answer) == ErrorCode.INTENT_INCOMPLETE
    monkeypatch.setattr(arm_check, "dropped_commands", lambda reader, found: iter(()))
    assert code("", instruction, answer) == 0


def test_an_unknown_verb_that_explains_a_step_is_a_synonym() -> None:
    answer = "press(button);put(blue_cube,bowl)"
    assert code("", "Press the button and frobnicate the blue cube in the bowl.", answer) == 0


@pytest.mark.parametrize("aside", ["thank the team", "excuse my spelling"])
def test_a_courtesy_commands_nothing(aside: str) -> None:
    assert code("", f"Press the button and {aside}.", "press(button)") == 0
