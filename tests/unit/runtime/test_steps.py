"""A planner that gives one step at a time: what it is told, what is refused, and how it ends."""

import pytest
from step_planner import PRESS, Run, Scripted, Table, grasp, place, plan

from fmrl_robot.errors import ErrorCode
from fmrl_robot.planning import Done, GiveUp, Question
from fmrl_robot.runtime import proposing
from fmrl_robot.runtime.budgets import Budgets
from fmrl_robot.types import PlanStatus, Predicate, Success

RED = "put the red cube in the bowl"
BOTH = "put the red cube in the bowl and press the button"
STEPS = [plan(grasp("red_cube")), plan(place("red_cube", "bowl"))]


def test_steps_are_asked_for_one_by_one_until_the_planner_says_done():
    planner = Scripted([*STEPS, Done(message="that was all")])
    run = Run(planner, RED)
    assert run.outcome.success and run.outcome.message == "that was all"
    assert run.executed == ["grasp red_cube", "place bowl"]
    assert [len(c.history) for c in planner.heard] == [0, 1, 2]
    assert [s.subgoal.skill for s in planner.observed] == ["grasp", "place"]
    assert [s.seconds for s in run.ending.history] == [2.0, 2.0]
    assert run.ending.replans == 0


def test_ids_of_steps_are_unique_in_the_task():
    run = Run(Scripted([*STEPS, Done()]), RED)
    assert [s.subgoal.id for s in run.ending.history] == ["1", "1.1"]


def test_what_was_done_is_announced_as_a_whole_and_read_back():
    run = Run(Scripted([*STEPS, Done()]), RED)
    assert run.ending.plan.status is PlanStatus.VALID
    assert [s.skill for s in run.ending.plan.subgoals] == ["grasp", "place"]
    assert run.ending.plan.understood == "put the red cube in the bowl"
    assert run.plans[-1] == run.ending.plan


def test_a_failed_step_is_told_and_the_planner_goes_on():
    planner = Scripted([STEPS[0], STEPS[0], STEPS[1], Done()])
    run = Run(planner, RED, table=Table(fails=[1]))
    assert run.outcome.success
    assert run.executed == ["grasp red_cube", "grasp red_cube", "place bowl"]
    told = planner.heard[1]
    assert told.ended.error_code == 307 and not told.history[0].outcome.success
    assert [f.channel for f in told.news] == ["outcome"] and "it slipped" in told.news[0].text
    assert told.news[0].mark is Success.NO and told.news[0].about == "1"
    assert planner.heard[2].news == () and len(planner.heard[2].feedback) == 1
    assert run.ending.replans == 1


# --- what is asked for, and what is forbidden -----------------------------------------------------

FORBIDDEN = "put the red cube in the bowl but do not touch the blue cube"


def test_a_forbidden_step_is_refused_before_it_is_carried_out():
    planner = Scripted([plan(grasp("blue_cube")), *STEPS, Done()])
    run = Run(planner, FORBIDDEN)
    assert run.outcome.success and run.executed == ["grasp red_cube", "place bowl"]
    assert run.plans[0].problems[0].code == ErrorCode.INTENT_FORBIDDEN
    assert "forbids it" in planner.heard[1].news[0].text


def test_a_planner_that_insists_on_a_forbidden_step_ends_without_having_moved():
    run = Run(Scripted([plan(grasp("blue_cube"))]), FORBIDDEN)
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED and run.executed == []


def test_without_the_reading_the_forbidden_step_would_be_carried_out(monkeypatch):
    monkeypatch.setattr(proposing, "check_intent", lambda *_, **__: ())
    run = Run(Scripted([plan(grasp("blue_cube")), Done()]), FORBIDDEN)
    assert run.executed == ["grasp blue_cube"]


def test_a_step_need_not_be_all_that_was_asked_for_but_done_must_be():
    planner = Scripted([*STEPS, Done(), plan(PRESS), Done()])
    run = Run(planner, BOTH)
    assert run.outcome.success
    assert run.executed == ["grasp red_cube", "place bowl", "press button"]
    (refusal,) = planner.heard[3].news
    assert refusal.channel == "check" and "you asked also for" in refusal.text


def test_done_with_a_clause_forgotten_is_never_believed():
    run = Run(Scripted([*STEPS, Done()]), BOTH)
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert str(int(ErrorCode.INTENT_INCOMPLETE)) in run.outcome.message
    assert run.ending.plan.status is PlanStatus.REFUSED


def test_without_the_reading_half_of_it_would_pass_for_done(monkeypatch):
    monkeypatch.setattr(proposing, "check_intent", lambda *_, **__: ())
    assert Run(Scripted([*STEPS, Done()]), BOTH).outcome.success


def test_done_at_once_is_not_believed_where_something_was_asked_for():
    run = Run(Scripted([Done()]), RED)
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED


@pytest.mark.parametrize("goal", [(), (Predicate.parse("in(red_cube, bowl)"),)])
def test_done_is_believed_only_where_it_is_seen(goal):
    table = Table()
    real = table.execute

    def drops(subgoal, number, count):
        outcome = real(subgoal, number, count)
        if subgoal.skill == "place":
            table.below["red_cube"] = "table"  # it rolled out of the bowl unnoticed
        return outcome

    table.execute = drops
    run = Run(Scripted([*STEPS, Done(goal=goal)]), RED, table=table)
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert "in(red_cube, bowl) is not seen to hold" in run.outcome.message


def test_what_happens_while_the_planner_thinks_is_seen_before_it_is_believed():
    table = Table()

    def done(context):
        assert context.scene.holds(Predicate.parse("in(red_cube, bowl)"))
        table.below["red_cube"] = "table"  # somebody takes it out again
        return Done()

    run = Run(Scripted([*STEPS, done, Done()]), RED, table=table)
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED


def test_a_step_that_cannot_be_carried_out_is_refused_by_the_check():
    planner = Scripted([STEPS[1], *STEPS, Done()])
    run = Run(planner, RED)
    assert run.outcome.success and run.executed == ["grasp red_cube", "place bowl"]
    assert "needs a cube in the hand" in planner.heard[1].news[0].text


# --- asking a person, and giving up ---------------------------------------------------------------

WHICH = Question(text="Which cube?", choices=("red", "blue"))


def test_an_answer_is_in_the_next_context():
    def decide(context):
        (answer,) = context.news
        return plan(grasp(f"{answer.text}_cube"))

    planner = Scripted([WHICH, decide, plan(place("red_cube", "bowl")), Done()])
    run = Run(planner, RED, feedback=("person",), answer="red")
    assert run.outcome.success and run.questions == [WHICH]
    assert run.executed == ["grasp red_cube", "place bowl"]
    answer = planner.heard[1].news[0]
    assert (answer.channel, answer.about, answer.mark) == ("person", "Which cube?", None)
    assert ("asking", "Which cube?") in run.notes
    assert answer in planner.heard[-1].feedback


def test_silence_is_told_as_such():
    planner = Scripted([WHICH, *STEPS, Done()])
    Run(planner, RED, feedback=("person",))
    assert planner.heard[1].news[0].text == "nobody answered"
    assert planner.heard[1].news[0].mark is Success.UNKNOWN


def test_nobody_is_asked_where_that_channel_is_off():
    planner = Scripted([WHICH, *STEPS, Done()])
    run = Run(planner, RED, answer="red")
    assert run.questions == [] and run.outcome.success
    assert "nobody may be asked" in planner.heard[1].news[0].text


def test_a_planner_that_gives_up_ends_the_task_with_its_reason():
    run = Run(Scripted([GiveUp(message="the bowl is upside down")]), RED)
    assert run.outcome.error_code == ErrorCode.GIVEN_UP
    assert "upside down" in run.outcome.message and run.executed == []


# --- budgets --------------------------------------------------------------------------------------


def toggling(context):
    """Takes the red cube, and puts it back on the table, for ever."""
    held = context.scene.holds(Predicate.parse("held(red_cube)"))
    return plan(place("red_cube", "table") if held else grasp("red_cube"))


@pytest.mark.parametrize(
    ("answers", "budgets", "code", "executed"),
    [
        ([toggling], {"steps": 3}, ErrorCode.STEPS_SPENT, 3),
        ([toggling], {"proposals": 4}, ErrorCode.PROPOSALS_SPENT, 4),
        ([toggling], {"seconds": 5.0}, ErrorCode.TASK_TIMEOUT, 3),
        ([WHICH], {"questions": 2}, ErrorCode.QUESTIONS_SPENT, 0),
        ([STEPS[1]], {"repairs": 0}, ErrorCode.REPAIRS_EXHAUSTED, 0),
    ],
)
def test_every_budget_ends_the_loop_with_its_own_code(answers, budgets, code, executed):
    planner = Scripted(list(answers))
    run = Run(planner, RED, budgets=Budgets(**budgets), feedback=("person",), answer="red")
    assert run.outcome.error_code == code
    assert "expected" in run.outcome.message or code == ErrorCode.REPAIRS_EXHAUSTED
    assert len(run.executed) == executed
    ((name, limit),) = budgets.items()
    spent = {"proposals": planner.heard, "steps": run.executed, "questions": run.questions}
    assert len(spent.get(name, ())) == (limit if name in spent else 0)


def test_with_the_budgets_as_they_are_no_planner_goes_on_for_ever():
    run = Run(Scripted([toggling]), RED)
    assert run.outcome.error_code in (ErrorCode.PROPOSALS_SPENT, ErrorCode.STEPS_SPENT)
