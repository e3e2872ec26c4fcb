"""From text to values: what exporters write under a key, and what stands in a side file.

mjlab writes lists as text between commas, lists within them between semicolons (before that as
Python prints them, ``[-inf, inf]``), numbers with three decimals; this project writes JSON; a side
file is YAML. What is none of these is refused, and nothing is read as something else: true is no
number, and a key that stands twice has no value.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.importing.refusal import refused

_PYTHON = {"inf": "Infinity", "nan": "NaN", "None": "null", "True": "true", "False": "false"}
"""How Python prints what JSON calls otherwise."""
_WORDS = re.compile(rf"\b({'|'.join(_PYTHON)})\b")


def listed(key: str, text: str, where: str) -> list[Any]:
    """Read a value of metadata as a list, lists within it as lists.

    Raises:
        ConfigError: POLICY_REFUSED; it is neither JSON nor text between commas.
    """
    if not text.strip():
        return []
    values = _json(text)
    if values is None:
        if text.lstrip()[:1] in ("[", "{", '"'):
            todo = f"write {key} into a side file and name it with --contract"
            raise refused(f"{key} in {where}", "JSON or text between commas", text, todo)
        return [_entry(word) for word in text.split(",")]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def number(value: object) -> float:
    """Return a number, or text that is one; finite or not.

    Raises:
        ValueError: it is something else; true and false too, which float() takes for 1 and 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"expected a number, got {value!r}")
    return float(value)


def side_file(file: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """Read a side file.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be read, says a key twice, or one that is not among
            ``keys``.
    """
    try:
        values: object = yaml.load(file.read_text("utf-8"), _Once)  # noqa: S506  (a safe loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"expected a side file of YAML at {file}, got {error}; see docs/policies.md",
            ErrorCode.CONFIG_INVALID,
        ) from None
    unknown = sorted(map(str, set(values) - set(keys))) if isinstance(values, dict) else [values]
    if unknown or not isinstance(values, dict):
        raise ConfigError(
            f"expected keys among {', '.join(keys)} in {file}, got {unknown!r}; see "
            "docs/policies.md",
            ErrorCode.CONFIG_INVALID,
        )
    return {str(key): value for key, value in values.items()}


class _Once(yaml.SafeLoader):
    """YAML in which a key stands once; PyYAML itself lets the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found = super().construct_mapping(node, deep)
        if len(found) != len(node.value):
            raise yaml.constructor.ConstructorError(
                "while reading a mapping", node.start_mark, "found a key twice", node.start_mark
            )
        return found


def _json(text: str) -> list[Any] | None:
    for spelled in (text, _WORDS.sub(lambda word: _PYTHON[word[0]], text)):
        try:
            return json.loads(f"[{spelled}]")
        except json.JSONDecodeError:
            continue
    return None


def _entry(word: str) -> str | list[str]:
    parts = [part.strip() for part in word.split(";")]
    return parts if len(parts) > 1 else parts[0]
