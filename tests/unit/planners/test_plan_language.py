import pytest

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.evaluations.language_judge import World, make_scene
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.planners.plan_expansion import expand
from fmrl_robot.planners.plan_language import GRAMMAR, parse
from fmrl_robot.types import Predicate


def steps(text, facts=(), absent=()):
    subgoals, _ = expand(parse(text), make_scene(list(facts), list(absent)))
    return [f"{s.skill} {s.target}" for s in subgoals]


@pytest.mark.parametrize(
    "text",
    ["put(red_cube,bowl)", "put(each(on_table-red_cube-blue_cube),bin);press(button)",
     "stack(red_cube,blue_cube,green_cube)", "grasp(red_cube);place(blue_cube)", "hold(any(2,all))",
     "ensure_open(drawer);put(held,drawer);ensure_closed(drawer)", "refuse(unknown)",
     "put(each(with_red_cube),empty);put(each(off_table),at_blue_cube)"],
)  # fmt: skip
def test_sentences_fit_the_grammar_and_parse(text):
    assert accepts(GRAMMAR, text)
    if not text.startswith("refuse"):
        assert len(parse(text)) == text.count(";") + 1


@pytest.mark.parametrize(
    "text",
    ["put(apple,bowl)", "throw(red_cube)", "put(red_cube,bowl);", "stack(red_cube)", "x", ""],
)
def test_other_strings_do_not_fit_and_are_retryable_or_read_alike(text):
    assert not accepts(GRAMMAR, text)


@pytest.mark.parametrize(
    "text, code",
    [
        ("put(apple,bowl)", ErrorCode.OBJECT_UNKNOWN),
        ("put(red_cube,fridge)", ErrorCode.OBJECT_UNKNOWN),
        ("throw(red_cube)", ErrorCode.SKILL_UNKNOWN),
        ("stack(red_cube,red_cube)", ErrorCode.OBJECT_UNKNOWN),
        ("open(bowl)", ErrorCode.OBJECT_UNKNOWN),
        ("please put the red cube", ErrorCode.MODEL_OUTPUT_MALFORMED),
        ("", ErrorCode.PLAN_SCHEMA),
        (";".join(["press(button)"] * 25), ErrorCode.PLAN_SCHEMA),
    ],
)
def test_malformed_output_is_retryable_with_feedback(text, code):
    with pytest.raises(Retryable) as caught:
        parse(text)
    assert caught.value.code == code and "expected" in str(caught.value)


def test_put_is_grasp_and_place_with_captions():
    subgoals, goal = expand(parse("put(red_cube,bowl)"), make_scene())
    assert [(s.skill, s.target, str(s.termination)) for s in subgoals] == [
        ("grasp", "red_cube", "held(red_cube)"),
        ("place", "bowl", "in(red_cube, bowl)"),
    ]
    assert subgoals[1].text == "the red cube is in the bowl"
    assert goal == (Predicate("in", ("red_cube", "bowl")),)


def test_put_takes_off_what_lies_on_the_cube():
    assert steps("put(red_cube,bowl)", ["on(blue_cube, red_cube)"]) == [
        "grasp blue_cube", "place table", "grasp red_cube", "place bowl",
    ]  # fmt: skip


def test_put_opens_the_drawer_a_cube_is_in_but_never_the_drawer_as_a_target():
    inside = steps("put(red_cube,bowl)", ["in(red_cube, drawer)"])
    assert inside == ["open drawer", "grasp red_cube", "place bowl"]
    assert steps("put(red_cube,drawer)") == ["grasp red_cube", "place drawer"]
    asked = steps("ensure_open(drawer);put(red_cube,drawer)")
    assert asked == ["open drawer", "grasp red_cube", "place drawer"]


def test_primitives_insert_nothing():
    assert steps("grasp(red_cube);place(bowl)", ["on(blue_cube, red_cube)"]) == [
        "grasp red_cube", "place bowl",
    ]  # fmt: skip


def test_references_are_resolved_against_the_scene():
    facts = ["in(green_cube, bowl)", "on(red_cube, blue_cube)"]
    assert steps("put(each(on_table),bin)", facts) == [
        "grasp red_cube", "place bin", "grasp blue_cube", "place bin", "grasp yellow_cube",
        "place bin",
    ]  # fmt: skip
    assert steps("put(each(on_blue_cube),bowl)", facts)[0] == "grasp red_cube"
    assert steps("put(each(under_red_cube),bowl)", facts)[2] == "grasp blue_cube"
    assert steps("put(each(top),yellow_cube)", facts) == ["grasp red_cube", "place yellow_cube"]
    assert len(steps("put(any(2,all),bin)", facts)) == 4


def test_stack_keeps_what_already_stands():
    assert steps("stack(blue_cube,red_cube,green_cube)", ["on(red_cube, blue_cube)"]) == [
        "grasp green_cube", "place red_cube",
    ]  # fmt: skip


def test_what_is_held_is_put_down_before_the_hand_is_needed():
    assert steps("put(red_cube,bowl)", ["held(green_cube)"])[0] == "place table"
    assert steps("put(held,bin)", ["held(green_cube)"]) == ["place bin"]


@pytest.mark.parametrize(
    "text", ["put(each(in_bowl),bin)", "put(green_cube,bowl)", "put(held,bin)", "put(red_cube,top)"]
)
def test_a_reference_to_nothing_is_refused(text):
    with pytest.raises(Terminal) as caught:
        steps(text, absent=["green_cube"])
    assert caught.value.code == ErrorCode.OBJECT_UNKNOWN


def test_at_and_with_mean_where_a_cube_was_at_first():
    apart = ["in(red_cube, bowl)", "in(blue_cube, bowl)", "in(green_cube, bin)"]
    assert steps("put(red_cube,at_green_cube);put(green_cube,at_red_cube)", apart) == [
        "grasp red_cube", "place bin", "grasp green_cube", "place bowl",
    ]  # fmt: skip
    assert steps("put(red_cube,table);put(each(with_red_cube),bin)", apart)[2:] == [
        "grasp blue_cube", "place bin",
    ]  # fmt: skip
    assert len(steps("put(each(off_table),table)", apart)) == 6


def test_at_and_empty_open_the_drawer_they_mean():
    inside = ["in(green_cube, drawer)"]
    assert steps("put(red_cube,at_green_cube)", inside) == [
        "open drawer", "grasp red_cube", "place drawer",
    ]  # fmt: skip
    assert steps("put(red_cube,at_green_cube)", [*inside, "in(red_cube, drawer)"]) == []
    filled = ["in(green_cube, bowl)", "in(blue_cube, bin)"]
    assert steps("put(red_cube,empty)", filled)[0] == "open drawer"
    assert steps("put(red_cube,empty)", ["in(green_cube, bowl)"]) == ["grasp red_cube", "place bin"]


def test_at_a_cube_that_is_held_and_empty_without_one_are_refused():
    full = ["in(green_cube, bowl)", "in(blue_cube, bin)", "in(yellow_cube, drawer)"]
    for text, facts in (("at_green_cube", ["held(green_cube)"]), ("empty", full)):
        with pytest.raises(Terminal) as caught:
            steps(f"put(red_cube,{text})", facts)
        assert caught.value.code == ErrorCode.OBJECT_UNKNOWN


@pytest.mark.parametrize("place", ["bowl", "bin", "table", "blue_cube"])
@pytest.mark.parametrize(
    "facts",
    [[], ["on(blue_cube, red_cube)"], ["in(red_cube, drawer)"], ["held(yellow_cube)"],
     ["on(yellow_cube, blue_cube)", "on(green_cube, red_cube)"], ["in(red_cube, bowl)"]],
)  # fmt: skip
def test_every_put_executes_without_an_unmet_precondition(facts, place):
    scene = make_scene(facts)
    subgoals, goal = expand(parse(f"put(red_cube,{place})"), scene)
    world = World(scene)
    for subgoal in subgoals:
        world.run(subgoal.skill, subgoal.target)
    assert all(world.holds(fact) for fact in goal) and world.at["red_cube"] == place


def test_a_cube_is_put_on_what_lies_buried_two_below_it():
    facts = ["on(red_cube, blue_cube)", "on(yellow_cube, red_cube)"]
    assert steps("put(yellow_cube,blue_cube)", facts) == [
        "grasp yellow_cube", "place table", "grasp red_cube", "place table",
        "grasp yellow_cube", "place blue_cube",
    ]  # fmt: skip
