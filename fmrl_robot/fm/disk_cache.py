"""Answers kept on disk, so that no question is paid for twice; shared by any number of processes.

SQLite with a write-ahead log: a process that is killed in the middle of a write leaves what was
there before it. Each value carries a digest, so that a flipped bit is a missing answer and never a
wrong one. Whatever goes wrong with the file, questions are still answered, by the model.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fmrl_robot.fm.questions import Question

FILE = "answers.sqlite"
BUSY_S, REST_S = 2.0, 30.0
"""How long another process's lock is waited for, and for how long the cache is then left alone, s:
a process that was stopped in the middle of a write must not slow down every question."""
MAX_BYTES = 1 << 28
"""Of answers, 256 MiB: some 100,000 plans."""
_ROW_BYTES = 200
"""What a row takes besides its answer; the triggers below count the same."""
_KEEP = 0.9
"""Share of the bound that is left after dropping, so that not every write has to drop."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, seal BLOB NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_use ON answers (used);
CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);
CREATE TRIGGER IF NOT EXISTS grown AFTER INSERT ON answers
BEGIN UPDATE total SET bytes = bytes + length(new.value) + 200; END;
CREATE TRIGGER IF NOT EXISTS shrunk AFTER DELETE ON answers
BEGIN UPDATE total SET bytes = bytes - length(old.value) - 200; END;
"""
_INSERT = (
    "INSERT OR IGNORE INTO answers VALUES"
    " (?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answers))"
)
_TOUCH = "UPDATE answers SET used = (SELECT max(used) + 1 FROM answers) WHERE key = ?"
"""Use is counted, not timed: no clock that is set back makes old answers new."""
_FORGET = "DELETE FROM answers WHERE key = ?"

_log = logging.getLogger("fmrl.fm")

T = TypeVar("T")


class DiskCache:
    """A store of answers in a folder. Safe to use from several threads and processes."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        """Open nothing yet.

        Args:
            folder: made where it is missing.
            max_bytes: of answers; beyond it the least recently used are dropped.
        """
        self.file = folder / FILE
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._usable = self._writable = True
        self._rests_until_s = 0.0

    def get(self, question: Question) -> Any:
        """The answer as it was put, or None."""
        found = self._do(lambda c: self._read(c, question.key))
        if found is None:
            return None
        if question.vector:
            return np.frombuffer(found, np.float32).copy()
        return json.loads(found)

    def put(self, question: Question, answer: Any) -> None:
        """Keep an answer: a float32 vector, or what JSON can hold. The first one stays."""
        value = (
            np.ascontiguousarray(answer, np.float32).tobytes()
            if question.vector
            else json.dumps(answer).encode()
        )
        if self._writable and len(value) + _ROW_BYTES <= self._max_bytes:
            self._do(lambda c: self._write(c, question.key, value))

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    # --- inside of a transaction ------------------------------------------------------------------

    def _read(self, connection: sqlite3.Connection, key: str) -> bytes | None:
        row = connection.execute("SELECT value, seal FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value, seal = row
        sound = isinstance(value, bytes) and seal == _seal(key, value)
        if self._writable:
            try:
                connection.execute(_TOUCH if sound else _FORGET, (key,))
            except sqlite3.OperationalError as error:
                # A read that cannot be noted is still a read.
                self._give_up(error)
        return value if sound else None

    def _write(self, connection: sqlite3.Connection, key: str, value: bytes) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_INSERT, (key, value, _seal(key, value)))
            self._drop_oldest(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        (total,) = connection.execute("SELECT bytes FROM total").fetchone()
        if total <= self._max_bytes:
            return
        oldest: list[tuple[str]] = []
        for key, size in connection.execute("SELECT key, length(value) FROM answers ORDER BY used"):
            if total <= self._max_bytes * _KEEP:
                break
            oldest.append((key,))
            total -= size + _ROW_BYTES
        connection.executemany(_FORGET, oldest)

    # --- what can go wrong ------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        with self._lock:
            for mended in (False, True):
                if not self._usable or time.monotonic() < self._rests_until_s:
                    return None
                try:
                    return work(self._opened())
                except (sqlite3.Error, OSError) as error:
                    if _is_corrupt(error) and not mended:
                        self._set_aside(error)
                    else:
                        self._give_up(error)
                        return None
        return None

    def _give_up(self, error: Exception) -> None:
        """Do without for this once, or from now on."""
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            self._rests_until_s = time.monotonic() + REST_S
            _log.warning("cache=%s is held by another process: left alone for %d s", self.file,
                         REST_S)  # fmt: skip
            return
        if not self._writable and self._connection is not None:
            return
        self._writable = False
        # Without a connection there is nothing to read either.
        self._usable = self._connection is not None
        _log.warning(
            "cache=%s cannot be written (%s): answers are no longer kept; free or mount its disk "
            "and start again",
            self.file, error,
        )  # fmt: skip

    def _opened(self) -> sqlite3.Connection:
        # A forked child must not touch its parent's connection, not even to close it.
        if self._connection is None or self._pid != os.getpid():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._connection, self._pid = _open(self.file), os.getpid()
        return self._connection

    def _set_aside(self, error: Exception) -> None:
        """Move a file that is none any more out of the way, unless somebody already has."""
        self.close()
        try:
            with self._alone():
                try:
                    connection = _open(self.file)
                    sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                    connection.close()
                except sqlite3.DatabaseError:
                    sound = False
                if not sound:
                    aside = self.file.with_suffix(".corrupt")
                    self.file.replace(aside)
                    for suffix in ("-wal", "-shm"):
                        self.file.with_name(FILE + suffix).unlink(missing_ok=True)
                    _log.warning(
                        "cache=%s is damaged (%s): set aside as %s, a new one is begun",
                        self.file, error, aside.name,
                    )  # fmt: skip
        except OSError as problem:
            self._give_up(problem)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold off the other processes; a lock that the kernel takes back from the dead."""
        with self.file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # The log is synchronised when it is merged: power loss may cost the last answers, no more.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _seal(key: str, value: bytes) -> bytes:
    return hashlib.sha256(key.encode() + value).digest()[:16]


def _code(error: Exception) -> int:
    """SQLite's primary code; 0 where it is no error of SQLite's."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_corrupt(error: Exception) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
