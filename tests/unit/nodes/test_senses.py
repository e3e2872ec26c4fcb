"""What the planner node knows of the graph: of now, or nothing."""

import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, senses
from fmrl_nodes.errors import BadMessage
from fmrl_nodes.senses import Senses
from fmrl_robot.types import RewardOut, Scene, SubGoal, SubGoalKind, Success

STEP = SubGoal(id="1", kind=SubGoalKind.REGION)


class Topics(dict):
    """In the place of a node: callbacks by topic."""

    def create_subscription(self, _, topic, callback, __):
        self[topic] = callback


@pytest.fixture
def heard():
    topics = Topics()
    return Senses(topics, "front"), topics


def verdict(success=Success.YES, stamp_s=5.0, subgoal_id="1", valid=True):
    return conversions.reward_to_msg(
        RewardOut(value=0.0, success=success, valid=valid, confidence=1.0),
        stamp_s=stamp_s, subgoal_id=subgoal_id, source="r", version="1", staleness_s=0.0,
    )  # fmt: skip


def test_a_scene_counts_from_when_it_is_asked_for(heard):
    known, topics = heard
    asked = time.monotonic()
    assert known.scene(asked, 0.0) is None
    topics["scene"](conversions.scene_to_msg(Scene(stamp_s=1.0, caption="a table")))
    assert known.scene(asked, 1.0).caption == "a table"
    assert known.scene(time.monotonic(), 1.0) is None
    assert known.scene(asked, 1.1) is None  # a picture of before, that came afterwards


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (verdict(), Success.YES),
        (verdict(Success.NO), Success.NO),
        (verdict(Success.UNKNOWN), Success.UNKNOWN),
        (verdict(subgoal_id="2"), Success.UNKNOWN),
        (verdict(valid=False), Success.UNKNOWN),
        (verdict(stamp_s=3.9), Success.UNKNOWN),
    ],
)
def test_a_verdict_counts_for_its_sub_goal_and_for_frames_since_it_began(heard, message, said):
    known, topics = heard
    assert known.verdict(STEP, 4.0) is Success.UNKNOWN
    topics["reward"](message)
    assert known.verdict(STEP, 4.0) is said


def test_a_picture_counts_while_it_is_fresh(heard, monkeypatch):
    known, topics = heard
    assert known.picture() is None
    seen = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    topics["camera/front/image_raw"](conversions.image_to_msg(seen, 1.0, "front"))
    assert np.array_equal(known.picture(), seen)
    monkeypatch.setattr(senses, "PICTURE_AGE_S", 0.0)
    assert known.picture() is None


def test_pictures_are_taken_only_where_a_camera_is_named():
    topics = Topics()
    Senses(topics, "")
    assert set(topics) == {"scene", "reward"}


def test_a_bad_message_is_refused_and_changes_nothing(heard):
    known, topics = heard
    topics["reward"](verdict())
    with pytest.raises(BadMessage):
        topics["reward"](fm.Reward(success=9))
    assert known.verdict(STEP, 4.0) is Success.YES
