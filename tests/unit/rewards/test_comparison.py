import numpy as np
import pytest

from fmrl_robot.rewards.comparison import Nearer, compare, compare_embedded

GOAL = "the drawer is open"


class Model:
    """An image's first two pixels are its place in a space in which the goal is the first axis."""

    model_id = "model"
    scale_and_bias = (10.0, 0.0)

    def __init__(self, calibration=None, taught=(GOAL,)):
        self.calibration = calibration or {}
        self._taught = taught

    def knows(self, text):
        return text in self._taught

    def embed_texts(self, texts):
        return np.array([[1.0, 0.0]] * len(texts), np.float32)

    def embed_images(self, images):
        vectors = np.stack([i[0, :2, 0] for i in images]).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def picture(*axis):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, :2, 0] = axis
    return image


OPEN, SHUT, AJAR = picture(9, 1), picture(1, 9), picture(9, 2)


def test_the_picture_that_shows_the_goal_is_nearer_on_either_side():
    assert compare(Model(), OPEN, SHUT, GOAL).nearer == Nearer.FIRST
    assert compare(Model(), SHUT, OPEN, GOAL).nearer == Nearer.SECOND


def test_it_abstains_where_the_pictures_are_alike():
    answer = compare(Model(), OPEN, AJAR, GOAL)
    assert answer.nearer == Nearer.NEITHER and abs(answer.margin) < answer.doubt


def test_a_wider_doubt_makes_it_abstain_more():
    sure, unsure = Model({GOAL: (0.0, 0.1)}), Model({GOAL: (0.0, 50.0)})
    assert compare(sure, OPEN, AJAR, GOAL).nearer == Nearer.FIRST
    assert compare(unsure, OPEN, SHUT, GOAL).nearer == Nearer.NEITHER


def test_it_says_nothing_of_sentences_that_it_was_not_taught_or_cannot_tell():
    for model in (Model(taught=()), Model({"another sentence": (0.0, 1.0)})):
        answer = compare(model, OPEN, SHUT, GOAL)
        assert answer.nearer == Nearer.NEITHER and answer.reason


def test_pictures_come_in_pairs():
    with pytest.raises(ValueError, match="pairs"):
        from fmrl_robot.rewards.comparison import compare_many

        compare_many(Model(), [OPEN], [SHUT, AJAR], GOAL)


def test_many_pairs_get_the_answers_of_each_alone():
    model = Model()
    first, second = model.embed_images([OPEN, SHUT]), model.embed_images([SHUT, OPEN])
    answers = compare_embedded(model, first, second, GOAL)
    assert [a.nearer for a in answers] == [Nearer.FIRST, Nearer.SECOND]
