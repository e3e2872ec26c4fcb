"""Which task a word belongs to, what of a task is shown, and how it ended."""

import pytest
from told_runs import plan, step

from fmrl_robot.errors import ErrorCode
from fmrl_robot.types import RewardOut
from fmrl_robot.view.run_log import RunLog, course


def states(log):
    return [(t.task_id, t.state) for t in log.tasks]


def test_a_refused_task_ends_refused_although_the_next_one_is_heard_first():
    log = RunLog(robot="panda")
    log.add_plan(1.0, plan("a", refused="no skill juggle"))
    log.add_plan(2.0, plan("b", step(1)))
    assert states(log) == [("a", "refused"), ("b", "running")]
    log.end_task(2.1, "failed", "a")  # the late word of the first must not end the second
    assert states(log) == [("a", "refused"), ("b", "running")]
    assert log.tasks[0].reason == "201: no skill juggle"
    log.end_task(9.0, "done", "b")
    assert states(log) == [("a", "refused"), ("b", "done")]


def test_a_task_that_was_turned_away_neither_ends_nor_hides_the_one_under_way():
    log = RunLog(robot="panda")
    log.add_plan(1.0, plan("a", step(1)))
    log.begin_task(2.0, "b")
    log.end_task(2.0, "failed", "b")
    log.explain("b", int(ErrorCode.TASK_BUSY), "one task at a time")
    assert states(log) == [("a", "running"), ("b", "refused")]
    assert log.task is log.tasks[0]
    assert log.tasks[1].reason == "111: one task at a time"


def test_an_end_that_was_never_heard_is_set_right_when_it_is():
    log = RunLog(robot="panda")
    log.add_plan(1.0, plan("a", step(1)))
    log.add_subgoal(1.5, step(1))
    log.add_plan(4.0, plan("b"))
    assert log.tasks[0].state == "failed" and "never heard" in log.tasks[0].reason
    log.end_task(4.2, "done", "a")
    assert (log.tasks[0].state, log.tasks[0].reason, log.tasks[0].end_s) == ("done", "", 4.0)


@pytest.mark.parametrize(
    ("code", "state"),
    [(ErrorCode.INSTRUCTION_EMPTY, "refused"), (ErrorCode.SCENE_UNAVAILABLE, "failed")],
)
def test_only_a_refusal_is_called_one(code, state):
    log = RunLog(robot="panda")
    log.begin_task(0.0, "a", "")
    log.end_task(1.0, "failed", "a")
    log.explain("a", int(code), "why")
    assert log.tasks[0].state == state


def test_what_was_carried_out_stays_when_a_new_plan_is_empty():
    log = RunLog(robot="panda")
    log.add_plan(0.0, plan("a", step(1), step(2, "place")))
    log.add_subgoal(1.0, step(1))
    log.end_step(2.0, "done")
    log.add_subgoal(2.0, step(2, "place"))
    log.end_step(3.0, "failed")
    log.add_replan(3.0, "a", "it fell")
    log.add_plan(3.1, plan("a"))
    log.end_task(3.2, "done", "a")
    assert [(r.text, r.state) for r in course(log.tasks[0])] == [
        ("grasp(red_cube)", "done"),
        ("place(red_cube)", "failed"),
        ("planned anew: it fell", "waiting"),
    ]


def test_the_course_of_a_task_goes_through_every_plan_to_what_lies_ahead():
    log = RunLog(robot="panda")
    log.add_plan(0.0, plan("a", step(1), step(2)))
    log.add_subgoal(1.0, step(1))
    log.end_step(2.0, "failed")
    log.add_replan(2.0, "a", "it slipped")
    log.add_plan(2.1, plan("a", step("1.1"), step("2.1", "place")))
    log.add_subgoal(2.2, step("1.1"))
    rows = course(log.tasks[0])
    assert [(r.subgoal.id if r.subgoal else None, r.state) for r in rows] == [
        ("1", "failed"),
        (None, "waiting"),
        ("1.1", "running"),
        ("2.1", "waiting"),
    ]


def test_late_word_of_a_step_does_not_end_the_next_one():
    log = RunLog(robot="panda")
    log.add_plan(0.0, plan("a", step(1), step(2)))
    first = log.add_subgoal(1.0, step(1))
    second = log.add_subgoal(2.0, step(2))
    log.end_step(2.1, "failed", first)
    assert (first.state, first.end_s) == ("failed", 2.0)
    assert (second.state, second.end_s) == ("running", None)


def test_scores_stop_with_the_task_by_the_time_of_their_frame():
    log = RunLog(robot="panda")
    log.add_reward(0.5, "1", RewardOut(value=9.0))  # of an earlier sub-goal, still latched
    log.add_plan(1.0, plan("a", step(1)))
    log.add_reward(1.1, "1", RewardOut(value=9.0))
    log.add_subgoal(1.2, step(1))
    log.add_reward(2.0, "1", RewardOut(value=0.3))
    log.end_task(3.0, "done", "a")
    log.add_reward(2.9, "1", RewardOut(value=0.4))  # seen before the end, scored after it
    log.add_reward(3.5, "1", RewardOut(value=0.5))
    assert [r.value for r in log.rewards] == [0.3, 0.4]
    assert [r.value for r in log.scores(log.tasks[0])] == [0.3, 0.4]
