"""Ctrl-C where work is worth saving: it waits for the end of a step, a team's helpers hear none.

A terminal sends it to every process of the command at once. Only the one that leads may act on it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from types import FrameType

NOTICE = b"stopping after this iteration, to save it; Ctrl-C again stops at once\n"
_WHICH = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def deferring() -> Generator[Callable[[], bool]]:
    """Let SIGINT, SIGTERM and SIGHUP wait for the end of the block; a second SIGINT does not.

    Gives whether one has come, for the block to end early.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    # A script that runs us in its background leaves SIGINT ignored, nohup SIGHUP; so they stay.
    before = {n: signal.getsignal(n) for n in _WHICH if signal.getsignal(n) != signal.SIG_IGN}
    heard: list[int] = []

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def hear(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and heard:
            restore()
            signal.raise_signal(number)
        elif not heard:
            heard.append(number)
            with suppress(OSError):  # a terminal that was closed hears nothing
                os.write(2, NOTICE)

    for number in before:
        signal.signal(number, hear)
    try:
        yield lambda: bool(heard)
    finally:
        restore()
    if heard:
        signal.raise_signal(heard[0])


@contextmanager
def deaf_children() -> Generator[None]:
    """Start processes that never get a SIGINT; one that comes meanwhile is ours afterwards."""
    # The first process to be spawned starts it, and it unblocks SIGINT before that one is there.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
