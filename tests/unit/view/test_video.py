"""Filming on a disk that becomes full: it ends, says so, and who films goes on."""

import numpy as np
import pytest

from fmrl_robot.view.video import VideoLog


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
    assert film.error == "filming ended after 3 frames, all lost: Broken pipe"
    film.close()
    assert list(tmp_path.iterdir()) == []
