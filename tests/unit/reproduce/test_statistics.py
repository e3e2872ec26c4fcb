"""Interquartile means and stratified intervals, by hand and by their laws."""

import numpy as np
import pytest

from fmrl_robot.reproduce.statistics import difference, estimate, iqm, together


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end():
    assert iqm([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0]) == pytest.approx(3.5)
    assert iqm([0.25]) == 0.25


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        told = estimate({task: rng.normal(mean, 1.0, 12) for task, mean in
                         (("a", 0.0), ("b", 0.0), ("c", 0.0))})  # fmt: skip
        covered += told.low <= 0.0 <= told.high
    assert 50 <= covered <= 60


def test_seeds_are_drawn_within_their_task():
    """Tasks that differ and do not scatter leave nothing to chance; pooled they would."""
    scores = {"easy": [0.9, 0.9, 0.9], "mean": [0.5, 0.5, 0.5], "hard": [0.1, 0.1, 0.1]}
    told = estimate(scores)
    assert told.low == told.high == pytest.approx(told.value)
    pooled = estimate({"": [v for of in scores.values() for v in of]})
    assert pooled.high - pooled.low > 0.2


def test_a_difference_is_of_the_two_means_and_wider_than_either():
    rng = np.random.default_rng(3)
    one, other = {"": rng.normal(1.0, 0.1, 10)}, {"": rng.normal(0.4, 0.1, 10)}
    told = difference(one, other)
    assert told.value == pytest.approx(iqm(one[""]) - iqm(other[""]))
    assert told.high - told.low > max(
        estimate(s).high - estimate(s).low for s in (one, other)
    )  # fmt: skip
    back = difference(other, one)
    assert back.value == pytest.approx(-told.value)


def test_one_seed_has_no_interval_and_none_is_refused():
    told = estimate({"a": [0.5], "b": [0.7]})
    assert (told.value, told.low, told.high) == (pytest.approx(0.6), None, None)
    with pytest.raises(ValueError, match="a score of every task"):
        estimate({"a": []})


def test_curves_come_together_where_all_of_them_reach():
    told = together([((0.0, 10.0), (0.0, 1.0)), ((2.0, 8.0), (0.2, 0.8))])
    assert (told["x"][0], told["x"][-1]) == (2.0, 8.0)
    assert told["value"] == pytest.approx([x / 10 for x in told["x"]])
    assert told["low"] == pytest.approx(told["value"])
