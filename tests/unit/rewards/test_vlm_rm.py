from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.rewards.vlm_rm import VLMRM, WINDOW, opposites, reward
from fmrl_robot.types import Predicate, SubGoal, SubGoalKind, Success

IN_BOWL = SubGoal(
    id="1",
    kind=SubGoalKind.REGION,
    skill="place",
    target="bowl",
    termination=Predicate("in", ("red_cube", "bowl")),
    text="the red cube is in the bowl",
)


def unit(*values):
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


class Oracle:
    """Texts have axes of their own; an image's embedding stands in its first pixels."""

    model_id = "oracle"
    scale_and_bias = (20.0, 0.0)
    axes = ("the red cube is in the bowl", "the red cube is on the table")

    def embed_texts(self, texts):
        eye = np.eye(4, dtype=np.float32)
        return np.stack([eye[self.axes.index(t)] if t in self.axes else eye[3] for t in texts])

    def embed_images(self, images):
        return np.stack([unit(*(image[0, :4, 0].astype(float) + 1e-3)) for image in images])

    def embed_clips(self, clips):
        return np.stack([unit(*self.embed_images(clip).mean(axis=0)) for clip in clips])


def image(*axis):
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[0, :4, 0] = axis
    return picture


DONE, UNDONE, UNSURE = image(9, 0, 0, 1), image(0, 9, 0, 1), image(5, 5, 0, 1)


@pytest.fixture
def model():
    model = VLMRM(Oracle())
    model.reset(IN_BOWL)
    return model


def last(model, picture, times=WINDOW):
    return [model.score([picture])[0] for _ in range(times)][-1]


def test_the_verdict_is_yes_where_the_goal_is_seen(model):
    assert last(model, DONE).success == Success.YES


def test_the_verdict_is_no_where_its_opposite_is_seen(model):
    assert last(model, UNDONE).success == Success.NO


def test_the_verdict_abstains_between_the_two(model):
    assert last(model, UNSURE).success == Success.UNKNOWN


def test_a_few_frames_are_not_enough(model):
    assert last(model, DONE, WINDOW - 1).success == Success.UNKNOWN


def test_one_passing_frame_does_not_turn_the_verdict(model):
    last(model, UNDONE)
    assert model.score([DONE])[0].success != Success.YES


def test_another_subgoal_begins_anew(model):
    last(model, DONE)
    model.reset(IN_BOWL)
    assert model.score([DONE])[0].success == Success.UNKNOWN


def test_without_a_goal_nothing_is_valid():
    assert not VLMRM(Oracle()).score([DONE])[0].valid


def test_the_reward_of_the_goal_itself_is_one():
    goal, baseline = unit(1, 0, 0), unit(0, 1, 0)
    assert reward(goal, goal, baseline, 0.0) == pytest.approx(1.0)
    assert reward(goal, goal, baseline, 1.0) == pytest.approx(1.0)


def test_without_projection_the_reward_is_the_cosine():
    seen, goal = unit(1, 2, 3), unit(3, 1, 0)
    assert reward(seen, goal, unit(0, 1, 0), 0.0) == pytest.approx(float(seen @ goal), abs=1e-6)


def test_full_projection_ignores_what_is_beside_the_line():
    goal, baseline = unit(1, 0, 0), unit(0, 1, 0)
    one = np.array([0.5, 0.5, 0.0])
    other = np.array([0.5, 0.5, 0.7])
    assert reward(one, goal, baseline, 1.0) == pytest.approx(reward(other, goal, baseline, 1.0))


def test_each_kind_of_goal_has_an_opposite():
    for fact in (
        Predicate("held", ("red_cube",)),
        Predicate("in", ("red_cube", "bowl")),
        Predicate("on", ("red_cube", "blue_cube")),
        Predicate("on", ("red_cube", "table")),
        Predicate("open", ("drawer",)),
        Predicate("closed", ("drawer",)),
        Predicate("pressed", ("button",)),
    ):
        goal = SubGoal(id="1", kind=SubGoalKind.REGION, termination=fact)
        assert opposites(goal)
    assert opposites(SubGoal(id="1", kind=SubGoalKind.TEXT, text="dance")) == []


def test_a_goal_beyond_the_taught_sentences_gets_no_score(monkeypatch):
    oracle = Oracle()
    monkeypatch.setattr(oracle, "knows", lambda text: text in Oracle.axes, raising=False)
    model = VLMRM(oracle)
    model.reset(IN_BOWL)
    assert model.score([DONE])[0].valid
    model.reset(replace(IN_BOWL, text="the red cube is in the teapot"))
    out = last(model, DONE)
    assert not out.valid
    assert out.success == Success.UNKNOWN


def test_usage_is_summed_until_someone_asks(model):
    last(model, DONE, 3)
    (usage,) = model.usage()
    assert (usage.role, usage.model, usage.calls) == ("reward", "oracle", 3)
    assert model.usage() == ()


def test_a_calibrated_model_is_believed_only_outside_its_doubt():
    oracle = Oracle()
    oracle.scale_and_bias = (1.0, 0.0)
    oracle.calibration = {IN_BOWL.text: (0.5, 0.2)}
    model = VLMRM(oracle)
    model.reset(IN_BOWL)
    assert last(model, DONE).success == Success.YES
    assert last(model, UNDONE).success == Success.NO
    assert last(model, image(6, 9, 0, 1)).success == Success.UNKNOWN


def test_a_sentence_that_could_not_be_calibrated_gets_no_verdict():
    oracle = Oracle()
    oracle.calibration = {"another sentence": (0.0, 1.0)}
    model = VLMRM(oracle)
    model.reset(IN_BOWL)
    out = last(model, DONE)
    assert out.valid
    assert out.success == Success.UNKNOWN
