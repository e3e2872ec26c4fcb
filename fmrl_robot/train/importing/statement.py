"""What a file from elsewhere says about itself, key by key, and who says it.

What a side file says goes before what the ONNX file says. Every key of the file is read, is known
to say nothing about what the network takes and gives, or is refused by its name: a key that is
passed over may be the one that changes what all others mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.importing.refusal import refused
from fmrl_robot.train.importing.values import listed, number, side_file
from fmrl_robot.types import FloatArray

KEYS = (
    "robot",
    "joint_names",
    "action_joint_names",
    "joint_stiffness",
    "joint_damping",
    "default_joint_pos",
    "action_scale",
    "observation_names",
    "observation_sizes",
    "observation_scales",
    "observation_clips",
    "observation_history_lengths",
    "observation_history_order",
    "command_names",
    "control_dt",
    "quaternion_order",
    "leg_order",
    "max_action_delay_ms",
)
"""What a file or a side file may say."""
IGNORE = "ignore"
"""In a side file: keys of the file that change nothing; who writes it has looked."""
ORDER = "observation_history_order"
FLATTEN = "observation_terms_flatten_history_dim"
"""mjlab's way to say the order of the history, a flag a term."""
SENSOR_BODY = "observation_terms_sensor_body"
"""mjlab's word for the body whose frame a term's sensor measures in, empty without a sensor."""
_SYNONYMS = {
    "observation_terms_scale": "observation_scales",
    "observation_terms_history_length": "observation_history_lengths",
    "observation_terms_clip": "observation_clips",
    "observation_term_clip": "observation_clips",
}
"""Keys of newer versions of mjlab."""
_SAYS_NOTHING = {
    *("run_path", "task", "task_id", "description", "author", "date", "license", "url"),
    *("observation_terms_sensor_name", "observation_terms_sensor_site"),
    *("config_sha256", "evaluation"),
}
"""Where a policy comes from, not what it takes and gives."""
_FLAGS = {
    **dict.fromkeys(("True", "1", "1.0", "1.000"), True),
    **dict.fromkeys(("False", "0", "0.0", "0.000"), False),
}
_OF_TOOLS = ("pkg.", "onnx.")
"""Before the keys that the exporters of torch and onnxruntime leave."""


class Statement:
    """What is said, key by key, and who says it."""

    def __init__(self, metadata: Mapping[str, str], file: Path, side: Path | None) -> None:
        """Read both.

        Args:
            metadata: of the ONNX file.
            file: that file.
            side: YAML that goes before them.

        Raises:
            ConfigError: POLICY_REFUSED or CONFIG_INVALID; one of them cannot be read, or a key
                has one value under its old name and another under its new one.
        """
        self._values: dict[str, list[Any]] = {}
        self.sources: dict[str, str] = {}
        """Who says each key: a file's name, or ``default``."""
        self._unread: dict[str, str] = {}
        self._where = file.name
        for key, value in (side_file(side, (*KEYS, IGNORE)) if side else {}).items():
            where = side.name if side else ""
            if isinstance(value, str):
                value = listed(key, value, where)
            self._values[key] = value if isinstance(value, list) else [value]
            self.sources[key] = where
        self.ignored = _ignored(self._values.pop(IGNORE, []), self.sources.get(IGNORE, ""))
        for key, text in metadata.items():
            self._take(key, text)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def check_all_read(self) -> None:
        """Refuse a key of the file that is neither read nor known to say nothing.

        Raises:
            ConfigError: POLICY_REFUSED; there is one, and no side file says to ignore it.
        """
        for key, text in self._unread.items():
            todo = (
                "if it changes neither what the network takes nor what its output means, list it "
                f"under {IGNORE} in a side file and name that with --contract"
            )
            expected = "nothing, for nothing here reads that key"
            raise refused(f"{key} in {self._where}", expected, text, todo)

    def raw(self, key: str, default: list[Any] | None = None) -> list[Any]:
        """Return the list that stands under a key; ``default``, where nothing does.

        Raises:
            ConfigError: POLICY_REFUSED; nobody says it, and there is no default.
        """
        if key in self._values:
            return self._values[key]
        if default is None:
            todo = f"write {key} into a side file and name it with --contract"
            raise refused(key, "a value", None, todo)
        self.sources[key] = "default"
        return default

    def names(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """Return names, each once.

        Raises:
            ConfigError: POLICY_REFUSED; there is none, or a name stands twice.
        """
        names = tuple(map(str, self.raw(key, default)))
        if len(set(names)) != len(names) or "" in names:
            raise self.refused(key, "names, each of them once", list(names))
        return names

    def numbers(
        self, key: str, size: int, default: float | None = None, *, shared: bool = True
    ) -> FloatArray:
        """Return ``size`` finite numbers; a single one stands for all where it may be ``shared``.

        Raises:
            ConfigError: POLICY_REFUSED; they are fewer or more, or not finite numbers.
        """
        raw = self.raw(key, None if default is None else [default])
        try:
            values = np.array([number(value) for value in raw])
        except ValueError:
            raise self.refused(key, "numbers", raw) from None
        sizes = (1, size) if shared else (size,)
        if len(values) not in sizes or not np.all(np.isfinite(values)):
            raise self.refused(key, f"{size} finite numbers", raw)
        return np.resize(values, size)

    def flags(self, key: str, size: int) -> list[bool]:
        """Return ``size`` answers of yes or no, said as true and false or as 1 and 0.

        Raises:
            ConfigError: POLICY_REFUSED; they are fewer or more, or something else.
        """
        raw = self.raw(key)
        flags = [_FLAGS[str(value)] for value in raw if str(value) in _FLAGS]
        if len(flags) != size or len(raw) != size:
            raise self.refused(key, f"{size} times 0 or 1", raw)
        return flags

    def refused(self, key: str, expected: object, got: object) -> ConfigError:
        """The error for a value; it says where the value stands and how to say another."""
        where = self.sources.get(key, "default")
        say = f"list {key} under {IGNORE} in" if key == SENSOR_BODY else f"write {key} into"
        say = say.replace(FLATTEN, ORDER)
        todo = f"export it anew, or {say} a side file and name it with --contract"
        return refused(f"{key} in {where}", expected, got, todo)

    def _take(self, said: str, text: str) -> None:
        """Take what the file says under a key, unless the side file says otherwise."""
        key = _SYNONYMS.get(said, said)
        if said in self.ignored or said in _SAYS_NOTHING or said.startswith(_OF_TOOLS):
            return
        if key not in (*KEYS, FLATTEN, SENSOR_BODY):
            if text.strip():
                self._unread[said] = text
            return
        before = self.sources.get(key)
        if before not in (None, self._where):
            return
        value = listed(said, text, self._where)
        # A list without elements, under one of two names, says nothing against the other.
        if before and self._values[key] and value and value != self._values[key]:
            raise self.refused(key, "one value", [self._values[key], value])
        self._values[key] = value or self._values.get(key, [])
        self.sources[key] = self._where


def _ignored(keys: list[Any], where: str) -> tuple[str, ...]:
    read = {*KEYS, FLATTEN, *_SYNONYMS}
    if known := [key for key in keys if key in read]:
        raise ConfigError(
            f"expected keys under {IGNORE} in {where} that are not read, got {known[0]!r}; write "
            "its right value instead",
            ErrorCode.CONFIG_INVALID,
        )
    return tuple(map(str, keys))
