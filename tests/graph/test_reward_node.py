"""The reward node as a process: frames in, scores out, and nothing pretended."""

import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_robot.types import Predicate, SubGoal, SubGoalKind

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
