"""How the process of a node is asked to end: SIGINT and SIGTERM, heard in order.

rclpy's own handlers wake the executor and end the context after that, in a thread of their own. An
executor that looks in between finds the context alive and waits again, and nobody wakes it any
more: on a busy machine one end in sixty of a node without timers hung. And whatever runs meanwhile
loses its context. Here the wish is noted first and the executor woken after it, and the context
ends where the process does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from threading import Thread
from types import FrameType
from typing import NoReturn

from rclpy.executors import Executor
from rclpy.task import Future

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_S = 0.02
"""After this long a start that could not be cut short where it was is tried again."""


class Ending:
    """While it is entered, from the main thread, a signal ends the process with grace.

    Until ``spin`` a signal raises KeyboardInterrupt where the main thread is: a start is cut short,
    as soon as the thread is outside of rclpy, whose half-built objects crash when they are taken
    down. From then on it lets the callback under way finish. A second signal is no other wish than
    the first: Ctrl-C comes twice, from the terminal and from the launcher.
    """

    def __init__(self) -> None:
        self._at_once = True
        self._asked = False
        self._wish: Future[None] = Future()
        self._ear, self._mouth = socket.socketpair()
        # The handler writes here, and a full buffer must not hold it up.
        self._mouth.setblocking(False)
        self._thread = Thread(target=self._listen, name="ending", daemon=True)

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def __enter__(self) -> Ending:
        for number in SIGNALS:
            signal.signal(number, self._hear)
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Ignored, not handled: the interpreter's last moments belong to no Python code.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        self._mouth.close()
        self._thread.join()
        self._ear.close()

    def spin(self, executor: Executor) -> None:
        """Execute callbacks until a signal comes."""
        self._at_once = False
        executor.spin_until_future_complete(self._wish)

    def begin(self) -> None:
        """From here on a signal interrupts nothing: what is left to do is the end itself."""
        self._at_once = False

    def _hear(self, _: int, frame: FrameType | None) -> None:
        """In the main thread, as soon as that comes to run Python."""
        self._asked = True
        if self._at_once and not _in_rclpy(frame):
            self._at_once = False
            raise KeyboardInterrupt

    def _listen(self) -> None:
        """In a thread of its own, because the main one sleeps in the executor."""
        while numbers := self._ear.recv(64):
            if not any(number in SIGNALS for number in numbers):
                continue
            if not self._wish.done():
                self._wish.set_result(None)
            time.sleep(AGAIN_S)
            if self._at_once:
                os.kill(os.getpid(), signal.SIGINT)


def _in_rclpy(frame: FrameType | None) -> bool:
    """Whether rclpy was called last, by whatever of this project or of the program itself."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module == "rclpy":
            return True
        if module in ("fmrl_nodes", "fmrl_robot", "fmrl_sim", "__main__"):
            return False
        frame = frame.f_back
    return False


def leave(code: int) -> NoReturn:
    """End the process of a node that has closed everything it opened.

    The interpreter would go on to wait for threads, such as one in which a model still thinks, and
    then take libraries down in an order that they do not bear: on a busy machine one end in five
    hundred was a crash there.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)
