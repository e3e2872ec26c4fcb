"""onnxruntime tells its maker nothing: no device id in the home folder, no host looked up.

The kernel watches, for what onnxruntime does it does in native threads: a filter ends the process
that opens an internet socket, as a look-up of a name would. What goes through other sockets, such
as a name service on this machine, the filter does not see.
"""

import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "policies" / "go2-saytap" / "policy.onnx"
NO_INTERNET = """
import ctypes, struct
SOCKET, INTERNET = {socket_call}, (2, 10)  # AF_INET, AF_INET6

def rule(code, value, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, value)

load, equal, give = 0x20, 0x15, 0x06
rules = b"".join([
    rule(load, 0), rule(equal, SOCKET, 0, 3),
    rule(load, 16), rule(equal, INTERNET[0], 2), rule(equal, INTERNET[1], 1),
    rule(give, 0x7FFF0000), rule(give, 0x80000000),  # let it pass; end the process
])

class Program(ctypes.Structure):
    _fields_ = [("rules", ctypes.c_ushort), ("first", ctypes.c_void_p)]

memory = ctypes.create_string_buffer(rules, len(rules))
program = Program(len(rules) // 8, ctypes.addressof(memory))
assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert ctypes.CDLL(None).prctl(22, 2, ctypes.byref(program)) == 0  # PR_SET_SECCOMP, a filter
"""
SESSION = """
import time
import onnxruntime
onnxruntime.InferenceSession({policy!r})
time.sleep({wait_s})
"""


@pytest.fixture
def watched(tmp_path):
    """Run code under the filter with a home of its own; return its exit code and the home."""

    def run(code):
        calls = {"x86_64": 41, "aarch64": 198}
        filtered = NO_INTERNET.format(socket_call=calls[platform.machine()])
        env = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY",)}
        env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "FMRL_FORBID_NETWORK": "1"}
        ran = subprocess.run([sys.executable, "-c", filtered + code], env=env, timeout=60.0)
        return ran.returncode, [p for p in tmp_path.rglob("*") if p.is_file()]

    return run


@pytest.mark.parametrize("module", ["fmrl_robot.control.runner", "fmrl_nodes.controller_node"])
def test_a_process_that_runs_policies_stays_silent(watched, module):
    session = SESSION.format(policy=str(POLICY), wait_s=2.0)
    assert watched(f"import {module}\n{session}") == (0, [])


def test_nobody_loads_onnxruntime_before_it_is_switched_off():
    """Only the package whose first lines switch it off names it."""
    named = re.compile(r"^\s*(?:import|from) onnxruntime", re.MULTILINE)
    for package in ("sim", "ros2_ws/src", "launch", "tools", "bench"):
        for file in (ROOT / package).rglob("*.py"):
            assert not named.search(file.read_text()), file


def test_an_internet_socket_and_a_file_at_home_would_be_seen(watched):
    code, _ = watched("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
    assert code == -signal.SIGSYS
    code, files = watched("open(__import__('os').path.expanduser('~/deviceid'), 'w').close()")
    assert code == 0 and [file.name for file in files] == ["deviceid"]
