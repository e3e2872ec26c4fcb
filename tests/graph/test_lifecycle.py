"""How the process of a node ends."""

import subprocess
import sys

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
