"""A video plays in the time of its frames, and ends where a disk is full."""

import imageio.v3 as iio
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.view import filming
from fmrl_robot.view.video import VideoLog, captioned, fitted


def picture(level, size=(240, 320)):
    return np.full((*size, 3), level, np.uint8)


def filmed(tmp_path, *stamped):
    video = VideoLog(tmp_path / "v.mp4", fps=10)
    for time_s, frame in stamped:
        video.add(frame, "do it", "step", time_s=time_s)
    video.close()
    frames = iio.imread(tmp_path / "v.mp4")
    assert iio.immeta(tmp_path / "v.mp4")["fps"] == 10
    return [int(f[:100].mean()) for f in frames]


def near(levels):
    return [pytest.approx(v, abs=6) for v in levels]


def test_where_frames_are_missing_the_last_one_stays(tmp_path):
    stamped = [(100.0, picture(40)), (100.1, picture(80)), (100.5, picture(200))]
    assert filmed(tmp_path, *stamped) == near([40, 80, 80, 80, 80, 200])


def test_frames_that_come_too_often_are_left_out(tmp_path):
    stamped = [(5.0 + i / 40, picture(100)) for i in range(81)]
    assert len(filmed(tmp_path, *stamped)) == 21


def test_a_run_of_twenty_minutes_with_lost_frames_lasts_as_long(tmp_path, monkeypatch):
    video = VideoLog(tmp_path / "v.mp4", fps=10)
    monkeypatch.setattr("fmrl_robot.view.video.captioned", lambda frame, *_: frame)
    monkeypatch.setattr(video, "_write", lambda _: setattr(video, "frames", video.frames + 1))
    rng = np.random.default_rng(0)
    time_s = 0.0
    while time_s < 1042.0:
        video.add(picture(1), time_s=time_s)
        time_s += rng.choice([0.1, 0.1, 0.2, 0.3])
    assert video.frames / 10 == pytest.approx(1042.0, abs=0.5)


@pytest.mark.parametrize("later", [0.0, 5000.0])
def test_a_clock_that_was_set_is_no_pause(tmp_path, later):
    stamped = [(100.0, picture(40)), (100.1, picture(80)), (later, picture(200))]
    assert filmed(tmp_path, *stamped) == near([40, 80, 200])


def test_a_file_keeps_its_size_and_a_large_picture_its_pixels(tmp_path):
    assert captioned(picture(9, (480, 640)), "", "").shape == (544, 640, 3)
    assert captioned(picture(9, (224, 224)), "", "").shape == (512, 448, 3)
    stamped = [(0.0, picture(40, (480, 640))), (0.1, picture(80, (480, 640)))]
    assert filmed(tmp_path, *stamped) == near([40, 80])
    small = fitted(picture(200, (224, 224)), (640, 480))
    assert small.shape == (480, 640, 3)
    assert (small[:, 80:560] == 200).all() and small[:, :80].max() < 40


@pytest.mark.parametrize("left", [0, 40, -1])
def test_a_file_that_found_no_room_for_its_end_is_told_and_not_left(tmp_path, monkeypatch, left):
    """The encoder ends without a word where the last of it does not fit any more."""
    import imageio_ffmpeg

    file, really = tmp_path / "v.mp4", imageio_ffmpeg.write_frames

    def close():
        video._writer.really.close()
        file.write_bytes(file.read_bytes()[:left])

    class Cut:
        def __init__(self, *told, **options):
            self.really = really(*told, **options)
            self.send, self.close = self.really.send, close

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", Cut)
    video = VideoLog(file)
    for _ in range(3):
        video.add(picture(40))
    video.close()
    assert "after 3 frames, all lost: the encoder could not finish the file" in video.error
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"expected a video at .*all lost") as caught:
        filming.finish(video, file)
    assert caught.value.code is ErrorCode.WRITE_FAILED


@pytest.fixture
def encoder(monkeypatch):
    """An encoder that ends after three frames, as ffmpeg does where it cannot write."""
    import imageio_ffmpeg

    def frames(file, *_, **__):
        with open(file, "wb") as video:
            video.write(b"no end")
        for _ in range(4):
            yield
        raise OSError(32, "Broken pipe")

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", frames)


def test_it_ends_says_so_and_leaves_no_file_that_cannot_be_played(tmp_path, encoder):
    film = VideoLog(tmp_path / "video.mp4")
    for _ in range(10):
        film.add(np.zeros((16, 16, 3), np.uint8))
    assert film.error.startswith("filming ended after 3 frames, all lost: Broken pipe, with ")
    assert film.error.endswith(f" MB free in {tmp_path}")
    film.close()
    assert list(tmp_path.iterdir()) == []
