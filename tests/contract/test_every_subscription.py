"""No message ends a node or stays in it: a law over every subscription of every node.

The nodes are found by their base, their subscriptions by asking rclpy, so that a new one is put to
the same test without a line here; only a good message of a new type has to be written down.
"""

import importlib
import inspect
import math
import pkgutil
import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from good_messages import GoodMessages
from malformed import Malformer, numbers, poisoned
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.serialization import serialize_message

import fmrl_nodes
from fmrl_nodes import conversions, qos
from fmrl_nodes.gate_client import GateClient
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_nodes.listening import Listening
from fmrl_nodes.monitor_node import MonitorNode
from fmrl_nodes.planner_node import PlannerNode
from fmrl_nodes.scene_node import SceneNode
from fmrl_robot.robots import robot
from fmrl_robot.view.mcap_log import message_class

pytestmark = pytest.mark.graph

DOMAIN = 66
ROUNDS = 60
"""Malformed messages to each subscription, apart from those that every one gets."""
POISONS = (math.nan, math.inf, 1e300)
GARBAGE = (b"", b"x", b"\x00\x01\x00\x00", b"\x00\x01\x00\x00" + b"\xff" * 40)
WAYS = {
    "SceneNode": ({}, {"robot": "go2"}, {"ground_truth_scene": True}),
    "ControllerNode": ({}, {"robot": "go2", "cmd_vel_stamped": True}),
    "PlannerNode": ({"use_sim_time": True, "camera": "front"},),
    "MonitorNode": ({"view_port": 8931}, {"robot": "go2", "view_port": 0}),
    "SimNode": ({"robot": "go2", "camera_hz": 0.0},),
}
"""Parameters under which a node subscribes to other things; any other node is met as it is."""


def node_classes():
    """Every class of a node in the package."""
    for module in pkgutil.iter_modules(fmrl_nodes.__path__):
        for _, cls in inspect.getmembers(
            importlib.import_module(f"fmrl_nodes.{module.name}"), inspect.isclass
        ):
            if issubclass(cls, Node) and cls.__module__ == f"fmrl_nodes.{module.name}":
                yield cls


CASES = [
    (cls, way)
    for cls in sorted(node_classes(), key=lambda c: c.__name__)
    if cls not in (Listening, FmrlNode, GateClient)
    for way in WAYS.get(cls.__name__, ({},))
]


def test_no_node_subscribes_past_the_door():
    assert len(CASES) > 8
    assert all(issubclass(cls, Listening) for cls in node_classes())


class Bench:
    """One node, active, with whatever it needs to hear every topic."""

    def __init__(self, cls, way, folder):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.spec = robot(way.get("robot", "panda"))
        values = dict(way)
        if cls is MonitorNode:
            values["run_dir"] = str(folder)
        if cls is PlannerNode:  # what models answer is tested elsewhere, and loading one takes long
            (folder / "answers.json").write_text('{"": "x"}')
            values["language_model"] = f"scripted:{folder / 'answers.json'}"
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.probe = Node("probe", context=self.context)
        if issubclass(cls, FmrlNode):
            self.node = cls(context=self.context, parameter_overrides=overrides)
        else:
            self.node = self._plain(cls)
        self.executor.add_node(self.node)
        if isinstance(self.node, FmrlNode):
            for transition in (self.node.trigger_configure, self.node.trigger_activate):
                assert transition() == TransitionCallbackReturn.SUCCESS, self.node.failure
        if isinstance(self.node, MonitorNode):
            self._open_taps()
        self.good = GoodMessages(self.spec, self._now_s)

    def _plain(self, cls):
        """A node that takes the default context, which is lent to it."""
        default, rclpy.utilities.g_default_context = (
            rclpy.utilities.g_default_context,
            self.context,
        )
        try:
            return cls("")
        finally:
            rclpy.utilities.g_default_context = default

    def _now_s(self):
        return conversions.time_from_msg(self.node.get_clock().now().to_msg())

    def _open_taps(self):
        """The monitor subscribes to what is published; publish everything it can handle."""
        tap, kinds = self.node._tap, tap_types()
        for topic in tap._handlers:
            leaf = topic.rsplit("/", 1)[-1]
            kind = kinds.get(topic.lstrip("/")) or kinds[leaf]
            self.probe.create_publisher(message_class(kind), topic, qos.EVENT)
        end = time.monotonic() + 20.0
        while not set(tap._handlers) <= set(tap._taps) and time.monotonic() < end:
            self.settle()
            tap.discover()
        assert set(tap._handlers) <= set(tap._taps)

    def subscriptions(self):
        return list(self.node.subscriptions)

    def good_message(self, subscription):
        cls, topic = subscription.msg_type, subscription.topic_name
        if subscription.raw and topic not in self.node._tap._handlers:
            return cls()  # recorded, whatever it says
        return self.good.of(cls, topic)

    def feed(self, subscription, message):
        data = message
        if subscription.raw and not isinstance(message, bytes):
            data = serialize_message(message)
        subscription.callback(data)

    def lend_lease(self):
        """A controller without a lease keeps its commands to itself."""
        if hasattr(self.node, "_lease"):
            self.node._lease = "of this test"

    def settle(self):
        """Let timers run and workers finish."""
        worker = getattr(self.node, "_worker", None)
        end = time.monotonic() + 30.0
        while True:
            self.executor.spin_once(timeout_sec=0.0)
            if worker is None or not worker.busy or time.monotonic() > end:
                break
            time.sleep(0.001)
        for timer in list(self.node.timers):
            timer.callback()

    def close(self):
        if isinstance(self.node, FmrlNode):
            self.node.trigger_deactivate()
            self.node.close()
            self.node.cleanup()
        self.executor.shutdown()
        self.node.destroy_node()
        self.probe.destroy_node()
        rclpy.shutdown(context=self.context)


def tap_types():
    """Types of the topics that the monitor handles, by topic or its last word."""
    return {
        "plan": "fmrl_msgs/msg/Plan",
        "subgoal": "fmrl_msgs/msg/SubGoal",
        "reward": "fmrl_msgs/msg/Reward",
        "fm_usage": "fmrl_msgs/msg/FMUsage",
        "gate_state": "fmrl_msgs/msg/GateState",
        "predicates": "fmrl_msgs/msg/PredicateArray",
        "status": "action_msgs/msg/GoalStatusArray",
        "feedback": "fmrl_msgs/action/ExecuteTask_FeedbackMessage",
        "joint_states": "sensor_msgs/msg/JointState",
        "scene": "fmrl_msgs/msg/Scene",
        "diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
        "image_raw": "sensor_msgs/msg/Image",
        "compressed": "sensor_msgs/msg/CompressedImage",
        "odom": "nav_msgs/msg/Odometry",
        "data": "sensor_msgs/msg/Imu",
    }


@pytest.fixture
def said(monkeypatch):
    """Everything that is published, and the law that none of it is NaN or infinite."""
    messages = []
    publish = Publisher.publish

    def checked(self, message):
        if not isinstance(message, bytes):
            messages.append((self.topic_name.rsplit("/", 1)[-1], message))
            assert all(math.isfinite(v) for v in numbers(message)), message
        publish(self, message)

    monkeypatch.setattr(Publisher, "publish", checked)
    return messages


def ids(case):
    return "-".join([case[0].__name__, *(f"{k}={v}" for k, v in case[1].items())])


@pytest.fixture(params=CASES, ids=ids)
def bench(request, tmp_path):
    bench = Bench(*request.param, tmp_path)
    yield bench
    bench.close()


def test_no_message_ends_a_node_or_stays_in_it(bench, said):
    subscriptions = bench.subscriptions()
    assert subscriptions, "expected a node that listens"
    malformer = Malformer(np.random.default_rng(0))
    for number in range(ROUNDS):
        bench.good.tick()
        bench.lend_lease()
        for subscription in subscriptions:
            cls, good = subscription.msg_type, bench.good_message(subscription)
            if number == 0:
                bench.feed(subscription, cls())
            if number % 5 == 1:  # the round after one of good messages, which things follow
                bench.feed(subscription, poisoned(good, POISONS[number // 5 % len(POISONS)]))
            if number % 3 == 0:
                bench.feed(subscription, malformer.any(cls))
            else:
                bench.feed(subscription, malformer.spoiled(good, number % 3))
            if subscription.raw and number < len(GARBAGE):
                bench.feed(subscription, GARBAGE[number])
            if number % 5 == 0:
                bench.feed(subscription, good)
        bench.settle()
    assert bench.node.refused, "expected some of them to be refused"
    hears_again(bench, subscriptions, said)


def hears_again(bench, subscriptions, said):
    """The node takes good messages afterwards, and acts on them."""
    node = bench.node
    for _ in range(3):  # a clock that was set is believed at the second message
        bench.good.tick()
        before = dict(node.refused)
        said.clear()
        bench.lend_lease()
        for subscription in subscriptions:
            bench.feed(subscription, bench.good_message(subscription))
        bench.settle()
    assert dict(node.refused) == before
    topics = {topic for topic, _ in said}
    if hasattr(node, "_lease"):
        assert "joint_command" in topics
    if isinstance(node, SceneNode):
        assert "scene" in topics
