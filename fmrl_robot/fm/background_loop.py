"""One event loop in a thread of its own, so that blocking code can give up on a slow server.

A socket's timeout begins anew with every byte; only a cancelled task ends when its time is over,
whatever the server sends.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def start(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Begin a coroutine; its future may be waited for, or cancelled, from any thread."""
    return asyncio.run_coroutine_threadsafe(work, _loop(os.getpid()))


@cache
def _loop(pid: int) -> asyncio.AbstractEventLoop:
    """The loop of a process; a forked child has none of its parent's threads."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="fm-servers", daemon=True).start()
    return loop
