"""The reading of an arm's instructions, over plans written in the plan language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.plancheck import check_intent, understood
from fmrl_robot.plancheck.intent import arm_check
from fmrl_robot.plancheck.intent.arm_words import lexicon, mended_words
from fmrl_robot.plancheck.intent.words import mend, words
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Plan, Scene

FORBIDDEN = ErrorCode.INTENT_FORBIDDEN
NOTHING = ErrorCode.INTENT_NOTHING
INCOMPLETE = ErrorCode.INTENT_INCOMPLETE
EXCEEDED = ErrorCode.INTENT_EXCEEDED

STACK = "on(red_cube,blue_cube)"
"""Red stands on blue."""
OPEN = "open(drawer)"


def plan(instruction: str, answer: str, scene: Scene) -> Plan:
    steps = plan_language.parse(answer) if answer else ()
    subgoals, goal = plan_expansion.expand(steps, scene)
    return Plan(instruction=instruction, method="", subgoals=subgoals, goal=goal)


def code(facts: str, instruction: str, answer: str) -> int:
    """The code of the first problem, 0 where there is none."""
    scene = make_scene(facts.split())
    found = check_intent(plan(instruction, answer, scene), scene, PANDA)
    return found[0].code if found else 0


# Scene facts, instruction, plan.
GOOD = [
    ("", "Put the red cube in the bowl.", "put(red_cube,bowl)"),
    ("", "red -> bin, blue -> bowl", "put(red_cube,bin);put(blue_cube,bowl)"),
    ("", "plese put teh gren cube into the bolw", "put(green_cube,bowl)"),  # codespell:ignore
    ("", "putblue in the bin", "put(blue_cube,bin)"),
    ("", "could you hold the yellow one for me?", "hold(yellow_cube)"),
    ("", "Bin the green block.", "put(green_cube,bin)"),
    ("", "press the button twice", "press(button);press(button)"),
    (OPEN, "shut the drawer, please", "close(drawer)"),
    (STACK, "take the top cube and bin it", "put(red_cube,bin)"),
    (STACK, "put the blue cube in the bowl", "put(blue_cube,bowl)"),
    ("in(red_cube,bowl)", "empty the bowl onto the table", "put(red_cube,table)"),
    # Idioms with a word of refusal that forbid nothing.
    ("", "don't forget to press the button", "press(button)"),
    ("", "why don't you put red on blue?", "put(red_cube,blue_cube)"),
    ("", "the green cube goes in the bin, no rush", "put(green_cube,bin)"),
    ("", "do not hesitate to open the drawer", "open(drawer)"),
    ("", "would you mind putting the blue cube in the bowl? no worries", "put(blue_cube,bowl)"),
    # Refusals that ask for something.
    ("", "put nothing but the red cube in the bowl", "put(red_cube,bowl)"),
    ("", "don't put the red cube anywhere but in the bowl", "put(red_cube,bowl)"),
    ("", "the blue cube is not in the bowl yet, put it there", "put(blue_cube,bowl)"),
    # Orders, in which the refused step comes later.
    ("", "don't press the button until red is in the bowl", "put(red_cube,bowl);press(button)"),
    ("", "never close the drawer before opening it", "open(drawer);close(drawer)"),
    # Exceptions and prohibitions that the plan keeps.
    ("", "all cubes but the red one in the bin", "put(each(all-red_cube),bin)"),
    ("", "put blue in the bowl and leave green alone", "put(blue_cube,bowl)"),
    ("", "only the yellow cube belongs in the bin", "put(yellow_cube,bin)"),
    ("", "instead of the red cube take the blue one", "hold(blue_cube)"),
    ("", "put the red cube, no wait, the blue cube in the bowl", "put(blue_cube,bowl)"),
    ("", "put red in the bin, not in the bowl", "put(red_cube,bin)"),
    ("", "move nothing except the green cube, which goes in the bowl", "put(green_cube,bowl)"),
    ("", "everything that is red goes in the bin", "put(red_cube,bin)"),
    ("", "Yesterday I lost the blue cube. Put the red cube in the bowl.", "put(red_cube,bowl)"),
    ("in(red_cube,bowl)", "leave the red cube in the bowl and press the button", "press(button)"),
    ("", "keep the drawer closed and put red in the bowl", "put(red_cube,bowl)"),
]

# Scene facts, instruction, a plan that breaks it.
BANNED = [
    ("", "Don't touch red. Blue in the bowl.", "put(blue_cube,bowl);hold(red_cube)"),
    ("", "bin green but never move blue", "put(green_cube,bin);put(blue_cube,bowl)"),
    ("", "press the button, and hands off yellow!", "press(button);put(yellow_cube,bin)"),
    (
        "",
        "The red cube is off limits, put blue in the bowl",
        "put(blue_cube,bowl);put(red_cube,bowl)",
    ),
    ("", "put blue in the bowl without moving red", "put(red_cube,bin);put(blue_cube,bowl)"),
    ("", "Refrain from pressing the button; bin red.", "put(red_cube,bin);press(button)"),
    ("", "do not press anything", "press(button)"),
    ("", "please don't open the drawer, only hold red", "open(drawer);hold(red_cube)"),
    (OPEN, "bin red and leave the drawer open", "put(red_cube,bin);close(drawer)"),
    ("", "keep the drawer shut and put red in the bin", "put(red_cube,bin);open(drawer)"),
    ("", "nothing may go in the bowl", "put(red_cube,bowl)"),
    ("", "put no cube on the red one", "put(blue_cube,red_cube)"),
    ("", "Touch nothing.", "press(button)"),
    ("", "don't move anything", "put(red_cube,bowl)"),
    ("", "leave the blue cube alone, bin red", "put(red_cube,bin);hold(blue_cube)"),
    ("", "leave everything where it is", "put(green_cube,bin)"),
    ("", "ignore the yellow cube, bin red", "put(red_cube,bin);put(yellow_cube,bin)"),
    # Exceptions.
    ("", "put everything in the bin except the red cube", "put(each(all),bin)"),
    ("", "all cubes but the blue one in the bowl", "put(each(all),bowl)"),
    ("", "all of them apart from green go in the bin", "put(each(all),bin)"),
    ("", "bin every cube save for yellow", "put(each(all),bin)"),
    ("", "everything goes in the bowl, but not the red cube", "put(each(all),bowl)"),
    # What "it" and "the others" are.
    (
        "",
        "put red in the bowl. The blue cube is heavy, do not move it.",
        "put(red_cube,bowl);put(blue_cube,bowl)",
    ),
    ("", "red in the bin; don't touch the others", "put(red_cube,bin);put(green_cube,bin)"),
]

# The same, where the plan fails for another reason besides: nothing else is asked for, or that is
# not done.
BANNED_AND_WRONG = [
    ("", "dont u dare pick up the green block", "hold(green_cube)"),
    ("", "avoid the green cube and bin the red one", "put(red_cube,bin);hold(green_cube)"),
    ("", "The bowl is off limits.", "put(blue_cube,bowl)"),
    (
        "",
        "the green cube stays where it is; red in the bowl",
        "put(red_cube,bowl);put(green_cube,bin)",
    ),
    ("", "neither red nor blue may go in the bin", "put(blue_cube,bin)"),
    ("in(red_cube,bowl)", "don't take the red cube out of the bowl", "put(red_cube,table)"),
    ("held(red_cube)", "do not let go of the red cube", "place(table)"),
    (STACK, "don't touch the top cube", "put(red_cube,bowl)"),
    ("", "only the yellow cube belongs in the bin", "put(yellow_cube,bin);put(red_cube,bin)"),
    ("", "put nothing but the red cube in the bowl", "put(red_cube,bowl);put(blue_cube,bowl)"),
    ("", "instead of the red cube take the blue one", "hold(red_cube)"),
    ("", "put blue rather than green in the bowl", "put(green_cube,bowl)"),
    ("", "put red in the bin, not in the bowl", "put(red_cube,bowl)"),
    ("", "put red in the bowl, not the blue one", "put(blue_cube,bowl)"),
]

# Scene facts, instruction, plan, code.
WRONG = [
    # Nothing is asked for.
    ("", "Hello there, nice robot", "put(red_cube,bowl)", NOTHING),
    ("", "The red cube was in the bowl yesterday.", "put(red_cube,bowl)", NOTHING),
    ("", "Once upon a time my aunt put a red cube in a bowl.", "put(red_cube,bowl)", NOTHING),
    ("", "Is the red cube in the bowl?", "put(red_cube,bowl)", NOTHING),
    ("", "Where is the green block?", "hold(green_cube)", NOTHING),
    ("", "How many cubes are on the table?", "hold(green_cube)", NOTHING),
    ("", "My brother lost the red cube last summer.", "hold(red_cube)", NOTHING),
    ("", "", "put(red_cube,bowl)", NOTHING),
    ("", "What a day!", "", NOTHING),
    ("", "Don't touch anything.", "", NOTHING),
    ("", '{"put": ["red_cube", "bowl"]}', "put(red_cube,bowl)", NOTHING),
    ("", "put(red_cube, bowl)", "put(red_cube,bowl)", NOTHING),
    ("", "import os", "put(red_cube,bowl)", NOTHING),
    ("", "https://example.org/red", "hold(red_cube)", NOTHING),
    # Something is missing.
    ("", "Put red in the bowl and blue in the bin.", "put(red_cube,bowl)", INCOMPLETE),
    ("", "Put red in the bowl. Then press the button.", "put(red_cube,bowl)", INCOMPLETE),
    ("", "put the red cube in the bowl", "put(red_cube,bin)", INCOMPLETE),
    ("", "put the red cube in the bowl", "put(blue_cube,bowl)", INCOMPLETE),
    ("", "press the button twice", "press(button)", INCOMPLETE),
    ("", "open the drawer and bin the red cube", "put(red_cube,bin)", INCOMPLETE),
    (OPEN, "bin the red cube, then close the drawer", "put(red_cube,bin)", INCOMPLETE),
    ("", "put two of the cubes in the bowl", "put(each(all),bowl)", INCOMPLETE),
    ("", "put the red cube in the bowl", "", INCOMPLETE),
    # No skill does it.
    ("", "put the red cube next to the bowl", "put(red_cube,bowl)", INCOMPLETE),
    ("", "put the red cube between the bowl and the bin", "put(red_cube,table)", INCOMPLETE),
    ("", "put blue to the left of red", "put(blue_cube,red_cube)", INCOMPLETE),
    ("", "rotate the red cube", "hold(red_cube)", INCOMPLETE),
    ("", "hold the red cube and wait for ten seconds", "hold(red_cube)", INCOMPLETE),
    # Two things should change places.
    (
        "in(red_cube,bowl) in(blue_cube,bin)",
        "red in the bin and vice versa",
        "put(red_cube,bin)",
        INCOMPLETE,
    ),
    # More than was asked for.
    ("", "put red in the bowl", "put(red_cube,bowl);put(blue_cube,bowl)", EXCEEDED),
    ("", "put the red cube in the bowl", "put(red_cube,bowl);press(button)", EXCEEDED),
    (
        "",
        "everything that is red goes in the bin",
        "put(red_cube,bin);put(blue_cube,bin)",
        EXCEEDED,
    ),
    ("", "pick up the green cube", "put(yellow_cube,bin);hold(green_cube)", EXCEEDED),
]


@pytest.mark.parametrize(("facts", "instruction", "answer"), GOOD)
def test_a_plan_that_does_what_is_said_is_let_through(
    facts: str, instruction: str, answer: str
) -> None:
    assert code(facts, instruction, answer) == 0


@pytest.mark.parametrize(("facts", "instruction", "answer"), BANNED + BANNED_AND_WRONG)
def test_what_was_forbidden_is_refused(facts: str, instruction: str, answer: str) -> None:
    assert code(facts, instruction, answer) == FORBIDDEN


@pytest.mark.parametrize(("facts", "instruction", "answer"), BANNED)
def test_without_the_bans_and_the_need_to_be_asked_it_would_be_let_through(
    facts: str, instruction: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_check, "bans", lambda reader: [])
    # A thing that is named only to be spared is not asked for either: the second guard.
    assert code(facts, instruction, answer) in (0, EXCEEDED)
    monkeypatch.setattr(arm_check._Comparison, "_extra", lambda _: iter(()))
    assert code(facts, instruction, answer) == 0


@pytest.mark.parametrize(("facts", "instruction", "answer"), BANNED_AND_WRONG)
def test_without_the_bans_something_else_would_refuse_it(
    facts: str, instruction: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_check, "bans", lambda reader: [])
    assert code(facts, instruction, answer) in (NOTHING, INCOMPLETE, EXCEEDED)


@pytest.mark.parametrize(("facts", "instruction", "answer", "wanted"), WRONG)
def test_what_was_not_asked_for_is_refused(
    facts: str, instruction: str, answer: str, wanted: ErrorCode
) -> None:
    assert code(facts, instruction, answer) == wanted


def test_a_refusal_says_what_the_plan_would_do_and_which_words_forbid_it() -> None:
    scene, instruction = make_scene(), "put blue in the bowl without moving red"
    bad = plan(instruction, "put(red_cube,bin);put(blue_cube,bowl)", scene)
    (problem,) = check_intent(bad, scene, PANDA)
    assert problem.message == (
        "I would put the red cube in the bin and put the blue cube in the bowl, "
        "but 'without moving red' forbids it"
    )


# --- a task that is planned again -----------------------------------------------------------------


def test_what_was_done_before_counts_as_brought_about() -> None:
    scene, instruction = make_scene(), "Put red in the bowl and blue in the bin."
    done = plan(instruction, "put(red_cube,bowl)", scene).subgoals
    rest = plan(instruction, "put(blue_cube,bin)", scene)
    assert check_intent(rest, scene, PANDA)[0].code == INCOMPLETE
    assert check_intent(rest, scene, PANDA, done) == ()


def test_what_was_done_before_is_not_done_twice() -> None:
    scene, instruction = make_scene(), "press the button, and hands off blue"
    done = plan(instruction, "press(button)", scene).subgoals
    again = plan(instruction, "hold(blue_cube)", scene)
    assert check_intent(again, scene, PANDA, done)[0].code == FORBIDDEN


@pytest.mark.parametrize(("facts", "instruction", "answer"), GOOD)
def test_every_part_of_what_is_asked_for_is_let_through(
    facts: str, instruction: str, answer: str
) -> None:
    scene = make_scene(facts.split())
    whole = plan(instruction, answer, scene)
    for i, step in enumerate(whole.subgoals):
        part = replace(whole, subgoals=(step,))
        assert check_intent(part, scene, PANDA, whole.subgoals[:i], partial=True) == ()


RED_THEN_PRESS = "put the red cube in the bowl, then press the button"


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        (RED_THEN_PRESS, "put(yellow_cube,bin)"),
        ("put the red cube and the blue cube in the bowl", "press(button)"),
    ],
)
def test_a_part_that_nobody_asked_for_is_refused_before_it_is_carried_out(
    instruction: str, answer: str
) -> None:
    scene = make_scene()
    (found,) = check_intent(plan(instruction, answer, scene), scene, PANDA, partial=True)
    assert found.code == EXCEEDED


def test_what_makes_way_may_be_in_the_hand_when_a_part_ends() -> None:
    scene = make_scene(STACK.split())
    text = "put the blue cube in the bowl, then press the button"
    part = plan(text, "grasp(red_cube)", scene)
    assert check_intent(part, scene, PANDA, partial=True) == ()
    (found,) = check_intent(plan(text, "grasp(yellow_cube)", scene), scene, PANDA, partial=True)
    assert found.code == EXCEEDED


def test_words_are_about_the_scene_in_which_they_were_said() -> None:
    """Halfway the bowl holds a cube that nobody meant by "what is in the bowl"."""
    instruction = (
        "put the contents of the bowl in the bin, then blue in the bowl; leave the top cube"
    )
    first = make_scene(["in(red_cube,bowl)", "on(green_cube,yellow_cube)"])
    good = plan(instruction, "put(red_cube,bin);put(blue_cube,bowl)", first)
    assert check_intent(good, first, PANDA) == ()
    top = plan(instruction, "put(red_cube,bin);put(blue_cube,bowl);hold(green_cube)", first)
    assert check_intent(top, first, PANDA)[0].code == FORBIDDEN


# --- reading back ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "answer", "said"),
    [
        ("", "", "do nothing"),
        ("", "put(red_cube,bowl)", "put the red cube in the bowl"),
        ("", "put(red_cube,blue_cube)", "put the red cube on the blue cube"),
        ("", "hold(green_cube)", "hold the green cube"),
        ("held(red_cube)", "place(table)", "put the red cube on the table"),
        ("", "open(drawer);press(button)", "open the drawer and press the button"),
        (
            "",
            "put(red_cube,bowl);put(blue_cube,bin);press(button)",
            "put the red cube in the bowl, put the blue cube in the bin and press the button",
        ),
        # Only where a cube comes to rest is said to be its place.
        (
            "",
            "grasp(red_cube);place(table);grasp(red_cube);place(bin)",
            "set the red cube aside and put the red cube in the bin",
        ),
        (
            STACK,
            "hold(blue_cube)",
            "put the red cube on the table and hold the blue cube",
        ),
    ],
)
def test_a_plan_is_read_back_by_what_it_brings_about(facts: str, answer: str, said: str) -> None:
    scene = make_scene(facts.split())
    assert understood(plan("whatever", answer, scene), scene, PANDA) == said


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("don't, dont, DON\u2019T", "do not , do not , do not"),
        ("can't and won't", "can not and will not"),
        ("the drawer's open", "the drawer is open"),
        ("the robot's bowl", "the robot bowl"),
        ("let's go", "let us go"),
        ("pls put em in w/o me", "please put them in without me"),
        ("till then", "until then"),
        ("left-most red->bin", "left most red -> bin"),
        ("I'd say it'll do", "i would say it will do"),
    ],
)
def test_contractions_are_spelt_out(typed: str, meant: str) -> None:
    assert " ".join(words(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("yelow", "yellow"),
        ("gren", "green"),
        ("yelllow", "yellow"),
        ("bleu", "blue"),
        ("glue", "glue"),
        ("bed", "bed"),
    ],
)
def test_slips_are_mended_and_words_of_their_own_stay(typed: str, meant: str) -> None:
    assert mend(typed, {"red", "yellow", "green", "blue"}, {"glue"}) == meant


def test_what_could_be_two_words_is_left_alone() -> None:
    assert mend("bowk", {"bowl", "book"}) == "bowk"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("putblue in the bin", "put blue in the bin"),
        ("the yellowcube", "the yellow cube"),
        ("never, ever", "never ever"),
        ("a push of the buton", "a push of the button"),  # codespell:ignore
        ("a glue stick", "a glue stick"),
    ],
)
def test_an_instruction_is_read_in_words_that_matter(typed: str, meant: str) -> None:
    assert " ".join(mended_words(typed, lexicon())) == meant
