"""Bookkeeping of the reward's evaluation, and one real sabotaged run."""

from collections import Counter

from fmrl_robot.evaluations.reward_runs import (
    LAST_FRAMES,
    RewardRun,
    cases,
    holds,
    play,
    steps,
    summary,
)
from fmrl_sim.scenes.tabletop import build


def run(success, verdict, spoilt=""):
    return RewardRun(
        goal="open(drawer)", seed=0, spoilt=spoilt, success=success, verdict=verdict, probability=1
    )


def test_half_of_the_runs_are_sabotaged_and_in_every_way():
    drawn = list(cases(40, 0))
    assert Counter(bool(spoilt) for _, _, spoilt in drawn) == {False: 20, True: 20}
    assert {spoilt for _, _, spoilt in drawn} == {"", "freeze", "drop", "wrong object"}
    assert len({seed for _, seed, _ in drawn}) == 40


def test_the_counts_by_hand():
    runs = [
        run(True, "YES"),
        run(True, "UNKNOWN"),
        run(False, "NO", "freeze"),
        run(False, "YES", "drop"),
        run(True, "YES", "drop"),
    ]
    counts = summary(runs)
    assert (counts["decided"], counts["true_successes"], counts["recognised"]) == (4, 3, 2)
    assert (counts["sabotaged"], counts["sabotaged_called_success"]) == (3, 1)


def test_a_reward_that_always_says_yes_does_not_hold():
    honest = [run(True, "YES")] * 20 + [run(False, "NO", "freeze")] * 20
    gullible = [run(True, "YES")] * 20 + [run(False, "YES", "freeze")] * 20
    silent = [run(True, "UNKNOWN")] * 20 + [run(False, "UNKNOWN", "freeze")] * 20
    assert holds(summary(honest))
    assert not holds(summary(gullible))
    assert not holds(summary(silent))


def test_a_frozen_arm_reaches_nothing_and_leaves_its_last_frames():
    success, last = play(build(), "pressed(button)", 3, "freeze")
    assert not success
    assert len(last.states) == LAST_FRAMES


def test_a_plan_ends_in_its_goal():
    assert steps("in(red_cube, bowl)")[-1].endswith("until in(red_cube, bowl)")
