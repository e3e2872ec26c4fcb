"""Starts the processes of a launch file, watches them, and ends them all, whatever happens.

Each child gets one SIGINT; who does not end within GRACE_S gets SIGTERM, then SIGKILL. Children die
with their launcher even where it is killed, so that no node is left commanding a robot.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

from fmrl_robot.runtime.launch_xml import Process

GRACE_S = 6.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Runs in the child between fork and exec."""
    # Whoever runs us in the background of a script leaves SIGINT ignored, and children inherit it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ask the child alone; kill what it started with it."""
    if how is not signal.SIGKILL:
        child.send_signal(how)
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, how)


class Launcher:
    """The running processes of one launch."""

    def __init__(self, processes: Sequence[Process], grace_s: float = GRACE_S) -> None:
        self._wanted = tuple(processes)
        self._grace_s = grace_s
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._threads: list[int] = []
        self.codes: dict[str, int] = {}
        """Exit codes of those that have ended."""

    def start(self) -> None:
        """Start them all."""
        if threading.current_thread() is not threading.main_thread():
            # The death signal is tied to the thread that forks.
            raise RuntimeError("expected to be started from the main thread")
        for process in self._wanted:
            self._running[process.name] = subprocess.Popen(  # noqa: S603  (from the launch file)
                process.command,
                env={**os.environ, **process.env},
                # A session of its own: Ctrl-C reaches the launcher, which asks each child once.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of those that run."""
        return {name: child.pid for name, child in self._running.items()}

    def poll(self) -> str | None:
        """Collect who has ended; return the name of one whose end ends the rest."""
        fatal = None
        for name, child in list(self._running.items()):
            code = child.poll()
            if code is None:
                continue
            self.codes[name] = code
            del self._running[name]
            wanted = next(p for p in self._wanted if p.name == name)
            if wanted.shutdown_on_exit or code != 0:
                fatal = name
        return fatal

    def wait(self, seconds: float) -> str | None:
        """Watch for a while; return early with the name of one whose end ends the rest."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            fatal = self.poll()
            if fatal is not None or not self._running:
                return fatal
            time.sleep(0.1)
        return None

    def stop(self) -> dict[str, int]:
        """End them all; return every exit code."""
        ways = ((signal.SIGINT, self._grace_s), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
        for how, patience in ways:
            for child in self._running.values():
                _signal(child, how)
            end = time.monotonic() + patience
            while self._running and time.monotonic() < end:
                self.poll()
                time.sleep(0.02)
            if not self._running:
                break
        return dict(self.codes)
