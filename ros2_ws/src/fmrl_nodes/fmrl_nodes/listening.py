"""Keeps a message that means nothing from ending a node, and says that it came.

Every subscription of a node passes here, rclpy's own to ``/clock`` included. Only ``BadMessage``,
which conversions raise, is taken for the publisher's fault; any other exception is this program's
own and leaves the callback as it would without.
"""

from __future__ import annotations

import functools
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription
from rosgraph_msgs.msg import Clock

from fmrl_nodes.errors import BadMessage

TELL_EVERY_S = 5.0
"""From one warning about a topic to the next."""
_LONGEST = 300
"""Characters of a reason: it may quote what came, and that may be anything."""


class Listening(Node):
    """Base of a node that outlives what it hears."""

    def __init__(self, name: str, **node_arguments: Any) -> None:
        # First, because rclpy subscribes to /clock while it builds the node.
        self.refused: Counter[str] = Counter()
        self._told_s: dict[str, float] = {}
        super().__init__(name, **node_arguments)

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: Any,
        **arguments: Any,
    ) -> Subscription:
        """Subscribe; what ``callback`` refuses with BadMessage is dropped, counted and told."""
        clock = msg_type is Clock and not arguments.get("raw", False)  # a recorder reads nothing
        sifted = self._sift(topic, _sane(callback) if clock else callback)
        return super().create_subscription(msg_type, topic, sifted, qos_profile, **arguments)

    def _sift(self, topic: str, callback: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(callback)
        def sifted(*message: Any) -> None:
            try:
                callback(*message)
            except BadMessage as error:
                self.refuse(topic, error)

        return sifted

    def refuse(self, topic: str, error: BadMessage) -> None:
        """Count a message that cannot be used; warn, but not of each."""
        self.refused[topic] += 1
        now = time.monotonic()
        if now - self._told_s.get(topic, -math.inf) >= TELL_EVERY_S:
            self._told_s[topic] = now
            self.get_logger().warning(
                f"refused message topic={topic} so_far={self.refused[topic]} "
                f"{str(error)[:_LONGEST]}"
            )


def _sane(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Spare rclpy's own callback, which raises ValueError at a time before the epoch."""

    @functools.wraps(callback)
    def checked(message: Clock) -> None:
        if message.clock.sec < 0 or message.clock.nanosec >= 10**9:
            raise BadMessage(f"expected a time since the epoch, got {message.clock}")
        callback(message)

    return checked
