"""A recording on a disk that is full, for a while or for good: what is told is what is there."""

import errno
import os

import pytest
from mcap.reader import NonSeekingReader, SeekingReader
from mcap.stream_reader import StreamReader

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.view import mcap_log
from fmrl_robot.view.mcap_log import McapLog

pytest.importorskip("std_msgs.msg", reason="needs the ros extra")

KINDS = {"/a": "std_msgs/msg/ByteMultiArray", "/b": "geometry_msgs/msg/PoseStamped"}


class Disk:
    """Room for so many bytes; a write that does not fit takes what does, as a file system does."""

    def __init__(self, monkeypatch):
        self.room = 1 << 40
        self._pwrite, self._ftruncate = os.pwrite, os.ftruncate
        monkeypatch.setattr(mcap_log.os, "pwrite", self.pwrite)
        monkeypatch.setattr(mcap_log.os, "ftruncate", self.ftruncate)

    def pwrite(self, file, data, offset):
        new = offset + len(data) - max(offset, os.fstat(file).st_size)
        fits = len(data) - max(0, new - self.room)
        if new > 0 and fits <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= max(0, min(new, self.room))
        return self._pwrite(file, bytes(data[:fits]), offset)

    def ftruncate(self, file, size):
        self.room += os.fstat(file).st_size - size
        self._ftruncate(file, size)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def messages(log, numbers):
    """Record incompressible messages of 50 kB, by turns on two topics."""
    for number in numbers:
        topic = sorted(KINDS)[number % 2]
        log.add(topic, KINDS[topic], number.to_bytes(4, "big") + os.urandom(50_000), 1000 + number)


def read(file):
    """The numbers that each of three readers finds; every one has to come to the file's end."""
    found = []
    for make in (NonSeekingReader, SeekingReader):
        with file.open("rb") as stream:
            rows = list(make(stream, validate_crcs=True).iter_messages(log_time_order=False))
            assert all(schema.name == KINDS[channel.topic] for schema, channel, _ in rows)
            found.append([int.from_bytes(m.data[:4], "big") for _, _, m in rows])
    with file.open("rb") as stream:
        kinds = [type(r).__name__ for r in StreamReader(stream, validate_crcs=True).records]
    assert kinds[-1] == "Footer" and kinds.count("Message") == len(found[0])
    assert found[0] == found[1]
    return found[0]


def test_with_room_everything_is_there_and_indexed(tmp_path):
    log = McapLog(tmp_path / "x.mcap")
    messages(log, range(100))
    log.close()
    assert (log.written, log.dropped, log.error) == (100, 0, "")
    assert read(tmp_path / "x.mcap") == list(range(100))
    with (tmp_path / "x.mcap").open("rb") as stream:
        summary = SeekingReader(stream).get_summary()
    assert summary.statistics.message_count == 100 and len(summary.chunk_indexes) > 3


def test_a_killed_recorder_leaves_a_whole_file(tmp_path):
    log = McapLog(tmp_path / "x.mcap")
    assert read(tmp_path / "x.mcap") == []
    messages(log, range(100))
    assert 50 < log.written < 100
    assert read(tmp_path / "x.mcap") == list(range(log.written))


@pytest.mark.parametrize("room", [0, 30, 100, 60_000, 1_100_000, 2_500_000, 2_800_001])
def test_on_a_disk_that_stays_full_it_tells_what_is_there(tmp_path, disk, room):
    disk.room = room
    log = McapLog(tmp_path / "x.mcap")
    messages(log, range(200))
    before = log.written
    log.close()
    assert log.written + log.dropped == 200 and log.written >= before
    assert "No space left" in log.error
    if room < 80:  # no room even for an empty file
        assert log.written == 0 and (tmp_path / "x.mcap").stat().st_size == 0
    else:
        assert len(read(tmp_path / "x.mcap")) == log.written
    assert log.written >= room // 50_100 - 22


@pytest.mark.parametrize("room", [0, 1_100_000, 1_500_000])
def test_it_goes_on_as_soon_as_there_is_room(tmp_path, disk, room):
    disk.room = room
    log = McapLog(tmp_path / "x.mcap")
    messages(log, range(100))
    lost = log.dropped
    assert lost > 0
    disk.room = 1 << 40
    messages(log, range(100, 300))
    log.close()
    found = read(tmp_path / "x.mcap")
    assert len(found) == log.written == 300 - log.dropped
    assert log.dropped <= lost + 21, "no more than the chunk that was being filled"
    assert found[-150:] == list(range(150, 300))


def test_room_that_lacks_only_for_the_index_costs_the_index(tmp_path, disk):
    log = McapLog(tmp_path / "x.mcap")
    messages(log, range(100))
    log._writer.flush()
    log._keep()
    disk.room = 40
    log.close()
    assert (log.written, log.dropped) == (100, 0) and "No space" in log.error
    assert read(tmp_path / "x.mcap") == list(range(100))


def test_a_folder_that_cannot_be_written_is_refused_with_a_code(tmp_path):
    (tmp_path / "run").write_text("a file, not a folder")
    with pytest.raises(ConfigError, match="another run_dir") as caught:
        McapLog(tmp_path / "run" / "x.mcap")
    assert caught.value.code == ErrorCode.WRITE_FAILED
