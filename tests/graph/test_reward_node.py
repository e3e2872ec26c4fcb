"""The reward node as a process: frames in, scores out, and nothing pretended."""

import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from sensor_msgs.msg import Image

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_nodes.reward_node import RewardNode
from fmrl_robot.registry import REWARDS
from fmrl_robot.types import Predicate, RewardOut, SubGoal, SubGoalKind

pytestmark = pytest.mark.graph

NAMESPACE = "reward_test"
START_S = 60.0
KNOWN = SubGoal(
    id="known",
    kind=SubGoalKind.REGION,
    termination=Predicate("in", ("red_cube", "bowl")),
    text="the red cube is in the bowl",
)
UNKNOWN = SubGoal(id="unknown", kind=SubGoalKind.TEXT, text="make the robot happy")


class Bench:
    """Plays camera and planner; collects what the node says."""

    def __init__(self):
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node("bench", namespace=NAMESPACE, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.rewards, self.usages = [], []
        self.goals = self.node.create_publisher(fm.SubGoal, "subgoal", qos.SUBGOAL)
        self.camera = self.node.create_publisher(Image, "camera/front/image_raw", qos.SENSOR)
        self.node.create_subscription(fm.Reward, "reward", self.rewards.append, qos.EVENT)
        self.node.create_subscription(fm.FMUsage, "fm_usage", self.usages.append, qos.EVENT)
        self.pixels = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)

    def show(self, age_s=0.0):
        stamp = self.node.get_clock().now().nanoseconds * 1e-9 - age_s
        self.camera.publish(conversions.image_to_msg(self.pixels, stamp, "front"))

    def until(self, condition, timeout_s, age_s=0.0):
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            self.show(age_s)
            pause = time.monotonic() + 0.1
            while time.monotonic() < pause:
                self.executor.spin_once(timeout_sec=0.05)
        return condition()

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture(scope="module")
def bench():
    bench = Bench()
    process = subprocess.Popen(
        [sys.executable, "-m", "fmrl_nodes.reward_node", "--ros-args", "-r", f"__ns:=/{NAMESPACE}"]
    )
    bench.goals.publish(conversions.subgoal_to_msg(KNOWN, stamp_s=0.0))
    try:
        assert bench.until(lambda: bench.rewards, START_S)
        yield bench
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        bench.close()


def ask(bench, goal, age_s=0.0):
    bench.goals.publish(conversions.subgoal_to_msg(goal, stamp_s=0.0))
    bench.rewards.clear()
    assert bench.until(lambda: sum(r.subgoal_id == goal.id for r in bench.rewards) > 3, 20.0, age_s)
    return bench.rewards[-1]


def test_a_taught_goal_is_scored_and_its_cost_reported(bench):
    answer = ask(bench, KNOWN)
    assert answer.valid
    assert answer.source == "vlm_rm"
    assert 0.0 <= answer.staleness_s < 1.0
    assert bench.until(lambda: bench.usages, 5.0)
    assert bench.usages[-1].role == "reward"


def test_a_goal_never_taught_gets_no_score(bench):
    answer = ask(bench, UNKNOWN)
    assert not answer.valid
    assert answer.success == fm.Reward.UNKNOWN


def test_a_late_frame_says_nothing_about_now(bench):
    answer = ask(bench, KNOWN, age_s=3.0)
    assert not answer.valid
    assert answer.success == fm.Reward.UNKNOWN


class Slow:
    """A reward that is told when to answer, and says which goal it answered for."""

    version = "slow"

    def __init__(self, **_):
        self.goal, self.asked, self.go = "", threading.Event(), threading.Event()

    def reset(self, subgoal):
        self.goal = subgoal.text

    def score(self, images):
        value = len(self.goal)
        self.asked.set()
        assert self.go.wait(10.0)
        return [RewardOut(value=value) for _ in images]


def test_a_score_for_the_last_task_is_not_taken_for_one_of_the_next(monkeypatch):
    """Both tasks call their first sub-goal 1."""
    slow = Slow()
    monkeypatch.setattr(REWARDS, "load", lambda _: lambda **_: slow)
    bench, published = Bench(), []
    frame = conversions.image_to_msg(np.zeros((4, 4, 3), np.uint8), 0.0, "front")
    node = RewardNode(context=bench.context, namespace="slow_reward_test")

    def begin(text):
        node._on_subgoal(conversions.subgoal_to_msg(replace(KNOWN, id="1", text=text)))

    def spin_until(done):
        end = time.monotonic() + 10.0
        while not done():
            assert time.monotonic() < end
            bench.executor.spin_once(timeout_sec=0.05)

    try:
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
        node._publisher = type("Publisher", (), {"publish": staticmethod(published.append)})()
        bench.executor.add_node(node)
        begin("long ago")
        spin_until(lambda: not node._worker.busy)
        node._on_image(frame)
        assert slow.asked.wait(10.0)
        begin("now")
        slow.go.set()
        spin_until(lambda: not node._worker.busy)
        node._on_image(frame)
        spin_until(lambda: published)
        assert [r.value for r in published] == [len("now")]
    finally:
        slow.go.set()
        node.close()
        node.destroy_node()
        bench.close()
