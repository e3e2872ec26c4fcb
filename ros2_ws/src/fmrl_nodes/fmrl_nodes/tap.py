"""Listens to every topic without decoding it, for the recording, and decodes the few that matter.

One raw subscription a topic serves both: the bytes go to the MCAP file as they came, and to a
handler where one was named. Pictures are recorded compressed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image

from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_robot.view.mcap_log import McapLog, message_class

GLOBAL = ("/clock", "/tf", "/tf_static", "/diagnostics", "/diagnostics_agg", "/rosout")
_SKIPPED = ("parameter_events", "transition_event", "_service_event")
_UNRECORDED = "/film/compressed"
"""Large pictures for people: the video holds them."""
_DEPTH_PER_S = 2.0
"""Depth pictures kept a second: they cost more than everything else and show little more."""


class Tap:
    """The raw subscriptions of one node."""

    def __init__(self, node: FmrlNode, log: McapLog | None) -> None:
        self._node = node
        self._log = log
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._taps: dict[str, Any] = {}
        self._newest_depth: dict[str, float] = {}

    def handle(self, topic: str, handler: Callable[[Any], None]) -> None:
        """Call ``handler(message)`` for each message of a topic, relative to the namespace."""
        self._handlers[self._node.resolve_topic_name(topic)] = handler

    def discover(self) -> None:
        """Subscribe to whatever has appeared since the last call."""
        space = self._node.get_namespace().rstrip("/") + "/"
        for topic, kinds in self._node.get_topic_names_and_types():
            ours = topic.startswith(space) or topic in GLOBAL
            wanted = topic in self._handlers or (
                self._log is not None and not topic.endswith((*_SKIPPED, _UNRECORDED))
            )
            if topic not in self._taps and ours and wanted and len(kinds) == 1:
                self._open(topic, kinds[0])

    def _open(self, topic: str, kind: str) -> None:
        publishers = self._node.get_publishers_info_by_topic(topic)
        if not publishers:
            return
        try:
            cls = message_class(kind)
        except (ImportError, AttributeError):
            self._node.get_logger().warning(f"not recorded: topic={topic} unknown type={kind}")
            self._taps[topic] = None
            return
        profile = _matching([p.qos_profile for p in publishers], image=cls is Image)
        self._taps[topic] = self._node.create_subscription(
            cls, topic, lambda data: self._take(topic, kind, cls, data), profile, raw=True
        )

    def _take(self, topic: str, kind: str, cls: Any, data: bytes) -> None:
        handler = self._handlers.get(topic)
        if cls is Image:
            self._take_image(topic, _decoded(data, Image), handler)
            return
        if self._log is not None and not topic.endswith(_UNRECORDED):
            self._log.add(topic, kind, data, time.time_ns())
        if handler is not None:
            handler(_decoded(data, cls))

    def _take_image(self, topic: str, message: Image, handler: Any) -> None:
        if self._log is not None:
            small = self._compress(topic, message)
            if small is not None:
                self._log.add(
                    f"{topic}/compressed",
                    "sensor_msgs/msg/CompressedImage",
                    serialize_message(small),
                    time.time_ns(),
                )
        if handler is not None:
            handler(message)

    def _compress(self, topic: str, message: Image) -> CompressedImage | None:
        if topic.endswith("/depth") or conversions.is_depth(message):
            picture: Any = conversions.depth_from_msg(message)
            now = time.monotonic()
            if now - self._newest_depth.get(topic, 0.0) < 1.0 / _DEPTH_PER_S:
                return None
            self._newest_depth[topic] = now
            kind, suffix = "16UC1; png compressed mm", ".png"
            picture = np.clip(np.nan_to_num(picture) * 1000.0, 0, 65535).astype(np.uint16)
        else:
            kind, suffix = "rgb8; jpeg compressed bgr8", ".jpg"
            picture = cv2.cvtColor(conversions.color_from_msg(message), cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(suffix, picture)
        if not done:
            return None
        return CompressedImage(header=message.header, format=kind, data=data.tobytes())


def _decoded(data: bytes, cls: Any) -> Any:
    try:
        return deserialize_message(data, cls)
    except RuntimeError as error:  # RMWError, which rclpy keeps to itself
        raise BadMessage(f"expected a serialized {cls.__name__}, got {data[:40]!r}") from error


def _matching(profiles: list[QoSProfile], *, image: bool) -> QoSProfile:
    """A profile that every publisher of the topic satisfies."""
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        depth=5 if image else 100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
