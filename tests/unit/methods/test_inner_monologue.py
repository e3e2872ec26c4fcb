"""Inner Monologue does again what it hears went wrong, channel by channel."""

import pytest

from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.inner_monologue import InnerMonologue
from fmrl_robot.planning import Context, Done, Feedback, Question, Step
from fmrl_robot.types import Outcome, Success

THERE, NOT_THERE = make_scene(["in(red_cube,bowl)"]), make_scene()
PUT = "put(red_cube,bowl)"
NO = Feedback(channel="success", text="in(red_cube, bowl) is not seen to hold", mark=Success.NO,
              about="2")  # fmt: skip
YES = Feedback(channel="success", text="in(red_cube, bowl) is seen to hold", mark=Success.YES,
               about="2")  # fmt: skip
SCENE = Feedback(channel="scene", text="a table", about="2")
LIES = Feedback(channel="objects", text="on the table: red_cube, blue_cube", about="2")
GONE = Feedback(channel="objects", text="on the table: blue_cube", about="2")


class Short(ScriptedLM):
    """One of those that are asked in one line."""

    short_prompts = True


def after_put(answers=None, **how):
    """A planner whose put was carried out, whatever came of it."""
    planner = InnerMonologue(Short(answers or {"": "done", "nothing yet": PUT}), **how)
    planner.reset("put the red cube in the bowl", "panda")
    for step in planner.propose(Context.of(NOT_THERE)).subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=True)))
    return planner


def mark(planner, scene, *feedback):
    """What the model is told of the put."""
    planner.propose(Context.of(scene, *feedback))
    return planner.model.prompts[-1].partition(PUT)[2].split(".")[0].strip()


@pytest.mark.parametrize(
    ("scene", "feedback", "told"),
    [
        (NOT_THERE, (), "ok"),
        (NOT_THERE, (LIES,), "failed"),
        (NOT_THERE, (LIES, GONE), "ok"),
        (NOT_THERE, (NO,), "failed"),
        (NOT_THERE, (YES,), "ok"),
        (NOT_THERE, (YES, LIES), "failed"),
        (NOT_THERE, (SCENE,), "failed"),
        (THERE, (SCENE,), "ok"),
    ],
)
def test_each_channel_has_its_say_and_none_says_nothing(scene, feedback, told):
    assert mark(after_put(), scene, *feedback) == told


def test_where_detector_and_scene_disagree_a_person_is_asked_and_believed():
    planner = after_put()
    question = planner.propose(Context.of(NOT_THERE, YES, SCENE))
    assert isinstance(question, Question) and question.choices == ("yes", "no")
    assert "the red cube is in the bowl" in question.text

    def answered(text, sure=None):
        return Feedback(channel="person", text=text, about=question.text, mark=sure)

    assert mark(planner, NOT_THERE, YES, SCENE, answered("yes")) == "ok"
    planner = after_put()
    assert mark(planner, THERE, YES, SCENE, answered("No.")) == "failed"
    planner = after_put()
    silent = answered("nobody may be asked", Success.UNKNOWN)
    assert mark(planner, NOT_THERE, YES, SCENE, silent) == "failed"


@pytest.mark.parametrize(("told", "word"), [(GONE, "failed"), (LIES, "ok")])
def test_what_should_lie_on_the_table_and_is_not_seen_there_has_failed(told, word):
    out = "put(red_cube,table)"
    planner = InnerMonologue(Short({"": "done", "nothing yet": out}))
    planner.reset("take the red cube out of the bowl", "panda")
    for step in planner.propose(Context.of(THERE)).subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=True)))
    planner.propose(Context.of(THERE, told))
    assert f"{out} {word}" in planner.model.prompts[-1]


def test_where_they_agree_nobody_is_asked():
    assert isinstance(after_put().propose(Context.of(THERE, YES, SCENE)), Done)


def test_done_that_was_not_believed_is_looked_into():
    planner = after_put()
    assert isinstance(planner.propose(Context.of(NOT_THERE)), Done)
    missing = Feedback(channel="check", text="in(red_cube, bowl) is not seen", mark=Success.NO)
    assert mark(planner, NOT_THERE, missing) == "failed"


def test_a_step_that_a_later_one_undoes_on_purpose_has_not_failed():
    again = "put(red_cube,bin)"
    planner = after_put({"": again, "nothing yet": PUT, again: "done"})
    for step in planner.propose(Context.of(THERE)).subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=True)))
    assert mark(planner, make_scene(["in(red_cube,bin)"]), SCENE) == "ok"


def test_each_distinct_step_is_told_once_with_its_newest_mark():
    planner = after_put({"": PUT})
    for step in planner.propose(Context.of(NOT_THERE, NO)).subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=True)))
    planner.propose(Context.of(NOT_THERE, NO))
    assert planner.model.prompts[-1].count(PUT) == 1


def test_a_large_model_reads_the_feedback_and_may_ask_in_its_own_words():
    model = ScriptedLM({"": "ask(which cube do you mean?)", "Steps so far:\nNext step": PUT})
    planner = InnerMonologue(model)
    planner.reset("put it in the bowl", "panda")
    for step in planner.propose(Context.of(NOT_THERE)).subgoals:
        planner.observe(Step(subgoal=step, outcome=Outcome(success=True)))
    question = planner.propose(Context.of(NOT_THERE, NO))
    assert question == Question(text="which cube do you mean?")
    assert NO.text in model.prompts[-1] and f"1. {PUT}" in model.prompts[-1]
