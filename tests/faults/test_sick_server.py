"""What docs/models.md promises while the model's server is sick, tried on one whole graph."""

import os
import signal
import time
from contextlib import contextmanager

import fault_server as fs
import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from full_graph import MEASURED, FullGraph, sent_s

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_robot.errors import ErrorCode

pytestmark = pytest.mark.graph

PATIENT = "failures=99"
"""Half a minute for a first token: an answer that a busy machine delays is not asked for again. And
the server is never left alone: that would hide the next fault."""
HURRIED = f"{PATIENT}&first_token_s=1.2&between_tokens_s=1.2"
"""For servers that never answer: three attempts and two pauses take 5.1 s at most."""
END_S = 8.0
"""From the question to the end of the task, with the scene, the check and a busy machine."""
HOLD_S = 2.0
"""A robot is watched for this long at least, and from the start of the task to its end."""
SLOW_S = 60.0
HELD_UP_S = 0.2
"""Whoever waits for a model waits for longer: the shortest pause between two attempts is .25 s."""


class Watch:
    """A graph whose planner asks the server at ``port``, with an eye on commands and facts."""

    def __init__(self, folder, port, settings):
        url = f"http://127.0.0.1:{port}/v1"
        self.port = port
        self.graph = FullGraph("panda", folder, language_model=f"openai:m@{url}?{settings}")
        self.commands, self.facts = [], frozenset()
        subscribe = self.graph.node.create_subscription
        subscribe(fm.JointCommand, "joint_command", self._commanded, MEASURED)
        subscribe(fm.PredicateArray, "ground_truth/predicates", self._true, qos.EVENT)

    def _commanded(self, message, info):
        seen_s = conversions.time_from_msg(message.observation_stamp)
        self.commands.append((sent_s(info), seen_s))

    def _true(self, message):
        self.facts = {(p.name, *p.args) for p in message.predicates if p.value}

    def ready(self):
        """Wait for the graph, let the planner load what it needs, and see how it commands."""
        self.graph.ready()
        with self.serving(fs.answer("refuse(impossible)")):
            result = self.graph.do("fly to the moon")
        assert result.error_code == int(ErrorCode.INSTRUCTION_REFUSED)
        since = time.monotonic()
        self.graph.spin(HOLD_S)
        self.quiet = self.pace(since)
        return self

    def serving(self, *behaviours):
        return fs.serving(*behaviours, port=self.port)

    def pace(self, since):
        called = time.monotonic()
        self.graph.until(lambda: self.commands[-1][0] > called, what="the commands up to now")
        return pace([c for c in self.commands if c[0] > since])

    def assert_unmoved(self, since):
        """The robot has held, nothing stopped it, and commands went on as before."""
        self.graph.spin(max(0.0, since + HOLD_S - time.monotonic()))
        assert self.graph.swing(time.monotonic() - since) < 0.01
        assert self.graph.armed
        assert self.graph.stops == 0
        assert_same_pace(self.quiet, self.pace(since))


def pace(commands):
    """Median and 95th percentile of the time between commands in s, shape (2, 2).

    The columns are the wall clock and the simulated one, which waits for a slow command.
    """
    return np.percentile(np.diff(commands, axis=0), (50, 95), axis=0)


def assert_same_pace(before, during):
    np.testing.assert_allclose(during[:, 1] / before[:, 1], 1.0, atol=0.2)
    median_s, rare_s = during[:, 0]
    # A busy machine delays a command now and then: only a wait for the model is a fault of ours.
    no_wait = median_s < 1.5 * before[0, 0] and rare_s < HELD_UP_S
    assert no_wait, f"{1e3 * before[:, 0]} ms became {1e3 * during[:, 0]} ms"


@contextmanager
def watching(folder, settings):
    with fs.serving(fs.hang()) as server:
        port = server.server_port
    watch = Watch(folder, port, settings)
    try:
        yield watch.ready()
    finally:
        watch.graph.close()


def assert_harmless(watch, behaviour, code, calls, pause_s=0.0):
    """The task ends with its code, the robot holds; as many questions, so far apart and no more."""
    since = time.monotonic()
    with watch.serving(behaviour) as server:
        ending = watch.graph.begin("put the red cube in the bowl")
        watch.graph.until(ending.done, END_S, "the end of the task")
        result = ending.result().result
        assert (result.success, result.error_code) == (False, int(code)), result.error_msg
        watch.assert_unmoved(since)
        assert len(server.bodies) == calls
        assert (np.diff(server.arrivals_s) >= pause_s).all()


def assert_a_good_answer_is_carried_out(watch):
    with watch.serving(fs.answer("put(red_cube,bowl)")):
        result = watch.graph.do("put the red cube in the bowl")
    assert result.success, result.error_msg
    watch.graph.until(lambda: ("in", "red_cube", "bowl") in watch.facts, 5.0, "the cube inside")
    assert watch.graph.stops == 0
    assert watch.graph.outside() == {}


def test_a_server_that_never_answers_ends_the_task_and_moves_nothing(tmp_path):
    slow = fs.answer("put(red_cube,bowl)", delay_s=SLOW_S)
    with watching(tmp_path, HURRIED) as watch:
        assert_harmless(watch, fs.hang(SLOW_S), ErrorCode.MODEL_UNAVAILABLE, 3)
        assert_harmless(watch, slow, ErrorCode.MODEL_UNAVAILABLE, 3)
        assert_a_good_answer_is_carried_out(watch)


# --- servers that do answer ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    with watching(tmp_path_factory.mktemp("sick"), PATIENT) as watch:
        yield watch


BUSY = fs.status(429, headers={"Retry-After": "0.6"})
BUSY_FOR_AN_HOUR = fs.status(429, headers={"Retry-After": "3600"})
OFF_THE_GRAMMAR = fs.answer("Sure! put(red_cube,bowl)")
FAULTS = {
    "429": (BUSY, ErrorCode.MODEL_UNAVAILABLE, 3, 0.6),
    "429 for an hour": (BUSY_FOR_AN_HOUR, ErrorCode.MODEL_UNAVAILABLE, 1, 0.0),
    "500": (fs.status(500), ErrorCode.MODEL_UNAVAILABLE, 3, (0.25, 0.5)),
    "half a stream": (fs.half, ErrorCode.REPAIRS_EXHAUSTED, 3, 0.0),
    "wrong JSON": (fs.wrong_json, ErrorCode.REPAIRS_EXHAUSTED, 3, 0.0),
    # Each of the executive's three questions is repaired twice.
    "off the grammar": (OFF_THE_GRAMMAR, ErrorCode.REPAIRS_EXHAUSTED, 9, 0.0),
}


@pytest.mark.parametrize(("behaviour", "code", "calls", "pause_s"), FAULTS.values(), ids=FAULTS)
def test_a_sick_server_ends_the_task_and_moves_nothing(watch, behaviour, code, calls, pause_s):
    assert_harmless(watch, behaviour, code, calls, pause_s)


@pytest.mark.parametrize("behaviour", [fs.hang(), fs.token_then_hang], ids=["before", "within"])
def test_a_server_killed_at_an_answer_ends_the_task_and_moves_nothing(watch, behaviour):
    since = time.monotonic()
    with watch.serving(behaviour) as server:
        ending = watch.graph.begin("put the red cube in the bowl")
        watch.graph.until(lambda: server.bodies, 5.0, "the question")
        watch.graph.spin(0.3)
        assert not ending.done()
        server.kill()
        watch.graph.until(ending.done, END_S, "the end of the task")
    result = ending.result().result
    assert result.error_code == int(ErrorCode.MODEL_UNAVAILABLE), result.error_msg
    assert "no connection" in result.error_msg
    watch.assert_unmoved(since)


def test_a_server_that_recovers_from_429_is_believed(watch):
    with watch.serving(BUSY, BUSY, fs.answer("press(button)")) as server:
        result = watch.graph.do("press the button")
        assert len(server.bodies) == 3
    assert result.success, result.error_msg
    assert result.plan.status == fm.Plan.VALID
    watch.graph.until(lambda: ("pressed", "button") in watch.facts, 5.0, "a pressed button")
    assert watch.graph.stops == 0


def test_after_all_that_a_good_answer_is_carried_out(watch):
    assert_a_good_answer_is_carried_out(watch)


# --- and the measure itself ----------------------------------------------------------------------


def test_a_controller_that_stutters_is_noticed(watch):
    """Held up for as long as a first retry again and again; simulated time alone hides it."""
    since = time.monotonic()
    controller = watch.graph.launcher.pids["controller_node"]
    for _ in range(10):
        os.kill(controller, signal.SIGSTOP)
        watch.graph.spin(0.25)
        os.kill(controller, signal.SIGCONT)
        watch.graph.spin(0.1)
    with pytest.raises(AssertionError, match="became"):
        assert_same_pace(watch.quiet, watch.pace(since))


def test_a_body_that_falls_silent_is_noticed(watch):
    """Simulated time stands still meanwhile, and would not show it."""
    watch.graph.spin(HOLD_S)
    assert watch.graph.swing(HOLD_S) < 0.01
    body = watch.graph.launcher.pids["sim_node"]
    os.kill(body, signal.SIGSTOP)
    watch.graph.spin(0.6 * HOLD_S)
    os.kill(body, signal.SIGCONT)
    assert watch.graph.swing(HOLD_S) == np.inf


@pytest.mark.parametrize(("median_s", "rare_s"), [(0.025, 0.025), (0.02, 0.04)])
def test_a_slower_or_uneven_pace_in_simulated_time_is_noticed(median_s, rare_s):
    def every(periods_s):
        return pace(np.cumsum(periods_s)[:, None].repeat(2, axis=1))

    good = every(np.full(100, 0.02))
    assert_same_pace(good, every(np.full(60, 0.02)))
    with pytest.raises(AssertionError):
        assert_same_pace(good, every(np.where(np.arange(100) % 10, median_s, rare_s)))
