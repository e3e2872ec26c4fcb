"""A stranger publishes on ``joint_command`` beside the real controller of a running graph."""

import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from fmrl_msgs import msg as fm
from fmrl_msgs.srv import AcquireLease
from fmrl_nodes import conversions, qos
from fmrl_robot.errors import ErrorCode

pytestmark = pytest.mark.graph


@pytest.fixture
def graph(running):
    running.until(lambda: running.swing() < 0.02, what="the robot holding")
    return running


@pytest.fixture
def stranger(graph):
    publisher = graph.node.create_publisher(fm.JointCommand, "joint_command", qos.JOINT_COMMAND)
    graph.until(lambda: publisher.get_subscription_count() > 0, what="the body")
    yield publisher
    graph.node.destroy_publisher(publisher)


def command(graph, **changes):
    """What would move the robot as far as it can go, if anybody let it."""
    spec = graph.spec
    n = spec.num_joints
    fields = {
        "seq": 10**9,
        "observation_stamp": conversions.time_to_msg(0.0),
        "names": list(spec.joint_names),
        "position": [float(v) for v in spec.upper],
        "velocity": [0.0] * n,
        "effort": [0.0] * n,
        "kp": [float(v) for v in spec.kp],
        "kd": [float(v) for v in spec.kd],
    }
    return fm.JointCommand(**{**fields, **changes})


def refused(graph, code):
    counts = dict(zip(graph.gate.refused_codes, graph.gate.refused_counts, strict=True))
    return counts.get(int(code), 0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lease": "0123456789abcdef"},
        {"position": [float("nan")]},
        {"names": ["elbow"]},
        {"position": [99.0], "lease": "guess"},
    ],
    ids=["no lease", "forged lease", "NaN", "other names", "far away"],
)
def test_a_stranger_moves_nothing_and_the_robot_goes_on(graph, stranger, changes):
    n = graph.spec.num_joints
    changes = {k: v * n if k in ("position", "names") else v for k, v in changes.items()}
    before, began = refused(graph, ErrorCode.LEASE_INVALID), time.monotonic()
    still = graph.states[-1][1]
    for _ in range(100):
        stranger.publish(command(graph, **changes))
        graph.spin(0.01)
    graph.spin(0.3)
    assert refused(graph, ErrorCode.LEASE_INVALID) > before
    assert graph.armed
    assert graph.stops == 0
    moved = np.array([q for at, q in graph.states if at >= began])
    assert np.abs(moved - still).max() < 0.1
    assert graph.outside() == {}


def test_the_lease_is_not_given_to_a_second_commander(graph):
    request = AcquireLease.Request(holder="stranger")
    answer = graph.call(AcquireLease, "acquire_lease", request)
    assert not answer.granted
    assert "controller_node" in answer.message
    graph.spin(0.5)
    assert graph.armed


def test_a_flood_is_safe_whether_or_not_the_controller_is_still_heard(graph, stranger):
    """At worst nothing of the controller gets through: then silence stops the robot, in limits."""
    before = refused(graph, ErrorCode.LEASE_INVALID)
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        stranger.publish(command(graph))
        graph.executor.spin_once(timeout_sec=0.0)
        time.sleep(0.001)
    graph.spin(2.0)
    assert refused(graph, ErrorCode.LEASE_INVALID) > before + 100
    assert graph.outside() == {}
    if not graph.armed:
        assert graph.gate.state == fm.GateState.STOPPED
        assert graph.gate.code in (int(ErrorCode.LEASE_INVALID), int(ErrorCode.COMMAND_SILENCE))
