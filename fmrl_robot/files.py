"""A user's files and folders: read, or looked at before the work whose result goes there.

A training or a measurement of hours that ends at a folder nobody can write to is lost; so whoever
will write asks here first. What cannot be read or written is told with its path and a number.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    try:
        card: object = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _refused("a card of JSON", file, error) from None
    if not isinstance(card, dict):
        raise _refused("a card of JSON", file, "something else than an object")
    return card


def _refused(expected: str, where: Path, got: object) -> ConfigError:
    return ConfigError(
        f"expected {expected} at {where}, got {got}; name another, or correct it",
        ErrorCode.CONFIG_INVALID,
    )
