"""A user's files and folders: read, or looked at before the work whose result goes there.

A training or a measurement of hours that ends at a folder nobody can write to is lost; so whoever
will write asks here first. What cannot be read or written is told with its path and a number.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.errors import ConfigError, ErrorCode


def writable_folder(folder: Path) -> Path:
    """Make a folder where there is none, and see that a file can be made in it.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be made, or nothing can be written to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise _refused("a folder that can be written to", folder, error) from None


def writable_file(file: Path) -> Path:
    """See that a file can be written, and make its folder; the file itself is left as it is.

    Raises:
        ConfigError: CONFIG_INVALID; it is a folder, or cannot be written.
    """
    writable_folder(file.parent)
    if file.is_dir() or (file.exists() and not os.access(file, os.W_OK)):
        raise _refused("a file that can be written", file, "a folder, or one that is read only")
    return file


@contextmanager
def replacing(file: Path) -> Generator[Path]:
    """Give a path beside ``file``, to be written; it takes the place of ``file`` at the end.

    A kill leaves the last one, and so does a disk without room, where nothing of the new one stays.

    Raises:
        ConfigError: the system did not write it.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(file)
    except OSError as error:
        raise ConfigError(
            f"expected to write {file}, got {error}; make room, or name another folder. What was "
            "written there before is whole",
            ErrorCode.WRITE_FAILED,
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def read_card(file: Path) -> dict[str, Any]:
    """Read a card.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be read, or is no JSON object.
    """
    return _fields("a card of JSON", file, json.loads)


def read_settings(file: Path) -> dict[str, Any]:
    """Read a file of settings.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be read, or holds no fields in YAML.
    """
    return _fields("fields with their values in YAML", file, yaml.safe_load)


def read_list(file: Path) -> list[dict[str, Any]]:
    """Read a list of objects.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be read, or is no such list in YAML or JSON.
    """
    found = _parsed("a list of objects in YAML", file, yaml.safe_load)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _refused("a list of objects in YAML", file, f"{found!r:.200}")
    return found


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Read a JSON object a line.

    Raises:
        ConfigError: CONFIG_INVALID; it cannot be read, or a line is none; its number is told.
    """
    found: list[dict[str, Any]] = []
    lines: list[str] = _parsed("JSON objects, one a line,", file, str.splitlines)
    for number, line in enumerate(lines, 1):
        try:
            value: object = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise _refused(f"a JSON object in line {number}", file, f"{line!r:.200}")
        found.append(value)
    return found


def yaml_value(text: str, option: str) -> Any:
    """Read a value that was given on the command line for ``option``.

    Raises:
        ConfigError: CONFIG_INVALID; it is no YAML.
    """
    try:
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:  # such as a date that is none
        raise ConfigError(
            f"expected a value in YAML for {option}, got {text!r}: {error}; quote it, or correct "
            "it",
            ErrorCode.CONFIG_INVALID,
        ) from None


def _fields(expected: str, file: Path, parse: Callable[[str], object]) -> dict[str, Any]:
    found = _parsed(expected, file, parse)
    if not isinstance(found, dict):
        raise _refused(expected, file, f"{found!r:.200}, which has no fields")
    return {str(name): value for name, value in found.items()}


def _parsed(expected: str, file: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _refused(expected, file, error) from None


def _refused(expected: str, where: Path, got: object) -> ConfigError:
    return ConfigError(
        f"expected {expected} at {where}, got {got}; name another, or correct it",
        ErrorCode.CONFIG_INVALID,
    )
