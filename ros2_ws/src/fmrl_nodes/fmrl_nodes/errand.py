"""Sends goals to an action server from a worker's thread, and waits for what comes of them.

A node's executor never blocks on another node, so whoever waits is a worker; the messages still go
out and come in through the executor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node

CANCEL_EVERY_S = 0.5
"""A request to end may be lost while two nodes are still finding each other: it is repeated."""
_POLL_S = 0.02


def _never_lost(_: float) -> bool:
    return False


class Errand:
    """One action server, seen from a worker's thread."""

    def __init__(self, node: Node, action: Any, name: str) -> None:
        self._node = node
        self.client = ActionClient(node, action, name)

    def run(
        self,
        goal: Any,
        *,
        on_feedback: Callable[[Any], None] | None = None,
        interrupted: Callable[[], bool],
        patience_s: float,
        lost: Callable[[float], bool] = _never_lost,
    ) -> tuple[Any, str]:
        """Have a goal carried out.

        Args:
            goal: of the action.
            on_feedback: called in the executor's thread.
            interrupted: whether it has to end; it is cancelled then.
            patience_s: how long the server may take to appear, to accept, and to end once it was
                cancelled, by the wall.
            lost: whether nothing will come of it any more, told when it began (monotonic, s).

        Returns:
            The result message and nothing, or None and why there is none.
        """
        if not self.client.wait_for_server(patience_s):
            return None, "nobody is listening"
        handle = self._send(goal, on_feedback, patience_s)
        if handle is None or not handle.accepted:
            return None, "it was not accepted"
        answer = self._result_of(handle, interrupted, patience_s, lost)
        return (None, "whoever did it fell silent") if answer is None else (answer.result, "")

    def _result_of(
        self,
        handle: Any,
        interrupted: Callable[[], bool],
        patience_s: float,
        lost: Callable[[float], bool],
    ) -> Any:
        """Wait for the result; None where the server is gone."""
        result = handle.get_result_async()
        asked_to_end: float | None = None
        cancel_at = 0.0
        began = time.monotonic()
        while not result.done():
            time.sleep(_POLL_S)
            now = time.monotonic()
            if (asked_to_end is not None or interrupted()) and now >= cancel_at:
                handle.cancel_goal_async()
                asked_to_end = asked_to_end or now
                cancel_at = now + CANCEL_EVERY_S
            if asked_to_end is not None and now - asked_to_end > patience_s:
                return None
            if not self._node.context.ok() or not self.client.server_is_ready():
                return None  # the server died: nothing will ever end the goal
            if lost(began):
                handle.cancel_goal_async()  # whoever comes round need not go on
                return None
        return result.result()

    def _send(self, goal: Any, on_feedback: Callable[[Any], None] | None, patience_s: float) -> Any:
        """Ask the server; its answer, or None where none comes in time.

        The request leaves from the executor's thread, which also takes the answer: rclpy loses an
        answer that another thread takes while the request is being noted (ros2/rclpy#1123).
        """
        answer: ThreadFuture[Any] = ThreadFuture()

        def take(sent: Any) -> None:
            handle = sent.result()
            if answer.set_running_or_notify_cancel():
                answer.set_result(handle)
            elif handle.accepted:
                handle.cancel_goal_async()  # nobody waits for it any more

        def send() -> None:
            sent = self.client.send_goal_async(goal, feedback_callback=on_feedback)
            sent.add_done_callback(take)

        self._node.executor.create_task(send)
        try:
            return answer.result(patience_s)
        except TimeoutError:
            return None if answer.cancel() else answer.result()
