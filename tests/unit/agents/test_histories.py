"""What was undone is no part of a history, and who ended begins anew."""

import numpy as np

from fmrl_robot.agents import Histories
from fmrl_robot.types import SkillStep, SkillView

PHRASES = ("open", "close", "press")


def now(*states, ended=()):
    views = tuple(
        SkillView(caption="", phrases=PHRASES, admissible=np.ones(3, bool), facts=(),
                  state=np.array(s, np.float32))
        for s in states
    )  # fmt: skip
    count = len(states)
    over = np.array([i in ended for i in range(count)])
    return SkillStep(
        instructions=("do it",) * count, views=views, rewards=np.zeros(count, np.float32),
        terminated=over, truncated=np.zeros(count, bool), seconds=np.ones(count, np.float32),
        done=(True,) * count, last={},
    )  # fmt: skip


def walked(*steps):
    histories = Histories()
    histories.begin(now([0, 0]))
    for phrase, state in steps:
        histories.observe([phrase], now(state))
    return histories.walks[0].phrases


def test_steps_that_change_something_are_kept_in_order():
    assert walked(("open", [1, 0]), ("press", [1, 1])) == ["open", "press"]


def test_a_step_without_effect_leaves_no_trace():
    assert walked(("open", [0, 0]), ("press", [0, 1]), ("press", [0, 1])) == ["press"]


def test_a_pair_that_cancels_out_goes_with_what_lies_between():
    assert walked(("open", [1, 0]), ("close", [0, 0]), ("press", [0, 1])) == ["press"]
    assert walked(("press", [0, 1]), ("open", [1, 1]), ("close", [0, 1])) == ["press"]


def test_a_world_that_ends_begins_anew_and_the_others_go_on():
    histories = Histories()
    histories.begin(now([0, 0], [0, 0]))
    histories.observe(["open", "open"], now([1, 0], [1, 0]))
    histories.observe(["press", "press"], now([0, 0], [1, 1], ended=(0,)))
    assert [w.phrases for w in histories.walks] == [[], ["open", "press"]]
