"""The texts of the live page."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from told_runs import plan, step

from fmrl_robot.types import RewardOut, Success
from fmrl_robot.view import panel
from fmrl_robot.view.chart import reward_chart, steps_of
from fmrl_robot.view.run_log import RunLog
from fmrl_robot.view.standing import standing


def ready():
    log = RunLog(robot="panda")
    log.moves, log.gate_state = True, "armed"
    return log


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_a_stopped_robot_is_told_from_a_ready_one_and_only_it_can_be_rearmed():
    log = ready()
    log.add_plan(0.0, plan("a", step(1)))
    assert standing(log).word == "RUNNING" and not standing(log).can_rearm
    log.gate_state, log.gate_reason = "stopped", "411: asked to stop by the service"
    told = standing(log)
    assert (told.word, told.tone, told.can_rearm) == ("STOPPED", "stop", True)
    shown = panel.standing_html(told, {})
    assert "411: asked to stop by the service" in shown and "press Re-arm" in shown
    log.end_task(1.0, "failed", "a")
    assert standing(log).word == "STOPPED"
    log.gate_state = "re-arming"
    assert standing(log).word == "RE-ARMING" and not standing(log).can_rearm
    log.gate_state, log.gate_reason = "armed", ""
    assert standing(log).word == "READY"
    assert "#c8261c" not in panel.standing_html(standing(log), {})


def test_the_tab_says_whose_it_is_and_that_the_robot_is_stopped():
    log = ready()
    assert "document.title=&quot;go2 · fmrl_robot&quot;" in panel.tab_html("go2", standing(log))
    log.gate_state = "stopped"
    assert "STOPPED" in panel.tab_html("go2", standing(log))


def test_a_task_before_any_word_of_the_robot_waits():
    log = RunLog(robot="panda")
    assert standing(log).word == "WAITING"
    log.moves, log.gate_state = True, "disarmed"
    assert standing(log).word == "NOT ARMED"


def test_the_history_tells_every_end_with_its_reason():
    log = ready()
    log.add_plan(0.0, plan("a", step(1)))
    log.end_task(2.5, "done", "a")
    log.add_plan(3.0, plan("b", refused="no skill juggle"))
    log.end_task(3.1, "failed", "b")
    log.add_plan(4.0, plan("c", step(1)))
    said = text_of(panel.history_html(log))
    assert "“do a” done after 2.5 s" in said
    assert "“do b” refused after 0.1 s 201: no skill juggle" in said
    assert "do c" not in said and said.index("do b") < said.index("do a")
    assert "“do c” running" in text_of(panel.plan_html(log))


def test_the_goal_as_understood_stands_above_the_steps():
    log = ready()
    log.add_plan(0.0, plan("a", step(1)))
    task = log.tasks[0]
    task.plans[0] = SimpleNamespace(
        understood="the red cube lies in the bowl", goal=(), **{
            name: getattr(task.plans[0], name) for name in ("subgoals", "status", "problems")
        }
    )  # fmt: skip
    said = text_of(panel.plan_html(log))
    assert said.index("Understood as: the red cube lies in the bowl") < said.index("grasp")


def test_an_instruction_is_text_and_never_markup():
    log = ready()
    log.begin_task(0.0, "a", "<img src=x onerror=alert(1)>")
    assert "<img" not in panel.plan_html(log)
    log.begin_task(0.0, "b", "y")
    assert "<img" not in panel.history_html(log)


def test_an_empty_plot_has_axes_and_no_line():
    drawn = reward_chart(None, (), 100.0)
    assert "<polyline" not in drawn and "no scores yet" in drawn
    words = re.findall(r">([^<]+)</text>", drawn)
    assert words[:-1] == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "0.00", "0.50", "1.00"]


def scored():
    log = ready()
    log.add_plan(10.0, plan("a", step(1), step(2, "place")))
    log.add_subgoal(10.5, step(1))
    for i in range(50):
        out = RewardOut(value=0.2 + i / 500, success=Success.YES if i == 49 else Success.UNKNOWN)
        log.add_reward(10.6 + i / 10, "1", out)
    return log


def test_the_plot_marks_sub_goals_and_ends_with_the_task():
    log = scored()
    log.add_subgoal(15.0, step(2, "place"))
    log.end_task(20.0, "done", "a")
    at_end = reward_chart(log.task, log.scores(log.task), 20.0)
    assert at_end == reward_chart(log.task, log.scores(log.task), 900.0)
    assert at_end.count("stroke-dasharray") == 2 and at_end.count("<circle") == 1
    line = re.search(r'points="([^"]+)"', at_end).group(1)
    xy = np.array([[float(v) for v in p.split(",")] for p in line.split()])
    assert (np.diff(xy[:, 0]) > 0).all() and (np.diff(xy[:, 1]) < 0).all()
    # 0.6 s to 5.5 s after the begin of a task of ten seconds.
    assert xy[[0, -1], 0] == pytest.approx([40 + 0.06 * 342, 40 + 0.55 * 342], abs=0.1)


def test_the_verdict_is_the_last_one_of_the_task():
    log = scored()
    assert text_of(panel.verdict_html(log)).startswith("Reward reached , says the model")
    log.add_plan(30.0, plan("b", step(1)))
    assert "reached" not in panel.verdict_html(log)
    log.add_subgoal(31.0, step(1))
    log.add_reward(31.5, "1", RewardOut(value=0.0, valid=False))
    assert "not taught" in panel.verdict_html(log)


@pytest.mark.parametrize("span", [0.0, 0.7, 10.0, 61.0, 3600.0, 1.8e9])
def test_an_axis_has_few_round_steps_however_long(span):
    steps = steps_of(span)
    assert steps[0] == 0 and len(steps) <= 6 and steps[-1] <= span + 1e-3
