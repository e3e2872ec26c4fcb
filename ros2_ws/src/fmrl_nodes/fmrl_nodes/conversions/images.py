"""Pictures, in the one way that is fast: ``array.frombytes`` out, ``np.frombuffer`` in."""

from __future__ import annotations

import array
from typing import Any, cast

import numpy as np
from sensor_msgs.msg import Image

from fmrl_nodes.conversions.geometry import header
from fmrl_robot.types import (
    FloatArray,
)

_DTYPES = {"rgb8": (np.uint8, 3), "mono8": (np.uint8, 1), "32FC1": (np.float32, 1)}


def image_to_msg(image: np.ndarray, stamp_s: float, frame: str) -> Image:
    """RGB uint8 (h, w, 3) or depth in m as float32 (h, w).

    Filled through ``array.frombytes``: a thousand times faster than assigning the array.
    """
    if image.dtype == np.uint8 and image.ndim == 3:
        encoding, channels = "rgb8", 3
    elif image.dtype == np.float32 and image.ndim == 2:
        encoding, channels = "32FC1", 1
    else:
        raise ValueError(
            f"expected uint8 (h, w, 3) or float32 (h, w), got {image.dtype} {image.shape}"
        )
    pixels = array.array("B")
    pixels.frombytes(memoryview(np.ascontiguousarray(image)).cast("B"))
    height, width = image.shape[:2]
    message = Image(
        header=header(stamp_s, frame),
        height=height,
        width=width,
        encoding=encoding,
        step=width * channels * image.itemsize,
    )
    message.data = pixels
    return message


def image_from_msg(message: Image) -> np.ndarray:
    """The pixels, as a read-only view: (h, w, 3) uint8 or (h, w) float32.

    Raises:
        ValueError: the encoding is not one that this graph uses.
    """
    if message.encoding not in _DTYPES:
        raise ValueError(f"expected one of {', '.join(_DTYPES)}, got {message.encoding!r}")
    dtype, channels = _DTYPES[message.encoding]
    shape = (message.height, message.width) + ((channels,) if channels > 1 else ())
    image = np.frombuffer(message.data, dtype).reshape(shape)
    image.flags.writeable = False
    return image


def _doubles(values: FloatArray) -> Any:
    """A float64 array as the sequence that rosidl copies fastest."""
    return cast(Any, array.array("d", np.asarray(values, dtype=np.float64).tobytes()))
