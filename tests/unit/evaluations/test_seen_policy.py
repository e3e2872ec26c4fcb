"""Policies that learn by what is seen: the evaluation, and what labels are worth."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from fmrl_robot.evaluations import clip_policy
from fmrl_robot.evaluations.seen_policy import SITTING
from fmrl_robot.reproduce.trials import rl_vlm_f
from fmrl_robot.rewards.comparison import Nearer


def test_clip_policy_learns_by_picture_truth_and_nothing_and_judges_by_truth(monkeypatch, capsys):
    monkeypatch.setattr(clip_policy, "GOALS", {"sitting": SITTING})
    assert clip_policy.main(["--episodes", "8", "--judged", "8", "--seed", "1"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]
    assert [row["learned_by"] for row in rows] == ["nothing", "picture", "truth"]
    for row in rows:
        assert row["success"]["n"] == 8 and -1.0 <= row["reward"] <= 1.0
        parts = (row["reward_where_it_holds"], row["reward_where_it_does_not"])
        assert (parts[0] is None) == (row["success"]["successes"] == 0)
        assert (parts[1] is None) == (row["success"]["successes"] == 8)


class Labeller:
    """Right of pairs far apart, wrong of those nearer, silent of the nearest."""

    def compare(self, first, second):
        apart = (second - first)[:, 0]
        label = np.where(np.abs(apart) > 1.5, apart > 0, apart < 0)
        return np.where(np.abs(apart) <= 0.5, Nearer.NEITHER, label)

    def score_steps(self, seen, before):
        return -seen[:, 0], np.ones(len(seen), bool)


def test_labels_are_measured_by_how_far_apart_two_states_are(monkeypatch):
    truth = np.random.default_rng(0).uniform(-2, 2, 200)
    monkeypatch.setattr(rl_vlm_f, "fresh", lambda *_: (truth[:, None], truth))
    told = rl_vlm_f.labels(Labeller(), 200, seed=0)
    assert told["right"] == {"middling": 0.0, "far": 1.0} and told["far right"] == 1.0
    assert told["near abstained"] == 1.0 and told["rank"] == pytest.approx(-1.0)
