"""A signal ends the executor however it is met, and nothing else before."""

import os
import signal
import threading
import types

import pytest

pytest.importorskip("rclpy", reason="needs the ros extra")

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from fmrl_nodes.ending import SIGNALS, Ending

DOMAIN = 68


@pytest.fixture(autouse=True)
def handlers():
    """Give back to pytest what it does with signals."""
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def executor():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    executor = SingleThreadedExecutor(context=context)
    node = Node("asleep", context=context, start_parameter_services=False)
    executor.add_node(node)
    yield executor
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def later(after_s, job, *arguments):
    timer = threading.Timer(after_s, job, arguments)
    timer.start()
    return timer


@pytest.mark.parametrize("number", SIGNALS)
def test_who_is_woken_finds_the_wish_noted(executor, number, monkeypatch):
    """The other order loses the wake-up: the executor looks, finds nothing, and sleeps again."""
    found = []
    wake = executor.wake

    def watched():
        found.append((ending._wish.done(), executor.context.ok()))
        wake()

    monkeypatch.setattr(executor, "wake", watched)
    with Ending() as ending:
        later(0.2, os.kill, os.getpid(), number)
        # Nothing that pytest could raise would wake an executor that sleeps for ever.
        rescue = later(10.0, executor.create_task, executor.shutdown)
        ending.spin(executor)
        rescue.cancel()
        assert ending.asked
    assert found == [(True, True)]


def test_a_signal_before_the_executor_sleeps_is_not_lost(executor):
    with Ending() as ending:
        ending.begin()
        os.kill(os.getpid(), signal.SIGINT)
        ending.spin(executor)


def test_a_start_is_not_cut_short_within_rclpy(monkeypatch):
    """Its half-built context would crash; the signal counts as soon as rclpy returns."""
    calls = []

    def init():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 0.2)
        calls.append("whole")

    inside = types.FunctionType(
        init.__code__, {**globals(), "__name__": "rclpy.context"}, closure=init.__closure__
    )
    with Ending(), pytest.raises(KeyboardInterrupt):
        inside()
        signal.sigtimedwait([], 5.0)
    assert calls == ["whole"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_start_is_cut_short_once(number):
    with Ending() as ending:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
            signal.sigtimedwait([], 5.0)
        os.kill(os.getpid(), number)  # the launcher's, after the terminal's
        assert ending.asked
    os.kill(os.getpid(), number)  # and one that comes after everything


def test_other_signals_are_no_wish_to_end(executor):
    kept = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with Ending() as ending:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not ending._wish.done() and not ending.asked
    finally:
        signal.signal(signal.SIGUSR1, kept)
