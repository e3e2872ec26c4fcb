"""The controller node against a body played by the test, over real ROS 2."""

import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import itertools

import rclpy
from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteSubGoal
from fmrl_msgs.srv import AcquireLease
from fmrl_nodes import controller_node, conversions, qos
from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import PANDA
from fmrl_robot.types import JointCommand, Outcome

pytestmark = pytest.mark.graph

PLANNER = """
import time, rclpy
from fmrl_msgs.msg import SubGoal
from fmrl_nodes import qos
rclpy.init()
node = rclpy.create_node("planner_node", namespace="{namespace}")
node.create_publisher(SubGoal, "subgoal", qos.SUBGOAL).publish(SubGoal(id="1"))
time.sleep(60)
"""


class Holding:
    """A controller that holds; sub-goals end when the test says so."""

    result = None

    max_delay_s = 0.0

    def accepts(self, subgoal):
        return subgoal.skill == "grasp"

    def start(self, subgoal, state, scene):
        self.result = None

    def step(self, state, scene):
        zero = np.zeros(8)
        return JointCommand(
            seq=0,
            stamp_s=0.0,
            observation_stamp_s=0.0,
            lease="",
            names=PANDA.joint_names,
            position=PANDA.default,
            velocity=zero,
            effort=zero,
            kp=PANDA.kp,
            kd=PANDA.kd,
        )

    def outcome(self):
        return self.result

    def progress(self):
        return 0.25

    def hold(self):
        self.result = None

    def passive(self, state):
        return replace(self.step(state, None), position=state.q)


class Graph:
    """The node in a thread; body and client in the test's own."""

    def __init__(self, monkeypatch, namespace):
        self.namespace = namespace
        self.controller = Holding()
        monkeypatch.setattr(controller_node, "controller_for", lambda *_: self.controller)
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = controller_node.ControllerNode(
            namespace=namespace,
            context=self.context,
            parameter_overrides=[Parameter("robot", value="panda")],
        )
        self.node_executor = SingleThreadedExecutor(context=self.context)
        self.node_executor.add_node(self.node)
        self.node.trigger_configure()
        self.node.trigger_activate()
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

        self.body = rclpy.create_node("body", namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.body)
        self.commands, self.feedback, self.diagnostics = [], [], []
        self.body.create_subscription(
            fm.JointCommand, "joint_command", self.commands.append, qos.JOINT_COMMAND
        )
        self.body.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, 10)
        self.body.create_service(AcquireLease, "acquire_lease", self._grant)
        self.joints = self.body.create_publisher(JointState, "joint_states", qos.SENSOR)
        self.gate = self.body.create_publisher(fm.GateState, "gate_state", qos.EVENT)
        self.client = ActionClient(self.body, ExecuteSubGoal, "execute_subgoal")
        self.running = True
        self.body.create_timer(0.02, self._observe)

    def _spin(self):
        try:
            self.node_executor.spin()
        except rclpy.executors.ExternalShutdownException:
            return

    def _grant(self, request, response):
        response.granted, response.lease = True, "token"
        return response

    def _observe(self):
        if self.running:
            self.joints.publish(
                conversions.joint_state_to_msg(
                    PANDA.joint_names, PANDA.default, np.zeros(8), None, time.time()
                )
            )

    def until(self, done, timeout_s=10.0):
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, "waited in vain"
            self.executor.spin_once(timeout_sec=0.05)

    def send(self, **fields):
        goal = ExecuteSubGoal.Goal(
            subgoal=fm.SubGoal(
                **{"id": "1", "kind": 1, "skill": "grasp", "timeout_s": 30.0, **fields}
            )
        )
        self.until(self.client.server_is_ready)
        sent = self.client.send_goal_async(goal, feedback_callback=self.feedback.append)
        self.until(sent.done)
        return sent.result()

    def result(self, handle, timeout_s=10.0):
        got = handle.get_result_async()
        self.until(got.done, timeout_s)
        return got.result()

    def close(self):
        rclpy.shutdown(context=self.context)
        self.thread.join(5.0)


@pytest.fixture
def graph(monkeypatch, request):
    graph = Graph(monkeypatch, f"/t{abs(hash(request.node.name)) % 10**8}")
    yield graph
    graph.close()


def test_each_observation_is_answered_once_under_the_lease(graph):
    graph.until(lambda: len(graph.commands) > 20)
    seqs = [c.seq for c in graph.commands]
    # The first may be lost while the two find each other; numbers are never used twice.
    assert all(b > a for a, b in itertools.pairwise(seqs))
    assert seqs[-1] - seqs[-10] == 9
    assert {c.lease for c in graph.commands} == {"token"}
    stamps = [conversions.time_from_msg(c.observation_stamp) for c in graph.commands]
    assert len(set(stamps)) == len(stamps)


def test_without_observations_there_is_no_command(graph):
    graph.until(lambda: graph.commands)
    graph.running = False
    end = time.monotonic() + 0.3
    graph.until(lambda: time.monotonic() > end)
    count = len(graph.commands)
    end = time.monotonic() + 0.5
    graph.until(lambda: time.monotonic() > end)
    assert len(graph.commands) == count


def test_a_subgoal_succeeds_with_feedback_on_the_way(graph):
    graph.until(lambda: graph.commands)
    handle = graph.send()
    graph.until(lambda: graph.feedback)
    assert graph.feedback[0].feedback.progress == 0.25
    graph.controller.result = Outcome(success=True)
    result = graph.result(handle)
    assert result.status == GoalStatus.STATUS_SUCCEEDED
    assert result.result.outcome == ExecuteSubGoal.Result.SUCCEEDED


def test_a_second_subgoal_is_refused_while_one_runs(graph):
    graph.until(lambda: graph.commands)
    first = graph.send()
    assert first.accepted
    assert not graph.send(id="2").accepted


def test_a_cancelled_subgoal_says_so(graph):
    graph.until(lambda: graph.commands)
    handle = graph.send()
    cancelled = handle.cancel_goal_async()
    graph.until(cancelled.done)
    result = graph.result(handle)
    assert result.status == GoalStatus.STATUS_CANCELED
    assert result.result.error_code == ErrorCode.SUBGOAL_CANCELLED


def test_what_no_policy_fits_is_refused_with_its_code(graph):
    graph.until(lambda: graph.commands)
    result = graph.result(graph.send(skill="sing"))
    assert result.result.error_code == ErrorCode.NO_POLICY_FITS
    assert "sing" in result.result.error_msg


def test_a_malformed_pattern_is_refused_with_its_code(graph):
    graph.until(lambda: graph.commands)
    pattern = fm.ContactPattern(legs=["FL"], length=3, contacts=[True])
    result = graph.result(graph.send(pattern=pattern))
    assert result.result.error_code == ErrorCode.PLAN_SCHEMA


def test_a_silent_body_ends_the_subgoal(graph):
    graph.until(lambda: graph.commands)
    handle = graph.send()
    graph.running = False
    assert graph.result(handle).result.error_code == ErrorCode.OBSERVATION_STALE


def test_a_gate_stop_ends_the_subgoal(graph):
    graph.until(lambda: graph.commands)
    handle = graph.send()
    graph.gate.publish(fm.GateState(state=fm.GateState.STOPPED, reason="asked to"))
    result = graph.result(handle)
    assert result.result.error_code == ErrorCode.GATE_STOPPED
    assert "asked to" in result.result.error_msg


def test_a_stopped_robot_is_told_nothing_until_rearming_is_asked_for(graph):
    graph.until(lambda: graph.commands)
    graph.gate.publish(fm.GateState(state=fm.GateState.STOPPED, code=411, reason="asked to"))
    graph.until(lambda: graph.node._supervisor.silent)
    end = time.monotonic() + 0.2
    graph.until(lambda: time.monotonic() > end)  # what is under way
    count = len(graph.commands)
    end = time.monotonic() + 0.5
    graph.until(lambda: time.monotonic() > end)
    assert len(graph.commands) == count
    refused = graph.result(graph.send())
    assert refused.result.error_code == ErrorCode.GATE_STOPPED
    graph.gate.publish(fm.GateState(state=fm.GateState.REARMING))
    graph.until(lambda: len(graph.commands) > count + 5)
    assert np.allclose(graph.commands[-1].position, PANDA.default)


def test_a_killed_planner_ends_the_subgoal_within_a_second(graph):
    graph.until(lambda: graph.commands)
    planner = subprocess.Popen([sys.executable, "-c", PLANNER.format(namespace=graph.namespace)])
    try:
        graph.until(lambda: graph.node._planner_seen, 20.0)
        handle = graph.send()
        planner.kill()
        killed = time.monotonic()
        result = graph.result(handle)
    finally:
        planner.kill()
        planner.wait(5.0)
    assert time.monotonic() - killed < 1.0
    assert result.result.error_code == ErrorCode.PLANNER_LOST
    count = len(graph.commands)
    graph.until(lambda: len(graph.commands) > count + 10)


def test_the_node_diagnoses_itself(graph):
    graph.until(lambda: graph.diagnostics)
    status = graph.diagnostics[-1].status[0]
    assert status.name.endswith("controller_node")


def test_the_process_loads_no_torch():
    code = (
        "import sys, fmrl_nodes.controller_node\n"
        "from fmrl_robot.control import controller_for\n"
        "from fmrl_robot.robots import GO2, PANDA\n"
        "controller_for(PANDA), controller_for(GO2)\n"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
