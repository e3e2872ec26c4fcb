"""When the planner is asked again: each trigger, by what it lets the same planner know."""

from dataclasses import replace

import pytest
from step_planner import PRESS, Run, Scripted, Table, grasp, place, plan

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.planning import Done
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.types import Predicate

TASK = "put the red cube in the bowl, put the blue cube in the bin and press the button"
STEPS = (
    grasp("red_cube"),
    place("red_cube", "bowl"),
    grasp("blue_cube"),
    place("blue_cube", "bin"),
    PRESS,
)
GOAL = ("in(red_cube, bowl)", "in(blue_cube, bin)", "pressed(button)")


def rest(context):
    """What is left of the five steps, by what is seen and held; or Done."""
    scene = context.scene
    left = list(STEPS)
    for i, step in enumerate(STEPS):
        if scene.holds(step.termination):
            left = list(STEPS[i + 1 :])
    return plan(*left, goal=GOAL) if left else Done()


def asked_after(trigger, fails=(), goal=GOAL):
    """After how many steps the planner was asked."""
    run = Run(Scripted([rest]), TASK, trigger=trigger, table=Table(fails=fails))
    return [len(c.history) for c in run.planner.heard], run


@pytest.mark.parametrize(
    ("trigger", "fails", "asked"),
    [
        ("never", [], [0]),
        ("on_failure", [], [0]),
        ("on_failure", [2], [0, 2]),
        ("on_failure:1", [2], [0, 2]),
        ("on_finish", [], [0, 5]),
        ("on-finish", [2], [0, 2, 6]),
        ("every_n:2", [], [0, 2, 4, 5]),
        ("every_n:2", [3], [0, 2, 3, 4, 6]),
        ("always", [], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_planner_is_asked_after_these_steps(trigger, fails, asked):
    found, run = asked_after(trigger, fails)
    assert found == asked
    assert run.outcome.success
    assert len(run.executed) == 5 + len(fails)


def test_never_ends_with_the_failure_of_the_step():
    asked, run = asked_after("never", [2])
    assert asked == [0] and run.outcome.error_code == ErrorCode.SUBGOAL_FAILED


def test_on_failure_ends_with_the_last_failure_once_it_asked_so_often():
    asked, run = asked_after("on_failure:1", [2, 3])
    assert asked == [0, 2] and run.outcome.error_code == ErrorCode.SUBGOAL_FAILED
    assert run.ending.replans == 1


@pytest.mark.parametrize(("trigger", "asked"), [("never", 1), ("on_failure:2", 3)])
def test_a_plan_whose_goal_is_not_seen_has_failed(trigger, asked):
    table = Table()
    table.scene = lambda real=table.scene: hide(real(), "pressed(button)")
    planner = Scripted([lambda context: plan(PRESS, goal=("pressed(button)",))])
    run = Run(planner, "press the button", trigger=trigger, table=table)
    assert run.outcome.error_code == ErrorCode.GOAL_NOT_REACHED
    assert len(planner.heard) == asked


def hide(scene, fact):
    return replace(scene, predicates=scene.predicates - {Predicate.parse(fact)})


class Curious(Scripted):
    """Wants to be asked once the red cube is in the bowl: a trigger as it might be learned."""

    def asks(self, context):
        return len(context.history) == 2 and len(context.remaining) == 3


def test_learned_asks_when_the_planner_wants_it_and_when_nothing_is_left():
    planner = Curious([rest])
    run = Run(planner, TASK, trigger="learned")
    assert run.outcome.success and [len(c.history) for c in planner.heard] == [0, 2, 5]


def test_learned_is_refused_for_a_planner_that_knows_nothing_of_it():
    with pytest.raises(ConfigError, match="trigger of its own"):
        trigger_for(Scripted([]), "learned")


@pytest.mark.parametrize(
    "name", ["sometimes", "every_n", "every_n:0", "every_n:x", "on_failure:", "never:2", "always:1"]
)
def test_another_name_is_refused_with_those_that_there_are(name):
    with pytest.raises(ConfigError, match="expected a trigger among never"):
        trigger_for(Scripted([]), name)


def test_the_card_names_the_default():
    class Card:
        trigger = "every_n:4"

    planner = Scripted([])
    assert trigger_for(planner).name == "on_failure:2"
    planner.card = Card()
    assert trigger_for(planner).name == "every_n:4"
    assert trigger_for(planner, "never").name == "never"


@pytest.mark.parametrize("trigger", ["never", "on_failure", "on_finish"])
def test_nothing_is_looked_at_while_steps_are_carried_out_and_nobody_is_asked(trigger):
    """Looking takes a second on a robot, and a camera that died must not end a walk."""
    table = Table()
    looks = []
    real = table.execute
    table.execute = lambda *a: (looks.append(table.looks), real(*a))[1]
    Run(Scripted([plan(*STEPS, goal=GOAL), Done()]), TASK, trigger=trigger, table=table)
    assert looks == [1] * 5


def test_an_empty_plan_whose_goal_is_seen_ends_a_task_as_done_does():
    planner = Scripted([lambda c: plan(*STEPS[:0] if c.history else [PRESS], goal=GOAL[2:])])
    run = Run(planner, "press the button", trigger="on_finish")
    assert run.outcome.success and run.executed == ["press button"]
    half = Scripted([lambda c: plan(*STEPS[:0] if c.history else [PRESS], goal=GOAL[2:])])
    run = Run(half, TASK, trigger="on_finish")
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert str(int(ErrorCode.INTENT_INCOMPLETE)) in run.outcome.message
