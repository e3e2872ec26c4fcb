"""Bradley-Terry: order from comparisons, abstentions that are no answers, the same bits again."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmrl_robot.rewards.preferences import (  # noqa: E402
    ABSTAINED,
    EnsembleConfig,
    PreferenceEnsemble,
)  # fmt: skip
from fmrl_robot.train.state_file import packed, unpacked  # noqa: E402

DIM = 4
CONFIG = EnsembleConfig(hidden=(16,), passes=40)


def pairs(count=300, steps=1, seed=0):
    """Segments whose worth is the sum of the first number."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, count, steps, DIM)).astype(np.float32)
    worth = [segment[..., 0].sum(-1) for segment in (first, second)]
    return first, second, (worth[1] > worth[0]).astype(int)


def correlation(ensemble, seed=9):
    seen = np.random.default_rng(seed).normal(size=(400, DIM)).astype(np.float32)
    return float(np.corrcoef(ensemble.score(seen), seen[:, 0])[0, 1])


@pytest.mark.parametrize("steps", [1, 5])
def test_comparisons_give_back_the_order_of_single_steps(steps):
    ensemble = PreferenceEnsemble(DIM, CONFIG, seed=0)
    told = ensemble.fit(*pairs(steps=steps))
    assert correlation(ensemble) > 0.8 and told["told_right"] > 0.9
    assert np.abs(ensemble.score(np.ones((3, DIM)) * 50)).max() <= 1.0


def test_answers_that_say_nothing_teach_nothing_and_turned_ones_the_contrary():
    first, second, label = pairs()
    blind = np.random.default_rng(1).permutation(label)
    for told, wanted in ((blind, 0.0), (1 - label, -0.9)):
        ensemble = PreferenceEnsemble(DIM, CONFIG, seed=0)
        ensemble.fit(first, second, told)
        assert correlation(ensemble) == pytest.approx(wanted, abs=0.35)


def test_an_abstention_is_left_out_and_is_neither_a_no_nor_a_draw():
    first, second, label = pairs()
    known = PreferenceEnsemble(DIM, CONFIG, seed=0)
    known.fit(first, second, label)
    more = [np.concatenate([part, part[:100] * 7.0]) for part in (first, second)]
    silent = PreferenceEnsemble(DIM, CONFIG, seed=0)
    told = silent.fit(*more, np.concatenate([label, np.full(100, ABSTAINED)]))
    assert told["pairs"] == len(label) and silent.version == known.version


def test_abstentions_alone_change_nothing():
    ensemble = PreferenceEnsemble(DIM, CONFIG, seed=0)
    before = ensemble.version
    first, second, label = pairs()
    assert ensemble.fit(first, second, np.full_like(label, ABSTAINED))["pairs"] == 0
    assert ensemble.version == before


def test_scores_are_learned_as_well():
    first, _, _ = pairs()
    ensemble = PreferenceEnsemble(DIM, CONFIG, seed=0)
    ensemble.fit_scores(first[:, 0], np.tanh(first[:, 0, 0]))
    assert correlation(ensemble) > 0.9


def test_members_differ_where_nothing_was_told():
    ensemble = PreferenceEnsemble(DIM, CONFIG, seed=0)
    ensemble.fit(*pairs())
    near, far = (np.random.default_rng(2).normal(size=(200, DIM)) * k for k in (0.3, 8.0))
    assert ensemble.scores(far).std(0).mean() > ensemble.scores(near).std(0).mean()


def test_it_goes_on_from_its_state_to_the_very_same_bits():
    ensemble, other = (PreferenceEnsemble(DIM, CONFIG, seed=seed) for seed in (0, 5))
    ensemble.fit(*pairs())
    other.load_state_dict(unpacked(*packed(ensemble.state_dict())))
    assert other.version == ensemble.version
    for one in (ensemble, other):
        one.fit(*pairs(seed=3))
    assert other.version == ensemble.version
