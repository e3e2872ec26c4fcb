"""The cache on disk: many writers, some killed; damaged, full and read-only files."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from fmrl_robot.fm import disk_cache
from fmrl_robot.fm.disk_cache import FILE, DiskCache
from fmrl_robot.fm.questions import Question

WRITER = """
import sys
from pathlib import Path
from fmrl_robot.fm import disk_cache
from fmrl_robot.fm.disk_cache import DiskCache
from fmrl_robot.fm.questions import Question

cache, begin = DiskCache(Path(sys.argv[1])), int(sys.argv[2])
for i in range(begin, 10**9):
    asked = Question(kind="generate", model="m", content={"prompt": str(i % 3000)})
    cache.put(asked, {"i": i % 3000, "more": "x" * (i % 700)})
    found = cache.get(asked)
    assert found is None or found["i"] == i % 3000, found
    if i == begin + 20:
        print("under way", flush=True)
"""


def question(text, kind="generate"):
    return Question(kind=kind, model="m", content={"prompt": text})


@pytest.fixture
def cache(tmp_path):
    return DiskCache(tmp_path)


@contextmanager
def opened(file):
    connection = sqlite3.connect(file)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def integrity(file):
    with opened(file) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def test_values_and_vectors_are_kept_and_the_first_stays(cache, tmp_path):
    vector = np.array([1 / 3, -0.0, np.inf, 1e-40], np.float32)
    cache.put(question("a"), {"text": "ä\ud800", "n": [1.5, None]})
    cache.put(question("a"), {"text": "other"})
    cache.put(question("v", "text"), vector)
    again = DiskCache(tmp_path)
    assert again.get(question("a")) == {"text": "ä\ud800", "n": [1.5, None]}
    found = again.get(question("v", "text"))
    assert found.tobytes() == vector.tobytes() and found.flags.writeable
    assert again.get(question("b")) is None


def test_writers_that_are_killed_leave_a_sound_file_and_no_wrong_answer(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(i * 500)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for i in range(6)
    ]
    try:
        for writer in writers:
            assert writer.stdout.readline() == b"under way\n", writer.stderr.read()
        for writer in writers[:4]:
            time.sleep(0.1)
            writer.send_signal(signal.SIGKILL)
        time.sleep(0.3)
        assert [writer.poll() for writer in writers[4:]] == [None, None]
    finally:
        for writer in writers:
            writer.kill()
            _, complaints = writer.communicate(timeout=10)
            assert complaints == b""
    assert integrity(tmp_path / FILE) == "ok"
    cache = DiskCache(tmp_path)
    found = [(i, cache.get(question(str(i)))) for i in range(3000)]
    held = [(i, answer) for i, answer in found if answer is not None]
    assert len(held) > 100
    assert all(a == {"i": i, "more": a["more"]} and set(a["more"]) <= {"x"} for i, a in held)
    cache.put(question("afterwards"), 1)
    assert cache.get(question("afterwards")) == 1
    assert not list(tmp_path.glob("*.corrupt"))


def test_beyond_the_bound_the_least_recently_used_go(tmp_path):
    cache = DiskCache(tmp_path, max_bytes=50_000)
    for i in range(40):
        cache.put(question(str(i)), "x" * 1000)
        assert cache.get(question("0")) is not None  # and so it stays
    for i in range(40, 60):
        cache.put(question(str(i)), "x" * 1000)
    held = [i for i in range(60) if cache.get(question(str(i))) is not None]
    with opened(cache.file) as connection:
        (counted,) = connection.execute("SELECT bytes FROM total").fetchone()
        (real,) = connection.execute("SELECT sum(length(value) + 200) FROM answers").fetchone()
    assert counted == real <= 50_000 and len(held) >= 30
    assert held[0] == 0 and held[1:] == list(range(held[1], 60))
    cache.put(question("huge"), "x" * 60_000)
    assert cache.get(question("huge")) is None and cache.get(question("59")) is not None


@pytest.mark.parametrize("damage", ["garbage", "header", "page", "empty"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path, caplog, damage):
    first = DiskCache(tmp_path)
    for i in range(200):
        first.put(question(str(i)), "x" * 500)
    first.close()
    file = tmp_path / FILE
    with opened(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(file.read_bytes())
    file.with_name(FILE + "-wal").unlink(missing_ok=True)
    file.with_name(FILE + "-shm").unlink(missing_ok=True)
    if damage == "garbage":
        raw = bytearray(b"not a database at all" * 1000)
    elif damage == "header":
        raw[:100] = bytes(100)
    elif damage == "page":
        raw[4096:] = b"\xa5" * (len(raw) - 4096)
    else:
        raw = bytearray()
    file.write_bytes(raw)
    cache = DiskCache(tmp_path)
    for i in range(200):
        assert cache.get(question(str(i))) in (None, "x" * 500)
    cache.put(question("new"), "yes")
    assert cache.get(question("new")) == "yes" and integrity(file) == "ok"
    if damage != "empty":  # an empty file is a new one
        assert (tmp_path / "answers.corrupt").read_bytes()[:100] == bytes(raw[:100])
        assert caplog.text.count("is damaged") == 1 and "set aside" in caplog.text


def test_a_flipped_bit_in_an_answer_is_a_missing_answer(cache):
    cache.put(question("a"), {"text": "put(red_cube,bowl)"})
    cache.close()
    with opened(cache.file) as connection:
        connection.execute("UPDATE answers SET value = replace(value, 'red', 'bed')")
        connection.execute("UPDATE answers SET value = CAST(value AS BLOB)")
    assert cache.get(question("a")) is None
    cache.put(question("a"), {"text": "put(red_cube,bowl)"})
    assert cache.get(question("a")) == {"text": "put(red_cube,bowl)"}


def test_another_process_may_set_the_file_aside_in_the_meantime(tmp_path):
    one, other = DiskCache(tmp_path), DiskCache(tmp_path)
    one.put(question("a"), 1)
    other.put(question("b"), 2)
    one._set_aside(sqlite3.DatabaseError("told so by a test"))  # the file is sound, and stays
    assert one.get(question("b")) == 2 and not list(tmp_path.glob("*.corrupt"))


def test_a_lock_that_is_never_let_go_slows_down_one_question(cache, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(disk_cache, "BUSY_S", 0.2)
    cache.put(question("a"), 1)
    other = DiskCache(tmp_path)
    with opened(cache.file) as holder:
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for i in range(50):
            other.put(question(str(i)), i)
        assert 0.2 <= time.monotonic() - began < 1.5
    assert caplog.text.count("is held by another process") == 1
    assert cache.get(question("a")) == 1 and cache.get(question("0")) is None


FULL = """
import logging, resource, sys
from pathlib import Path
from fmrl_robot.fm import disk_cache
from fmrl_robot.fm.disk_cache import DiskCache
from fmrl_robot.fm.questions import Question

logging.basicConfig(stream=sys.stdout, format="%(message)s")
cache = DiskCache(Path(sys.argv[1]))
question = lambda i: Question(kind="generate", model="m", content={"prompt": str(i)})
cache.put(question(0), "kept")
limit = 400_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for i in range(1, 200):
    cache.put(question(i), "x" * 10_000)
assert cache.get(question(0)) == "kept"
assert cache.get(question(199)) is None
print("went on")
"""


def test_a_full_disk_is_said_once_and_what_is_there_stays_readable(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot be written") == 1 and done.stdout.endswith("went on\n")
    assert DiskCache(tmp_path).get(question("0")) == "kept"
    assert integrity(tmp_path / FILE) == "ok"


def test_a_folder_that_cannot_be_is_said_once(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file" / "cache")
    for _ in range(3):
        assert cache.get(question("a")) is None
        cache.put(question("a"), 1)
    assert caplog.text.count("cannot be written") == 1


READ_ONLY = """
import logging, os, sys
from pathlib import Path
from fmrl_robot.fm import disk_cache
from fmrl_robot.fm.disk_cache import DiskCache
from fmrl_robot.fm.questions import Question

logging.basicConfig(stream=sys.stdout, format="%(message)s")
if os.getuid() == 0:
    os.setuid(65534)
cache = DiskCache(Path(sys.argv[1]))
for i in range(3):
    cache.get(Question(kind="generate", model="m", content={"prompt": "a"}))
    cache.put(Question(kind="generate", model="m", content={"prompt": str(i)}), i)
print("went on")
"""


def test_a_read_only_folder_is_said_once(tmp_path):
    DiskCache(tmp_path).put(question("a"), 1)
    for file in (*tmp_path.iterdir(), tmp_path):
        file.chmod(0o555 if file.is_dir() else 0o444)
    for folder in (tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(tmp_path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    tmp_path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot be written") == 1 and done.stdout.endswith("went on\n")


def test_a_forked_child_opens_the_file_itself(cache):
    cache.put(question("parent"), 1)
    child = os.fork()
    if child == 0:
        ok = cache.get(question("parent")) == 1
        cache.put(question("child"), 2)
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get(question("child")) == 2 and integrity(cache.file) == "ok"
