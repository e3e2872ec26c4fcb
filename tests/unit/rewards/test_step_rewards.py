"""What rewards steps in training: VLM-RM's score as its camera has it, RL-VLM-F as it learns."""

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.rewards.comparison import Nearer
from fmrl_robot.rewards.rl_vlm_f import RLVLMF
from fmrl_robot.rewards.vlm_rm import VLMRM
from fmrl_robot.types import SubGoal, SubGoalKind

GOAL = "the drawer is open"
BASELINE = "a drawer"


class Model:
    """A frame's first two pixels are its place, the goal is the first axis."""

    model_id = "model"
    scale_and_bias = (10.0, 0.0)

    def __init__(self, doubt=0.5):
        self.calibration = {GOAL: (5.0, doubt)}

    def knows(self, text):
        return text in (GOAL, BASELINE)

    def embed_texts(self, texts):
        axes = {GOAL: [1.0, 0.0], BASELINE: [0.6, 0.8]}
        return np.array([axes[text] for text in texts], np.float32)

    def embed_images(self, images):
        vectors = np.stack([image[0, :2, 0] for image in images]).astype(np.float32) + 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed_clips(self, clips):
        raise AssertionError("a step shows frames, no clip")


def frames(count, views=1, seed=0):
    rng = np.random.default_rng(seed)
    found = np.zeros((count, views, 2, 2, 3), np.uint8)
    found[:, :, 0, :2, 0] = rng.integers(0, 256, (count, views, 2))
    return found


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_a_step_of_training_scores_what_a_running_robots_camera_scores(alpha):
    seen = frames(20)
    live = VLMRM(Model(), alpha=alpha, baseline=BASELINE)
    live.reset(SubGoal(id="1", kind=SubGoalKind.SKILL, skill="open", text=GOAL))
    wanted = [out.value for out in live.score(list(seen[:, 0]))]
    taught = VLMRM.in_training(GOAL, model=Model(), alpha=alpha, baseline=BASELINE)
    value, known = taught.score_steps(taught.embed({"frame": seen}), None)
    assert value == pytest.approx(wanted, abs=1e-6) and known.all()


def test_several_cameras_come_to_their_mean_or_to_the_least():
    seen = frames(20, views=2)
    one = VLMRM.in_training(GOAL, model=Model(), baseline=BASELINE)
    each = [one.score_steps(one.embed({"frame": seen[:, [v]]}), None)[0] for v in (0, 1)]
    for views, wanted in (("mean", np.mean(each, 0)), ("least", np.min(each, 0))):
        both = VLMRM.in_training(GOAL, model=Model(), baseline=BASELINE, views=views)
        got = both.score_steps(both.embed({"frame": seen}), None)[0]
        assert got == pytest.approx(wanted, abs=1e-6)


def test_versions_tell_apart_what_scores_otherwise():
    made = [
        VLMRM.in_training(GOAL, model=Model(), baseline=BASELINE, **how)
        for how in ({}, {"alpha": 0.5}, {"views": "least"})
    ]
    assert len({reward.version for reward in made}) == 3


@pytest.mark.parametrize("kind", [VLMRM, RLVLMF])
def test_a_goal_that_the_model_was_never_taught_is_refused(kind):
    with pytest.raises(ConfigError, match="was taught") as caught:
        kind.in_training("the moon is blue", model=Model())
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def learned(**settings):
    reward = RLVLMF.in_training(GOAL, model=Model(), pairs=100, **settings)
    seen = reward.embed({"frame": frames(120), "truth": frames(120)[:, 0, 0, :1, 0] / 255.0})
    return reward, seen, reward.learn(seen.reshape(30, 4, -1), np.zeros((30, 4), bool))


def rank(reward, seen):
    return float(np.corrcoef(reward.score_steps(seen, None)[0], seen[:, 0])[0, 1])


def test_nothing_is_known_before_the_first_answers():
    pytest.importorskip("torch")
    reward = RLVLMF.in_training(GOAL, model=Model())
    before = reward.version
    value, known = reward.score_steps(reward.embed({"frame": frames(5)}), None)
    assert not known.any() and len(value) == 5
    taught, seen, _ = learned()
    assert taught.score_steps(seen, None)[1].all() and taught.version != before


@pytest.mark.parametrize(
    "settings", [{}, {"learns": "scores"}, {"labeller": "truth"}, {"abstains": False}]
)
def test_it_learns_the_order_that_the_labeller_tells(settings):
    pytest.importorskip("torch")
    reward, seen, _ = learned(**settings)
    assert rank(reward, seen) > 0.6


def test_it_abstains_within_the_doubt_and_such_pairs_are_left_out():
    pytest.importorskip("torch")
    reward, seen, told = learned()
    label = reward.compare(seen[:60], seen[60:])
    margin = 10.0 * (seen[60:] - seen[:60])[:, 0]
    assert ((label == Nearer.NEITHER) == (np.abs(margin) < 0.5)).all()
    assert 0.0 < told["abstained"] < 1.0
    assert told["pairs"] == pytest.approx(100 * (1.0 - told["abstained"]))


def test_wrong_answers_are_as_many_as_was_asked_for():
    pytest.importorskip("torch")
    reward, seen, _ = learned(labeller="truth", wrong=0.2)
    first, second = np.random.default_rng(3).integers(len(seen), size=(2, 4000))
    label = reward.compare(seen[first], seen[second])
    apart = seen[second, -1] - seen[first, -1]
    said = label != Nearer.NEITHER
    assert float((label[said] != (apart[said] > 0)).mean()) == pytest.approx(0.2, abs=0.03)


def test_what_was_asked_and_learned_comes_back():
    pytest.importorskip("torch")
    from fmrl_robot.train.state_file import packed, unpacked

    reward, seen, _ = learned()
    again = RLVLMF.in_training(GOAL, model=Model(), pairs=100)
    again.load_state_dict(unpacked(*packed(reward.state_dict())))
    assert again.version == reward.version
    for one in (reward, again):
        one.learn(seen.reshape(30, 4, -1), np.zeros((30, 4), bool))
    assert again.version == reward.version


def test_a_running_robot_is_not_watched_by_it():
    with pytest.raises(ConfigError, match="vlm_rm"):
        RLVLMF(vision_model="embedded", baseline="")


@pytest.mark.parametrize("kind", ["similarity", "learned"])
def test_a_step_scores_the_same_in_any_company(kind):
    pytest.importorskip("torch")
    if kind == "learned":
        reward, seen, _ = learned()
    else:
        reward = VLMRM.in_training(GOAL, model=Model(), alpha=0.3, baseline=BASELINE)
        seen = reward.embed({"frame": frames(30)})
    together = reward.score_steps(seen, None)[0]
    alone = [float(reward.score_steps(seen[[i]], None)[0][0]) for i in range(len(seen))]
    assert together == pytest.approx(alone, abs=1e-6)
