"""How the process of a node ends."""

import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

pytestmark = pytest.mark.graph

FAILS = """
import os, signal, sys
from fmrl_nodes import lifecycle

class Failing(lifecycle.FmrlNode):
    def __init__(self):
        super().__init__("failing")
        self.create_timer(0.05, self.fail)

    def fail(self):
        if {signal}:
            os.kill(os.getpid(), {signal})
        raise RuntimeError("a call into ROS failed")

sys.exit(lifecycle.run(Failing))
"""


@pytest.mark.parametrize(("number", "code"), [(2, 0), (15, 0), (0, 1)])
def test_a_failure_is_a_clean_end_only_where_a_signal_caused_it(number, code):
    """The signal is heard at once, and the context ends a moment later."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", FAILS.format(signal=number)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == code, done.stderr
        assert ("a call into ROS failed" in done.stderr) is (code == 1)


SLEEPS = """
import sys
from fmrl_nodes import lifecycle

class Sleeping(lifecycle.FmrlNode):
    def __init__(self):
        super().__init__("sleeping")
        print("ready", flush=True)

sys.exit(lifecycle.run(Sleeping, [sys.argv[0], "--ros-args", "-p", "autostart:=false"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_node_that_nothing_wakes_ends_by_a_signal(number):
    """How often it did not while rclpy heard the signals, bench/ends.py tells: one in sixty."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, told


FINISHES = """
import os, signal, sys, time
from fmrl_nodes import lifecycle

class Finishing(lifecycle.FmrlNode):
    def __init__(self):
        super().__init__("finishing")
        if "start" in sys.argv:
            self.work()
        self.create_timer(0.05, self.work)

    def work(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        print("finished", flush=True)

sys.exit(lifecycle.run(Finishing))
"""


@pytest.mark.parametrize(("where", "finished"), [("spin", True), ("start", False)])
def test_ctrl_c_cuts_a_start_short_and_lets_a_callback_finish(where, finished):
    done = subprocess.run(
        [sys.executable, "-c", FINISHES, where], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert ("finished" in done.stdout) is finished


def test_a_missing_profile_of_the_middleware_is_told_before_anybody_is_called(monkeypatch):
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", "/nowhere/OFF.xml")
    words = [sys.executable, "-m", "fmrl_nodes.monitor_node"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "/nowhere/OFF.xml" in done.stderr and "LOCALHOST or SUBNET" in done.stderr
