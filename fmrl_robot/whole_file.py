"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode


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
