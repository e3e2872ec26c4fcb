"""Slow jobs (language and vision models, motion planning) beside a node's executor.

The executor never waits for a model: it hands the job over, goes on, and is woken by a guard
condition when the answer is there, so that the answer is handled in the executor's own thread.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rclpy.node import Node


class Worker:
    """One background thread whose results come back as callbacks of the node."""

    def __init__(self, node: Node, name: str = "worker") -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._done: queue.SimpleQueue[tuple[Callable[[Future[Any]], None], Future[Any]]] = (
            queue.SimpleQueue()
        )
        self._node = node
        self._wake = node.create_guard_condition(self._drain)
        self._pending = 0

    @property
    def busy(self) -> bool:
        """Whether a job is waiting, running, or finished but not yet handled."""
        return self._pending > 0

    def submit(
        self, job: Callable[..., Any], *args: Any, done: Callable[[Future[Any]], None]
    ) -> Future[Any]:
        """Run ``job(*args)`` in the thread, then ``done(future)`` in the node's executor.

        Call it from the executor's thread. ``done`` is always called, also when the job raised or
        was cancelled: ask the future.
        """
        self._pending += 1
        future = self._pool.submit(job, *args)
        future.add_done_callback(lambda finished: self._finish(done, finished))
        return future

    def _finish(self, done: Callable[[Future[Any]], None], future: Future[Any]) -> None:
        self._done.put((done, future))
        # The context may be gone when a job ends during shutdown; nobody waits for it then.
        if self._node.context.ok():
            self._wake.trigger()

    def _drain(self) -> None:
        while not self._done.empty():
            done, future = self._done.get()
            self._pending -= 1
            done(future)

    def close(self) -> None:
        """Take no more jobs and drop the waiting ones; a running one ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
