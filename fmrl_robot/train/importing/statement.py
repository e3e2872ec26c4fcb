"""Reads single values of what a file from elsewhere says: text of either kind, or YAML.

mjlab and motion_tracking_controller write lists as text between commas, numbers with three
decimals, counts too; one number where a scale is shared. This project writes JSON. A side file has
YAML's own lists. What the side file says goes before what the ONNX file says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.importing.refusal import refused
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
    "observation_history_lengths",
    "command_names",
    "control_dt",
    "quaternion_order",
    "leg_order",
    "max_action_delay_ms",
)
"""What a side file may say."""
_SYNONYMS = {
    "observation_terms_scale": "observation_scales",
    "observation_terms_history_length": "observation_history_lengths",
}
"""Keys of newer versions of mjlab."""
_CLIP = "observation_terms_clip"


class Statement:
    """What is said, key by key, and who says it."""

    def __init__(self, metadata: Mapping[str, str], file: Path, side: Path | None) -> None:
        """Read both.

        Raises:
            ConfigError: POLICY_REFUSED or CONFIG_INVALID; the side file cannot be read, or the
                file asks for what is not done here.
        """
        self._values: dict[str, list[Any]] = {}
        self.sources: dict[str, str] = {}
        """Who says each key: a file's name, or ``default``."""
        for key, text in metadata.items():
            key = _SYNONYMS.get(key, key)
            if key in KEYS:
                self._values[key], self.sources[key] = _listed(key, text, file.name), file.name
        if _CLIP in metadata and any(np.isfinite(_floats_in(metadata[_CLIP]))):
            todo = "clip inside of the network and export anew"
            raise refused(f"{_CLIP} in {file.name}", "infinite bounds", metadata[_CLIP], todo)
        for key, value in (_side_file(side) if side else {}).items():
            where = side.name if side else ""
            if isinstance(value, str):
                value = _listed(key, value, where)
            self._values[key] = value if isinstance(value, list) else [value]
            self.sources[key] = where

    def __contains__(self, key: str) -> bool:
        return key in self._values

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

    def numbers(self, key: str, size: int, default: float | None = None) -> FloatArray:
        """Return ``size`` finite numbers; a single one stands for all.

        Raises:
            ConfigError: POLICY_REFUSED; they are fewer or more, or not finite numbers.
        """
        raw = self.raw(key, None if default is None else [default])
        try:
            values = np.array([float(value) for value in raw])
        except (TypeError, ValueError):
            raise self.refused(key, "numbers", raw) from None
        if len(values) not in (1, size) or not np.all(np.isfinite(values)):
            raise self.refused(key, f"{size} finite numbers", raw)
        return np.resize(values, size)

    def refused(self, key: str, expected: object, got: object) -> ConfigError:
        """The error for a value; it says where the value stands and how to say another."""
        where = self.sources.get(key, "default")
        todo = f"export it anew, or write {key} into a side file and name it with --contract"
        return refused(f"{key} in {where}", expected, got, todo)


def _listed(key: str, text: str, where: str) -> list[Any]:
    """Read JSON, or values between commas, as a list."""
    if not text.strip():
        return []
    try:
        values: list[Any] = json.loads(f"[{text}]")
    except json.JSONDecodeError:
        if text.lstrip()[:1] in ("[", "{", '"'):
            todo = f"write {key} into a side file and name it with --contract"
            raise refused(f"{key} in {where}", "JSON or text between commas", text, todo) from None
        return [word.strip() for word in text.split(",")]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _floats_in(text: str) -> list[float]:
    words = text.replace("[", " ").replace("]", " ").replace(",", " ").split()
    try:
        return [float(word) for word in words if word != "None"]
    except ValueError:
        return []


def _side_file(side: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(side.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"expected a side file of YAML at {side}, got {error}; see docs/policies.md",
            ErrorCode.CONFIG_INVALID,
        ) from None
    unknown = sorted(map(str, set(values) - set(KEYS))) if isinstance(values, dict) else [values]
    if unknown or not isinstance(values, dict):
        raise ConfigError(
            f"expected keys among {', '.join(KEYS)} in {side}, got {unknown!r}; see "
            "docs/policies.md",
            ErrorCode.CONFIG_INVALID,
        )
    return {str(key): value for key, value in values.items()}
