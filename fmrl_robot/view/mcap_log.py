"""Writes serialized ROS messages to an MCAP file that any ROS 2 or Foxglove tool opens.

The schema that the format wants beside each channel is spelled out from the message classes
themselves, so that no message definition has to be found on disk.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

_PRIMITIVES = {"boolean": "bool", "octet": "byte", "float": "float32", "double": "float64"}
_FIELD = re.compile(r"^(?:sequence<(?P<item>[^,>]+(?:<\d+>)?)(?:, (?P<bound>\d+))?>|(?P<one>.+))$")


def message_class(name: str) -> Any:
    """The class of ``package/msg/Type``, ``package/Type`` or of an action's feedback message."""
    package, *_, kind = name.split("/")
    messages = importlib.import_module(f"{package}.msg")
    if hasattr(messages, kind):
        return getattr(messages, kind)
    actions = importlib.import_module(f"{package}.action")
    action, _, part = kind.rpartition("_")
    found = getattr(actions, action)
    return found.Impl.FeedbackMessage if part == "FeedbackMessage" else getattr(found, part)


def message_definition(cls: Any) -> str:
    """The ros2msg text of a message class and of all it contains."""
    body, pending = _fields(cls)
    parts, seen = [body], set[str]()
    while pending:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        body, more = _fields(message_class(name))
        parts.append(f"{'=' * 80}\nMSG: {name}\n{body}")
        pending += more
    return "\n".join(parts)


def _fields(cls: Any) -> tuple[str, list[str]]:
    lines: list[str] = []
    nested: list[str] = []
    for field, kind in cls.get_fields_and_field_types().items():
        match = _FIELD.match(kind)
        if match is None:
            raise ValueError(f"expected a field type of rosidl, got {kind!r}")
        array = re.search(r"\[\d*\]$", kind)
        if match["item"]:
            suffix = f"[<={match['bound']}]" if match["bound"] else "[]"
            item = match["item"]
        else:
            suffix = array.group() if array else ""
            item = kind[: -len(suffix)] if suffix else kind
        item = re.sub(r"^(w?string)<(\d+)>$", r"\1<=\2", item)
        if "/" in item:
            nested.append(item)
        lines.append(f"{_PRIMITIVES.get(item, item)}{suffix} {field}")
    return "\n".join(lines), nested


class McapLog:
    """One recording; a full disk loses messages, counted, and never the node."""

    def __init__(self, file: Path) -> None:
        from mcap.writer import Writer

        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream = file.open("wb")
        self._writer = Writer(self._stream)
        self._writer.start(profile="ros2", library="fmrl_robot")
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self.written = 0
        self.dropped = 0

    def add(self, topic: str, kind: str, data: bytes, time_ns: int) -> None:
        """Append one serialized message of type ``package/msg/Type``."""
        try:
            channel = self._channels.get(topic)
            if channel is None:
                channel = self._open(topic, kind)
            self._writer.add_message(channel, log_time=time_ns, publish_time=time_ns, data=data)
        except OSError:
            self.dropped += 1
        else:
            self.written += 1

    def _open(self, topic: str, kind: str) -> int:
        schema = self._schemas.get(kind)
        if schema is None:
            text = message_definition(message_class(kind))
            schema = self._writer.register_schema(kind, "ros2msg", text.encode())
            self._schemas[kind] = schema
        channel = self._writer.register_channel(topic, "cdr", schema)
        self._channels[topic] = channel
        return channel

    def close(self) -> None:
        """Write the index and close the file."""
        try:
            self._writer.finish()
        except OSError:
            self.dropped += 1
        self._stream.close()
