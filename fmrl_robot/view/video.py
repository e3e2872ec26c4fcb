"""The camera as a video, with the instruction and the sub-goal written under the picture."""

from __future__ import annotations

import contextlib
import shutil
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

_BAR = 64
_LEAST_WIDTH = 448
_LEAST, _MOST = 16, 896
"""Rows of the picture in the video; an encoder takes neither none nor any number of them."""
_LONGEST_GAP_S = 60.0
"""A greater step of the clock is no pause but another clock, and is not filmed."""
_INK = (235, 238, 242)
_DIM = (140, 150, 165)
_GROUND = (18, 22, 30)


def captioned(frame: Frame, title: str, subtitle: str) -> Frame:
    """The frame, RGB uint8 (h, w, 3), enlarged where it is small, over two lines of text."""
    width = max(frame.shape[1] // 16 * 16, _LEAST_WIDTH)
    height = round(frame.shape[0] * width / frame.shape[1] / 16) * 16
    height = min(max(height, _LEAST), _MOST)
    canvas = np.full((height + _BAR, width, 3), _GROUND, dtype=np.uint8)
    canvas[:height] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC)
    for text, line, color, scale in ((title, 26, _INK, 0.5), (subtitle, 50, _DIM, 0.45)):
        fits = next(
            n
            for n in range(len(text), -1, -1)
            if cv2.getTextSize(text[:n], cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] < width - 24
        )
        cv2.putText(
            canvas,
            text[:fits],
            (12, height + line),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            color,
            1,
            cv2.LINE_AA,
        )
    return canvas


def fitted(frame: Frame, size: tuple[int, int]) -> Frame:
    """The whole frame in the middle of a picture of this (width, height): a file has one size."""
    width, height = size
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    w, h = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    canvas = np.full((height, width, 3), _GROUND, dtype=np.uint8)
    x, y = (width - w) // 2, (height - h) // 2
    canvas[y : y + h, x : x + w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_CUBIC)
    return canvas


class VideoLog:
    """An H.264 file that grows by one frame at a time and plays in the time of its frames.

    Where it cannot be written filming ends, and ``error`` says why; who films goes on.
    """

    def __init__(self, file: Path, fps: int = 10, size: tuple[int, int] | None = None) -> None:
        """Open nothing yet; ``size`` (width, height) of the pictures, None: that of the first."""
        self._file = file
        self._size = size
        self._fps = fps
        self._writer: Any = None
        self._last: Frame | None = None
        self._began_s = 0.0
        self.frames = 0
        self.error = ""

    def add(
        self, frame: Frame, title: str = "", subtitle: str = "", time_s: float | None = None
    ) -> None:
        """Append a frame.

        Args:
            frame: RGB uint8 (h, w, 3).
            title: first line under it.
            subtitle: second line.
            time_s: when it was seen, so that the video keeps time where frames are missing (the
                last one stays) or too many (they are left out); None: one period after the last.
        """
        if self.error:
            return
        slot = self.frames if time_s is None else self._slot(time_s)
        try:
            while self._last is not None and self.frames < slot:
                self._write(self._last)
            if self.frames == slot:
                self._size = self._size or (frame.shape[1], frame.shape[0])
                self._last = captioned(fitted(frame, self._size), title, subtitle)
                self._write(self._last)
        except OSError as error:
            self._lose(error.strerror or "the encoder has ended")

    def _slot(self, time_s: float) -> int:
        """The number of the frame that a moment falls on."""
        slot = round((time_s - self._began_s) * self._fps)
        behind, ahead = slot < self.frames - 1, slot - self.frames > _LONGEST_GAP_S * self._fps
        if self._last is None or behind or ahead:
            # The first frame, or the clock was set: go on from here.
            self._began_s = time_s - self.frames / self._fps
            return self.frames
        return slot

    def _write(self, picture: Frame) -> None:
        if self._writer is None:
            import imageio_ffmpeg

            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = imageio_ffmpeg.write_frames(
                str(self._file),
                (picture.shape[1], picture.shape[0]),
                fps=self._fps,
                codec="libx264",
                macro_block_size=16,
                # One thread: the encoder must never compete with the control loop.
                output_params=["-preset", "veryfast", "-threads", "1", "-crf", "23"],
                ffmpeg_log_level="error",
            )
            self._writer.send(None)
        self._writer.send(np.ascontiguousarray(picture))
        self.frames += 1

    def close(self) -> None:
        """Finish the file; ``error`` says so where it could not be."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            if not _has_index(self._file):
                self._lose("the encoder could not finish the file")

    def _lose(self, why: str) -> None:
        """Give up filming: without its index the file cannot be played."""
        self.error = f"filming ended after {self.frames} frames, all lost: {why}"
        # The encoder says nothing but that it is gone; and so may the folder be.
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self._file.parent).free // 2**20
            self.error += f", with {free} MB free in {self._file.parent}"
        self._writer, self.frames = None, 0
        self._file.unlink(missing_ok=True)


def _has_index(file: Path) -> bool:
    """Whether an MP4 file has its box ``moov``, which the encoder writes last, and has it whole."""
    if not file.is_file():
        return False
    start, end = 0, file.stat().st_size
    with file.open("rb") as stream:
        while start + 16 <= end:
            stream.seek(start)
            size, kind, large = struct.unpack(">I4sQ", stream.read(16))
            size = large if size == 1 else size
            if kind == b"moov" or size < 8:
                return kind == b"moov" and start + size <= end
            start += size
    return False
