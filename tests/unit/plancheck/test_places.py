"""Plans that go to places: what the check lets through, and what the independent reading does."""

from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.evaluations.places_course import cases
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.plancheck import check
from fmrl_robot.plancheck.intent import check_intent, understood
from fmrl_robot.plancheck.intent.quadruped_places import read_places
from fmrl_robot.planners import gait_language
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.robots import GO2
from fmrl_robot.types import Plan, Pose, Scene, SceneObject, Velocity

SCENE = Scene(
    stamp_s=0.0,
    objects=tuple(
        SceneObject(
            name=f"{color}_marker",
            category="marker",
            color=color,
            pose=Pose(position=np.array([1.8, y, 0.15])),
            size=np.array([0.24, 0.24, 0.3]),
        )
        for color, y in (("red", -0.9), ("green", 0.0), ("blue", 0.9))
    ),
)


def planned(text, answer):
    return Plan(instruction=text, method="saytap", subgoals=tuple(parse(answer)))


def refused(text, answer):
    plan = planned(text, answer)
    found = check(plan, SCENE, GO2) or check_intent(plan, SCENE, GO2)
    return found[0] if found else None


@pytest.mark.parametrize("number", range(len(cases())))
def test_hand_written_instructions_fit_their_plans_and_no_other_ones(number):
    case = cases()[number]
    assert accepts(gait_language.WHOLE_GRAMMAR, case["plan"])
    assert refused(case["text"], case["plan"]) is None
    other = cases()[(number + 7) % len(cases())]
    if other["plan"] != case["plan"]:
        assert refused(case["text"], other["plan"]) is not None
    more = f"{case['plan']};turn(17)"
    assert refused(case["text"], more).code == ErrorCode.INTENT_EXCEEDED
    first, _, rest = case["plan"].partition(";")
    if rest:
        assert refused(case["text"], first) is not None


@pytest.mark.parametrize(
    ("text", "answer", "code"),
    [
        ("walk to the red marker", "go(blue_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("walk to the red marker", "go(red_marker);sit()", ErrorCode.INTENT_EXCEEDED),
        ("walk to the red marker", "around(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("turn left", "turn(-90)", ErrorCode.INTENT_INCOMPLETE),
        ("turn left by 30 degrees", "turn(90)", ErrorCode.INTENT_INCOMPLETE),
        ("walk backwards two metres", "walk(2)", ErrorCode.INTENT_INCOMPLETE),
        ("walk two metres", "walk(3)", ErrorCode.INTENT_INCOMPLETE),
        (
            "go to the red marker, then to the blue one",
            "go(blue_marker);go(red_marker)",
            ErrorCode.INTENT_EXCEEDED,
        ),
        (
            "go to the green marker without going near the red one",
            "go(red_marker);go(green_marker)",
            ErrorCode.INTENT_FORBIDDEN,
        ),
        (
            "do not turn left, go to the red marker",
            "turn(90);go(red_marker)",
            ErrorCode.INTENT_FORBIDDEN,
        ),
        (
            "stay away from the blue one and visit the green marker",
            "go(green_marker);go(blue_marker)",
            ErrorCode.INTENT_FORBIDDEN,
        ),
        ("never sit; walk to the red marker", "go(red_marker);sit()", ErrorCode.INTENT_FORBIDDEN),
        ("go to the red marker unless it rains", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("do not go to the red marker", "go(red_marker)", ErrorCode.INTENT_FORBIDDEN),
        ("go to the red marker only if you must", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        # Conditions in a clause of gaits, which the reading of gaits alone would let pass.
        (
            "trot in place unless it rains, then go to the red marker",
            "trot(0);go(red_marker)",
            ErrorCode.INTENT_INCOMPLETE,
        ),
        (
            "stand still if the red marker is near, then turn left",
            "stand(0);turn(90)",
            ErrorCode.INTENT_INCOMPLETE,
        ),
        ("walk to the red marker and bark", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("the dog walks to the red marker", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("how do I walk to the red marker?", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("lovely weather", "go(red_marker)", ErrorCode.INTENT_INCOMPLETE),
        ("", "go(red_marker)", ErrorCode.INTENT_NOTHING),
        # What is asked for can be done now, so a plan that leaves it out is refused still.
        ("walk to the red marker", "trot(0.5)", ErrorCode.INTENT_INCOMPLETE),
        ("turn right", "trot(0.5)", ErrorCode.INTENT_INCOMPLETE),
        # Gaits between places are read as they were.
        (
            "trot forward slowly for 3 seconds, then go to the green marker",
            "pace(0.5,t=3);go(green_marker)",
            ErrorCode.INTENT_INCOMPLETE,
        ),
        (
            "go to the green marker, then trot in place, but never fast",
            "go(green_marker);trot(1)",
            ErrorCode.INTENT_INCOMPLETE,
        ),
    ],
)
def test_what_was_not_asked_for_is_refused(text, answer, code):
    found = refused(text, answer)
    assert found is not None and found.code == code, found


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("go(yellow_marker)", ErrorCode.OBJECT_UNKNOWN),
        ("go(start)", ErrorCode.PRECONDITION_UNMET),
    ],
)
def test_what_cannot_be_done_in_this_scene_is_refused(answer, code):
    assert check(planned("", answer), SCENE, GO2)[0].code == code


@pytest.mark.parametrize(
    ("answer", "change", "code"),
    [
        ("turn(90)", {"params": ()}, ErrorCode.PLAN_SCHEMA),
        ("turn(90)", {"target": "red_marker"}, ErrorCode.PLAN_SCHEMA),
        ("turn(90)", {"params": (("angle_deg", "nan"),)}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ("walk(1)", {"params": (("forward_m", "1e9"),)}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ("walk(1)", {"params": (("upward_m", "1"),)}, ErrorCode.PARAMETER_OUT_OF_BOUNDS),
        ("walk(1)", {"velocity": Velocity(vx=0.5)}, ErrorCode.PLAN_SCHEMA),
        ("go(red_marker)", {"target": ""}, ErrorCode.PLAN_SCHEMA),
        ("around(red_marker)", {"target": "start"}, ErrorCode.OBJECT_UNKNOWN),
    ],
)
def test_a_malformed_step_is_refused(answer, change, code):
    plan = planned("", answer)
    step = replace(plan.subgoals[0], **change)
    (found,) = check(replace(plan, subgoals=(step,)), SCENE, GO2)
    assert found.code == code


@pytest.mark.parametrize("answer", ["go()", "turn(x,y)", "around(1)", "sit(2)", "walk(1,2,3)"])
def test_a_step_that_is_no_sentence_is_told_what_was_expected(answer):
    with pytest.raises(Retryable, match="expected go"):
        parse(answer)
    assert not accepts(gait_language.WHOLE_GRAMMAR, answer)


def test_numbers_out_of_bounds_and_refusals_are_read():
    with pytest.raises(Retryable) as caught:
        parse("turn(900)")
    assert caught.value.code is ErrorCode.PARAMETER_OUT_OF_BOUNDS
    with pytest.raises(Terminal):
        parse("refuse(impossible)")


def test_a_plan_is_read_back_in_words():
    plan = planned("", "go(red_marker);turn(-45);walk(-2);around(blue_marker);go(start);sit()")
    assert understood(plan, SCENE, GO2) == (
        "go to the red marker, then turn right by 45 degrees, then walk 2 m backward, then go "
        "around the blue marker, then go back to the start, then sit down"
    )


def test_words_for_a_thing_named_before_are_that_thing():
    acts = read_places("walk to the red marker, go around it, then face that one").acts
    assert [(a.kind, a.thing) for a in acts] == [
        ("go_to", "red"),
        ("go_around", "red"),
        ("turn_to", "red"),
    ]
    assert not read_places("go around it").acts


class _Model:
    model_id = "model"

    def __init__(self, short):
        self.short_prompts = short
        self.asked = []

    def generate(self, prompt, **given):
        self.asked.append(given["grammar"])
        raise AssertionError(given["grammar"])


@pytest.mark.parametrize(
    ("short", "grammar"), [(True, gait_language.GRAMMAR), (False, gait_language.WHOLE_GRAMMAR)]
)
def test_a_model_that_was_taught_gaits_is_held_to_gaits(short, grammar):
    assert SayTap(_Model(short)).grammar(SCENE) == grammar
