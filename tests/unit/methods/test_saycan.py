"""SayCan chooses by language times value, and hears no less than it must."""

import numpy as np
import pytest

from fmrl_robot.errors import Terminal
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.saycan import SayCan, text_of
from fmrl_robot.planning import Context, Done, Feedback, Step
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.types import Outcome, Success

FAVOURITE = {"put(red_cube,bowl)": 0.7, "put(green_cube,bowl)": 0.28, "done": 0.02}
"""What a model says that sees nothing."""


def certain(world, choices):
    return np.ones(len(choices))


def value(**chances):
    """Values of choices by cube, 1 of all else."""

    def values(world, choices):
        return np.array([chances.get(c.args[0].partition("_")[0], 1.0) for c in choices])

    return values


def built(answers=FAVOURITE, scene=None, **how):
    model = ScriptedLM({"": answers})
    planner = SayCan(model, **how)
    planner.reset("put a cube in the bowl", "panda")
    return planner, make_scene(scene or ())


def texts(plan):
    return [f"{s.skill}({s.target})" for s in plan.subgoals]


def carried_out(planner, plan, success=True):
    for step in plan.subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=success)))


GREEN, RED = ["grasp(green_cube)", "place(bowl)"], ["grasp(red_cube)", "place(bowl)"]


def test_what_cannot_be_done_is_not_chosen_however_likely_it_is_said():
    planner, scene = built(values=value(red=0.0))
    assert texts(planner.propose(Context.of(scene))) == GREEN


def test_without_values_the_favourite_is_chosen():
    planner, scene = built(values=certain)
    assert texts(planner.propose(Context.of(scene))) == RED


def test_the_shipped_values_know_what_is_out_of_reach():
    far = ["far(red_cube)"]
    planner, scene = built(scene=far)
    assert texts(planner.propose(Context.of(scene))) == GREEN
    planner, scene = built(scene=far, values=certain)
    assert texts(planner.propose(Context.of(scene))) == RED


def test_a_refused_step_is_not_chosen_again_until_something_was_done():
    planner, scene = built(values=certain)
    planner.propose(Context.of(scene))
    refused = Feedback(channel="check", text="no", mark=Success.NO)
    second = planner.propose(Context.of(scene, refused))
    assert texts(second) == GREEN
    carried_out(planner, second)
    assert texts(planner.propose(Context.of(scene))) == RED


def test_a_step_that_is_so_already_is_passed_over_and_counts_as_done():
    planner, scene = built({"put(red_cube,bowl)": 0.9, "done": 0.1}, scene=["in(red_cube,bowl)"],
                           values=certain)  # fmt: skip
    assert isinstance(planner.propose(Context.of(scene)), Done)
    assert "1. put(red_cube,bowl)" in planner.model.prompts[-1]


def test_done_that_was_not_believed_is_not_said_again_at_once():
    planner, scene = built({"done": 0.9, "put(red_cube,bowl)": 0.1}, values=certain, done_value=1.0)
    assert isinstance(planner.propose(Context.of(scene)), Done)
    missing = Feedback(channel="check", text="in(red_cube, bowl) is not seen", mark=Success.NO)
    assert texts(planner.propose(Context.of(scene, missing))) == RED


@pytest.mark.parametrize(("sure", "refuses"), [(0.95, True), (0.6, False)])
def test_only_a_sure_refusal_is_believed(sure, refuses):
    answers = {"refuse(unknown)": sure, "put(red_cube,bowl)": 1 - sure}
    planner, scene = built(answers, values=certain)
    if refuses:
        with pytest.raises(Terminal):
            planner.propose(Context.of(scene))
    else:
        assert texts(planner.propose(Context.of(scene))) == RED


def test_it_is_asked_when_a_step_is_over():
    planner, _ = built()
    assert trigger_for(planner).name == "on_finish"


def test_choices_are_said_in_the_plan_language():
    planner, scene = built(values=certain)
    planner.propose(Context.of(scene))
    from fmrl_robot.planners import plan_language
    from fmrl_robot.skills import World
    from fmrl_robot.skills.env.menu import menu

    said = [text_of(c) for c in menu(World.of(scene).domain, True, "seen").choices]
    assert said[-1] == "done" and len(plan_language.parse(";".join(said[:20]))) == 20
