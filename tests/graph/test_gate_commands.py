"""``fmrl stop``, ``fmrl rearm`` and ``fmrl ask`` against a body played by the test, over ROS 2."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from gate_line import good
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_nodes import ask, qos, rearm, sim_messages, stop
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate, State

pytestmark = [pytest.mark.graph, pytest.mark.timeout(60)]


class Body:
    """A gate with its services, and a commander who speaks where it is told to."""

    def __init__(self, namespace):
        self.gate, self.commanded, self.seq = Gate(PANDA), True, 0
        self.gate.observe(PANDA.default)
        _, self.lease, _ = self.gate.acquire("/controller_node")
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("body", namespace=namespace, context=self.context)
        self.publisher = self.node.create_publisher(fm.GateState, "gate_state", qos.EVENT)
        self.node.create_service(Trigger, "stop", self._on_stop)
        self.node.create_service(Trigger, "gate/rearm", self._on_rearm)
        self.node.create_timer(0.02, self._tick)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

    def _spin(self):
        try:
            self.executor.spin()
        except ExternalShutdownException:
            return

    def _on_stop(self, _, response):
        self.gate.stop("asked to stop by the service")
        response.success, response.message = True, "stopping: brake_and_hold"
        return response

    def _on_rearm(self, _, response):
        response.success, response.message = self.gate.rearm()
        return response

    def _tick(self):
        now = time.monotonic()
        if self.commanded and self.gate.state is not State.STOPPED:
            self.seq += 1
            self.gate.submit(good(PANDA, self.seq, now, self.lease), now)
        self.gate.tick(now)
        self.publisher.publish(sim_messages.gate_to_msg(self.gate.status(), now))

    def wait_for(self, state):
        end = time.monotonic() + 5.0
        while self.gate.state is not state:
            assert time.monotonic() < end, f"waited in vain for {state!r}"
            time.sleep(0.01)

    def close(self):
        rclpy.shutdown(context=self.context)
        self.thread.join(5.0)


@pytest.fixture
def namespace(request):
    return f"/t{abs(hash(request.node.name)) % 10**8}"


@pytest.fixture
def body(namespace):
    body = Body(namespace)
    yield body
    body.close()


@pytest.mark.parametrize("command", [stop, rearm])
def test_without_a_graph_it_says_so_and_names_what_it_looked_for(command, namespace, capsys):
    assert command.main(["--namespace", namespace, "--ready", "0.5"]) == 2
    said = capsys.readouterr().out
    assert "is a graph up" in said and namespace in said


def test_stop_stops_and_says_how_to_go_on_and_rearm_does(body, namespace, capsys):
    assert stop.main(["--namespace", namespace]) == 0
    assert body.gate.state is State.STOPPED
    said = capsys.readouterr().out
    assert "brake_and_hold" in said and "fmrl rearm" in said
    assert rearm.main(["--namespace", namespace]) == 0
    assert body.gate.state is State.ARMED
    assert "asked to stop by the service" in capsys.readouterr().out


def test_ask_says_at_once_that_the_robot_is_stopped_by_whom_and_why(body, namespace, capsys):
    body.gate.stop("asked to stop by the service")
    began = time.monotonic()
    assert ask.main(["put it away", "--namespace", namespace]) == 1
    assert time.monotonic() - began < 10.0, "it does not wait for what nobody will do"
    said = capsys.readouterr().out
    assert "somebody stopped the robot (411: asked to stop by the service)" in said
    assert "fmrl rearm" in said and "is a graph up" not in said


def test_ask_lifts_a_silence_where_it_may_and_nothing_else(body, namespace, capsys):
    body.wait_for(State.ARMED)
    body.commanded = False
    body.wait_for(State.STOPPED)
    assert ask.main(["put it away", "--namespace", namespace]) == 1
    assert "/controller_node commanded (410: no command for 0.1 s)" in capsys.readouterr().out
    body.commanded = True
    # No planner is up, so it does not get any further than an armed robot.
    given = ["put it away", "--namespace", namespace, "--rearm", "--ready", "3"]
    assert ask.main(given) == 2
    assert body.gate.state is State.ARMED


def test_rearming_a_robot_that_nobody_commands_is_given_up(body, namespace, capsys):
    body.gate.stop()
    body.commanded = False
    assert rearm.main(["--namespace", namespace, "--timeout", "0.5"]) == 1
    assert "is the commander, /controller_node, up?" in capsys.readouterr().out
    body.commanded = True
    time.sleep(1.5)
    assert body.gate.state is State.STOPPED, "who comes later moves nothing"


def test_a_refused_command_is_why_it_is_not_armed(body, namespace, capsys):
    body.gate.stop()
    body.gate.observe(PANDA.default + np.array([0.5, *[0.0] * 7]))
    assert rearm.main(["--namespace", namespace]) == 1
    assert "405: expected panda_joint1 to move its target by at most 0.06, got 0.5" in (
        capsys.readouterr().out
    )


def test_an_armed_robot_needs_no_rearming(body, namespace):
    assert rearm.main(["--namespace", namespace]) == 0
