"""Writes serialized ROS messages to an MCAP file that any ROS 2 or Foxglove tool opens.

The schema that the format wants beside each channel is spelled out from the message classes
themselves, so that no message definition has to be found on disk.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode

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
    """One recording, whole after every chunk; a full disk loses messages, and never the node.

    The library's writer cannot go on after a failure and leaves half a chunk. It therefore fills
    memory, and each chunk goes to the disk with the end of a file behind it. Where the disk takes
    only a part, the file is cut back to its last whole chunk, and a new writer begins there.
    """

    def __init__(self, file: Path) -> None:
        """Open the file.

        Raises:
            ConfigError: it cannot be opened.
        """
        self._end = _end_of_file()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError as error:
            raise ConfigError(
                f"expected a file that can be written at {file}, got {error}; make room, name "
                "another run_dir, or none to record nothing",
                ErrorCode.WRITE_FAILED,
            ) from error
        self._schemas: dict[str, tuple[int, str]] = {}
        """Number and text by type."""
        self._channels: dict[str, tuple[int, str]] = {}
        """Number and type by topic."""
        self._size = 0
        self._held = 0
        """Messages of the chunk that is being filled."""
        self.written = 0
        """Messages that are on the disk and that any reader finds."""
        self.dropped = 0
        self.error = ""
        """Why messages were lost last."""
        self._begin()
        self._keep()

    def add(self, topic: str, kind: str, data: bytes, time_ns: int) -> None:
        """Append one serialized message of type ``package/msg/Type``."""
        channel, _ = self._channels.get(topic) or self._open(topic, kind)
        self._writer.add_message(channel, log_time=time_ns, publish_time=time_ns, data=data)
        self._held += 1
        self._keep()

    def _begin(self) -> None:
        """Have a writer that goes on behind the last whole chunk."""
        from mcap.writer import Writer

        self._memory = _Memory(self._size)
        output: Any = self._memory
        self._writer = Writer(output)
        self._knows_all = not self._size
        if self._knows_all:
            self._writer.start(profile="ros2", library="fmrl_robot")
        # The chunk that told them may be lost. In this order they get the numbers that they had.
        for kind, (_, text) in self._schemas.items():
            self._writer.register_schema(kind, "ros2msg", text.encode())
        for topic, (_, kind) in self._channels.items():
            self._writer.register_channel(topic, "cdr", self._schemas[kind][0])

    def _open(self, topic: str, kind: str) -> tuple[int, str]:
        if kind not in self._schemas:
            text = message_definition(message_class(kind))
            number = self._writer.register_schema(kind, "ros2msg", text.encode())
            self._schemas[kind] = number, text
        channel = self._writer.register_channel(topic, "cdr", self._schemas[kind][0])
        self._channels[topic] = channel, kind
        self._keep()  # a chunk may be full of definitions; the next message is not in it
        return self._channels[topic]

    def _keep(self) -> None:
        """Put a finished chunk on the disk, or count what it held as lost."""
        if not self._memory.data or self._put(bytes(self._memory.data), self._end):
            return
        self._begin()

    def _put(self, data: bytes, end: bytes) -> bool:
        """Write behind the last whole chunk; where that fails leave the file as it was."""
        try:
            _write_at(self._file, data + end, self._size)
        except OSError as error:
            self.error = error.strerror or repr(error)
            self.dropped, self._held = self.dropped + self._held, 0
            with contextlib.suppress(OSError):  # the device itself is gone; the first error counts
                os.ftruncate(self._file, self._size + bool(self._size) * len(self._end))
                # What stood here before was allocated, and fits here again.
                _write_at(self._file, self._end if self._size else b"", self._size)
            return False
        self.written, self._held = self.written + self._held, 0
        self._size += len(data)
        self._memory.taken()
        return True

    def close(self) -> None:
        """Write the last chunk and the index, and close the file.

        After a loss the file stays without an index, for no writer knows all of its chunks: readers
        go through it in order.
        """
        self._writer.flush()
        self._keep()
        if self._knows_all:
            self._writer.finish()
            self._put(bytes(self._memory.data), b"")
        os.close(self._file)


class _Memory:
    """What the writer has made and the disk does not have yet; to the writer it is the file."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def tell(self) -> int:
        return self._offset + len(self.data)

    def flush(self) -> None:
        """There is nowhere to."""

    def taken(self) -> None:
        """The disk has it."""
        self._offset, self.data = self.tell(), bytearray()


def _end_of_file() -> bytes:
    """The last records of a file without an index."""
    from mcap.data_stream import RecordBuilder
    from mcap.records import DataEnd, Footer
    from mcap.writer import MCAP0_MAGIC

    records = RecordBuilder()
    DataEnd(data_section_crc=0).write(records)
    Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(records)
    return records.end() + MCAP0_MAGIC


def _write_at(file: int, data: bytes, offset: int) -> None:
    """Write all of it: the system may take a part and fail with the next."""
    left = memoryview(data)
    while left:
        count = os.pwrite(file, left, offset)
        left, offset = left[count:], offset + count
