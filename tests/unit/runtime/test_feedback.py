"""What the planner is told of a step, channel by channel, each of which can be switched."""

from dataclasses import replace

import pytest
from step_planner import PRESS, Run, Scripted, Table, grasp, place, plan

from fmrl_robot.errors import ConfigError
from fmrl_robot.planning import Done
from fmrl_robot.runtime.feedback import CHANNELS, PERSON, channels_for
from fmrl_robot.types import Predicate, Success

RED = "put the red cube in the bowl"
STEPS = [plan(grasp("red_cube")), plan(place("red_cube", "bowl")), Done()]
ALL = (*CHANNELS, PERSON)


def told(*channels, table=None, trigger="on_finish", answers=STEPS, verdict=Success.UNKNOWN):
    planner = Scripted(list(answers))
    run = Run(planner, RED, feedback=channels, table=table, trigger=trigger, verdict=verdict)
    return [(f.channel, f.text, f.mark) for f in planner.heard[1].news], run


@pytest.mark.parametrize(
    ("channel", "text", "mark"),
    [
        ("success", "held(red_cube) is seen to hold", Success.YES),
        ("reward", "held(red_cube) looks done", Success.YES),
        ("scene", "a table", None),
        ("objects", "on the table: blue_cube, green_cube", None),
        ("progress", "step 1 of 1 done", None),
    ],
)
def test_a_channel_speaks_where_it_is_on_and_only_there(channel, text, mark):
    assert told(channel, verdict=Success.YES)[0] == [(channel, text, mark)]
    others = [name for name in ALL if name != channel]
    assert channel not in [c for c, _, _ in told(*others, verdict=Success.YES)[0]]


def test_with_every_channel_off_the_planner_hears_nothing():
    heard, run = told(verdict=Success.YES)
    assert heard == [] and run.outcome.success


def test_every_word_is_about_its_step():
    planner = Scripted(list(STEPS))
    Run(planner, RED, feedback=ALL, verdict=Success.YES)
    assert {f.about for f in planner.heard[1].news} == {"1"}
    assert {f.about for f in planner.heard[2].news} == {"1.1"}


def test_a_step_that_ended_well_but_is_not_seen_to_is_marked_and_asked_about():
    """The controller believes that it holds the cube; the camera sees it on the table."""

    def slips():
        table = Table()
        real = table.execute

        def execute(subgoal, number, count):
            outcome = real(subgoal, number, count)
            if len(table.executed) == 1:
                table.held, table.below["red_cube"] = "", "table"
            return outcome

        table.execute = execute
        return table

    whole = plan(grasp("red_cube"), place("red_cube", "bowl"), goal=("in(red_cube, bowl)",))
    heard, run = told("success", table=slips(), trigger="on_failure", answers=[whole])
    assert heard == [("success", "held(red_cube) is not seen to hold", Success.NO)]
    assert run.outcome.success and run.ending.replans == 1
    assert run.executed == ["grasp red_cube", "grasp red_cube", "place bowl"]


def test_a_reward_that_says_no_is_asked_about():
    planner = Scripted([plan(PRESS, goal=("pressed(button)",))])
    run = Run(
        planner, "press the button", feedback=("reward",), trigger="on_failure:1",
        verdict=Success.NO,
    )  # fmt: skip
    assert planner.heard[1].news[0].text == "pressed(button) does not look done"
    assert len(planner.heard) == 2 and run.outcome.success  # the goal is seen all the same


def test_a_reward_that_does_not_know_says_nothing():
    assert told("reward", verdict=Success.UNKNOWN)[0] == []


def test_where_nothing_is_seen_the_success_of_a_step_is_unknown_and_the_task_goes_on():
    table = Table()
    real, seen = table.scene, [True]
    table.scene = lambda: real() if seen[0] else None
    execute = table.execute

    def blinds(subgoal, number, count):
        seen[0] = subgoal.skill == "place"
        return execute(subgoal, number, count)

    table.execute = blinds
    whole = plan(grasp("red_cube"), place("red_cube", "bowl"), goal=("in(red_cube, bowl)",))
    planner = Scripted([whole])
    run = Run(planner, RED, feedback=("success", "scene"), table=table, trigger="on_failure")
    assert run.outcome.success and len(planner.heard) == 1


def test_a_scene_without_a_caption_is_told_by_its_facts():
    table = Table()
    real = table.scene
    table.scene = lambda: replace(real(), caption="")
    ((_, text, _),) = told("scene", table=table)[0]
    assert "held(red_cube)" in text.split("; ")


def test_progress_counts_the_steps_of_a_plan():
    three = plan(grasp("red_cube"), place("red_cube", "bowl"), PRESS)
    planner = Scripted([three, plan(PRESS), Done()])
    Run(
        planner, "put the red cube in the bowl and press the button", feedback=("progress",),
        table=Table(fails=[3]),
    )  # fmt: skip
    assert [f.text for f in planner.heard[1].news if f.channel == "progress"] == [
        "step 1 of 3 done", "step 2 of 3 done", "step 3 of 3 failed",
    ]  # fmt: skip


def test_channels_go_by_name():
    planner = Scripted([])
    assert channels_for(planner) == ()
    assert channels_for(planner, "success, scene,person") == ("success", "scene", "person")
    planner.card = type("Card", (), {"feedback": ("scene",)})()
    assert channels_for(planner) == ("scene",) and channels_for(planner, "none") == ()
    with pytest.raises(ConfigError, match="expected feedback among success, reward"):
        channels_for(planner, "success,smell")


def test_a_negated_fact_holds_where_it_is_not_seen():
    scene = Table().scene()
    assert scene.holds(Predicate.parse("not in(red_cube, bowl)"))
    assert not scene.holds(Predicate.parse("not on(red_cube, table)"))
