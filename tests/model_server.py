"""``transformers serve`` with a folder's model, on loopback, for tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

START_S = 200.0
"""Its imports alone take a minute where every core is taken."""


@contextmanager
def serving(folder, home):
    """Start the server; yield its process and URL. It keeps what it writes under ``home``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "hub").mkdir()  # its list of models is that of the hub's cache, which has to be there
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [command, "serve", folder, "--host", "127.0.0.1", "--port", str(port),
             "--device", "cpu"],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "OMP_NUM_THREADS": "1"},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        end = time.monotonic() + START_S
        while not _lives(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None and time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.1)
        yield process, f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait(10)


def _lives(url):
    try:
        return urllib.request.urlopen(url, timeout=1).status == 200
    except OSError:
        return False
