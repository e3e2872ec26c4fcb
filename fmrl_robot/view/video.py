"""The camera as a video, with the instruction and the sub-goal written under the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

_BAR = 64
_WIDTH = 448
_LEAST, _MOST = 16, 896
"""Rows of the picture in the video; an encoder takes neither none nor any number of them."""
_INK = (235, 238, 242)
_DIM = (140, 150, 165)
_GROUND = (18, 22, 30)


def captioned(frame: Frame, title: str, subtitle: str, width: int = _WIDTH) -> Frame:
    """The frame, RGB uint8 (h, w, 3), enlarged to ``width`` over a bar with two lines of text.

    It keeps its shape, but for one that is all height or all width.
    """
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


class VideoLog:
    """An H.264 file that grows by one frame at a time.

    Where it cannot be written filming ends, and ``error`` says why; who films goes on.
    """

    def __init__(self, file: Path, fps: int = 10) -> None:
        self._file = file
        self._fps = fps
        self._writer: Any = None
        self._shape: tuple[int, ...] = ()
        self.frames = 0
        self.error = ""

    def add(self, frame: Frame, title: str = "", subtitle: str = "") -> None:
        """Append a frame, RGB uint8 (h, w, 3); the first one decides the size of the video."""
        if self.error:
            return
        try:
            self._append(captioned(frame, title, subtitle))
        except OSError as error:
            # The encoder only says that it is gone. Without its end the file cannot be played.
            self.error = f"filming ended after {self.frames} frames, all lost: {error.strerror}"
            self._writer, self.frames = None, 0
            self._file.unlink(missing_ok=True)

    def _append(self, picture: Frame) -> None:
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
            self._shape = picture.shape
        if picture.shape != self._shape:
            picture = cv2.resize(picture, (self._shape[1], self._shape[0]))
        self._writer.send(np.ascontiguousarray(picture))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
