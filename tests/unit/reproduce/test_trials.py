"""The trials of SayTap and PSL: what an interface can say, what a clock does, what flat RL gets."""

import itertools

import numpy as np
import pytest

from fmrl_robot.ablation import Budget
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.planners import gait_language
from fmrl_robot.planners.saytap_commands import COMMANDS, problems, touchdowns
from fmrl_robot.reproduce.trials.saytap import BEYOND, COMMON, as_sinusoids, sinusoids

GOOD = {
    **dict(enumerate(["stand(0)", *(f"stand(0,up={leg})" for leg in ("FL", "FR", "RL", "RR"))], 1)),
    **dict(enumerate((f"{gait}({speed})" for gait in ("bound", "trot", "pace")
                      for speed in ("0", "0.5", "1", "-0.5", "-1")), 6)),
    21: "trot(0,air)", 22: "trot(0.5,fast=FR)", 23: "stand(0,up=FL,up=RR)",
    24: "trot(0.5,up=RR)", 25: "bound(0.5);pace(0.5)",
}  # fmt: skip
"""A right plan for each command."""


def right(number, plan):
    return not problems(plan, COMMANDS[number - 1].segments)


def test_patterns_say_all_and_sinusoids_what_half_a_cycle_can():
    plans = {number: gait_language.parse(text) for number, text in GOOD.items()}
    assert all(right(number, plan) for number, plan in plans.items())
    said = {number for number, plan in plans.items() if right(number, as_sinusoids(plan))}
    # No leg in the air, no suspension, no sequence; another frequency of one leg it can say.
    assert said == {1, *range(6, 21), 22}


def test_a_choice_of_gaits_reaches_the_first_twenty_and_none_of_the_others():
    choices = ["stand(0)", *(f"stand(0,up={leg})" for leg in ("FL", "FR", "RL", "RR"))]
    choices += [f"{gait}({speed})" for gait, speed in itertools.product(
        ("trot", "pace", "bound"), ("-1", "-0.5", "0", "0.5", "1"))]  # fmt: skip
    plans = [gait_language.parse(text) for text in choices]
    reached = {c.number for c in COMMANDS if any(right(c.number, plan) for plan in plans)}
    assert reached == {*COMMON} and not reached & {*BEYOND}


def test_sinusoids_keep_frequency_and_the_order_of_legs():
    for text, period in (("trot(0.5)", 1), ("pace(1)", 2), ("bound(0)", 1)):
        (subgoal,) = gait_language.parse(text)
        drawn = sinusoids(subgoal.pattern.contacts)
        assert drawn.mean(axis=1) == pytest.approx([0.5] * 4, abs=0.05)
        assert all(touchdowns(row) == period for row in drawn)
        same = (drawn == subgoal.pattern.contacts).mean()
        moved = (np.roll(drawn, drawn.shape[1] // (2 * period), axis=1)
                 == subgoal.pattern.contacts).mean()  # fmt: skip
        assert same > 0.7 > moved
    up = sinusoids(gait_language.parse("stand(0,up=RR)")[0].pattern.contacts)
    assert up.all(), "a foot of no amplitude stands"


EPISODE = {
    "seed": 7, "options": {}, "instruction": "put the red cube in the bowl",
    "goal": ["in(red_cube, bowl)"],
}  # fmt: skip


@pytest.fixture(scope="module")
def once():
    pytest.importorskip("mujoco")
    from fmrl_robot.reproduce.trials.psl import _carry_out

    def carried(**settings):
        model = ScriptedLM({"": "put(red_cube,bowl)"})
        return _carry_out(EPISODE, model, settings)

    return carried


def test_the_whole_does_it_and_its_plan_reversed_does_not(once):
    done, took_s = once()
    assert done and 2.0 < took_s < 10.0
    assert not once(reversed=True)[0]


def test_a_clock_ends_stages_too_soon_or_late(once):
    assert not once(timeout_s=0.3)[0]
    done, took_s = once(timeout_s=5.0)
    assert done and took_s > 10.0


def test_scripted_hands_are_hands(once):
    assert once(scripted=True)[0]


def test_no_plan_is_a_failure_like_another():
    from fmrl_robot.reproduce.trials.psl import _carry_out

    assert not _carry_out(EPISODE, ScriptedLM({"": "refuse(unsafe)"}), {})[0]


def test_flat_rl_learns_is_counted_and_goes_on_where_it_was(tmp_path):
    pytest.importorskip("torch")
    from fmrl_robot.reproduce.trials.psl_flat import flat
    from fmrl_robot.train.state_file import read_plain
    from fmrl_robot.train.trainer import CHECKPOINT

    amounts = {"flat_steps": 384, "flat_envs": 8, "flat_starts": 2}
    told = flat(3, Budget(amounts=amounts, folder=tmp_path))
    assert told.scores == {"success": {"bowl": 0.0}, "bowl": 0.0}
    assert read_plain(tmp_path / "training" / CHECKPOINT)["iteration"] == 2
    lines = []
    again = flat(3, Budget(amounts=amounts, folder=tmp_path, report=lines.append))
    assert again.scores == told.scores and not any("iteration=1/" in line for line in lines)
