"""A command as a terminal runs it: a process group of its own that Ctrl-C reaches as a whole."""

import os
import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def in_a_terminal(words):
    """The process of ``fmrl`` with these words, leader of its group; killed at the end."""
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    code += f"from fmrl_robot import cli; raise SystemExit(cli.main({words!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},  # of libraries without a display
    )
    try:
        yield process
    finally:
        process.kill()
