"""What the bytes of a picture mean: every encoding that drivers of cameras publish, to RGB or m.

The names are those of ``sensor_msgs/image_encodings``; nothing here needs ROS. Rows may be padded,
words of two and four bytes may be big-endian. 8UC3 and 8UC4 say nothing of their colours; they come
from programs that hand on what OpenCV gave them, which is BGR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import Image

DepthImage = npt.NDArray[np.float32]
Raw = npt.NDArray[Any]

MM = np.float32(1e-3)
"""Depth as whole numbers is in mm, and 0 where unknown (REP 118)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A picture as it travels: the fields of sensor_msgs/Image that say what its bytes mean."""

    encoding: str
    height: int
    width: int
    step: int
    """Bytes of a row, padding included."""
    big_endian: bool
    data: Any
    """A buffer of ``height * step`` bytes."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How an encoding lays its pixels out, and how they become what is wanted."""

    word: str
    """Dtype of one number, without its byte order."""
    channels: int
    convert: Callable[[Raw], Raw]
    """From (h, w) or (h, w, channels) of ``word`` in the machine's own byte order."""
    block: int = 1
    """Pixels that belong together: width (and of a mosaic height) are a multiple of it."""
    mosaic: bool = False


def _as_it_is(raw: Raw) -> Raw:
    return raw


def _rgb(order: tuple[int, ...]) -> Callable[[Raw], Raw]:
    return lambda raw: np.ascontiguousarray(_bytes(raw[..., order]))


def _gray(raw: Raw) -> Raw:
    return np.repeat(_bytes(raw)[..., None], 3, axis=2)


def _bytes(raw: Raw) -> Raw:
    """The upper byte of 16 bits: what drivers scale to the full range."""
    return raw if raw.dtype == np.uint8 else (raw >> 8).astype(np.uint8)


def _opencv(code: int) -> Callable[[Raw], Raw]:
    return lambda raw: cv2.cvtColor(np.ascontiguousarray(_bytes(raw)), code)


def _millimetres(raw: Raw) -> Raw:
    return raw.astype(np.float32) * MM


def _metres(raw: Raw) -> Raw:
    return raw.astype(np.float32, copy=False)


_RGB, _BGR = (0, 1, 2), (2, 1, 0)
_MOSAICS = {
    "rggb": cv2.COLOR_BayerRGGB2RGB,
    "bggr": cv2.COLOR_BayerBGGR2RGB,
    "gbrg": cv2.COLOR_BayerGBRG2RGB,
    "grbg": cv2.COLOR_BayerGRBG2RGB,
}
_UYVY = _Layout("u1", 2, _opencv(cv2.COLOR_YUV2RGB_UYVY), block=2)
_YUYV = _Layout("u1", 2, _opencv(cv2.COLOR_YUV2RGB_YUYV), block=2)

COLOR: Mapping[str, _Layout] = {
    "rgb8": _Layout("u1", 3, _as_it_is),
    "bgr8": _Layout("u1", 3, _rgb(_BGR)),
    "rgba8": _Layout("u1", 4, _rgb(_RGB)),
    "bgra8": _Layout("u1", 4, _rgb(_BGR)),
    "8UC3": _Layout("u1", 3, _rgb(_BGR)),
    "8UC4": _Layout("u1", 4, _rgb(_BGR)),
    "rgb16": _Layout("u2", 3, _rgb(_RGB)),
    "bgr16": _Layout("u2", 3, _rgb(_BGR)),
    "rgba16": _Layout("u2", 4, _rgb(_RGB)),
    "bgra16": _Layout("u2", 4, _rgb(_BGR)),
    "mono8": _Layout("u1", 1, _gray),
    "8UC1": _Layout("u1", 1, _gray),
    "mono16": _Layout("u2", 1, _gray),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    **{
        f"bayer_{name}{bits}": _Layout(word, 1, _opencv(code), block=2, mosaic=True)
        for name, code in _MOSAICS.items()
        for bits, word in ((8, "u1"), (16, "u2"))
    },
}
"""Encodings of a colour picture."""

DEPTH: Mapping[str, _Layout] = {
    "32FC1": _Layout("f4", 1, _metres),
    "64FC1": _Layout("f8", 1, _metres),
    "16UC1": _Layout("u2", 1, _millimetres),
    "mono16": _Layout("u2", 1, _millimetres),
}
"""Encodings of a depth picture; mono16 is a depth where depth is expected."""


def check_color(frame: Frame) -> None:
    """Raise BadMessage unless ``color`` can read the frame; looks at no pixel."""
    _check(frame, COLOR)


def check_depth(frame: Frame) -> None:
    """Raise BadMessage unless ``depth`` can read the frame; looks at no pixel."""
    _check(frame, DEPTH)


def color(frame: Frame) -> Image:
    """RGB uint8, shape (height, width, 3), read-only where no byte had to move.

    Raises:
        BadMessage: the encoding is not one of ``COLOR``, or the sizes do not fit each other.
    """
    return _read(frame, COLOR)


def depth(frame: Frame) -> DepthImage:
    """Depth in m as float32, shape (height, width); 0 or not finite where unknown.

    Raises:
        BadMessage: the encoding is not one of ``DEPTH``, or the sizes do not fit each other.
    """
    return _read(frame, DEPTH)


def resized_depth(picture: DepthImage, height: int, width: int) -> DepthImage:
    """The depth at the pixels of a picture of the same view but of another size.

    Nearest neighbour, by pixel centres: between two depths there is nothing at their mean.

    Raises:
        BadMessage: the shapes of the pictures differ, so they are not of one view.
    """
    if picture.shape == (height, width):
        return picture
    rows, columns = picture.shape
    # Half a pixel of the smaller picture is what rounding to whole pixels may take.
    if abs(rows * width - columns * height) > max(width, columns) / 2:
        raise BadMessage(
            f"expected depth registered to the colour picture of {width} x {height}, got "
            f"{columns} x {rows}, which is of another shape; align it in the camera's driver"
        )
    row = ((np.arange(height) + 0.5) * rows / height).astype(np.intp)
    column = ((np.arange(width) + 0.5) * columns / width).astype(np.intp)
    return picture[row[:, None], column]


def _check(frame: Frame, layouts: Mapping[str, _Layout]) -> _Layout:
    layout = layouts.get(frame.encoding)
    if layout is None:
        raise BadMessage(
            f"expected one of the encodings {', '.join(layouts)}, got {frame.encoding!r}; set "
            "another pixel format in the camera's driver"
        )
    height, width, block = frame.height, frame.width, layout.block
    if height <= 0 or width <= 0 or width % block or (layout.mosaic and height % block):
        raise BadMessage(
            f"expected a picture of whole blocks of {block} pixels, got {width} x {height}"
        )
    row = width * layout.channels * int(layout.word[1:])
    if frame.step < row or len(frame.data) != frame.height * frame.step:
        raise BadMessage(
            f"expected {height} rows of at least {row} bytes for {frame.encoding} of width "
            f"{width}, got step={frame.step} and {len(frame.data)} bytes"
        )
    return layout


def _read(frame: Frame, layouts: Mapping[str, _Layout]) -> Raw:
    layout = _check(frame, layouts)
    dtype = np.dtype(layout.word).newbyteorder(">" if frame.big_endian else "<")
    row = frame.width * layout.channels * dtype.itemsize
    rows = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.step)[:, :row]
    shape = (frame.height, frame.width) + ((layout.channels,) if layout.channels > 1 else ())
    raw = np.ascontiguousarray(rows).view(dtype).reshape(shape)
    picture = layout.convert(raw.astype(dtype.newbyteorder("="), copy=False))
    picture.flags.writeable = False
    return picture
