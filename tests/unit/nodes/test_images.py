"""Pictures and calibrations between the library and the wire."""

import array

import numpy as np
import pytest

pytest.importorskip("sensor_msgs.msg", reason="needs the ros extra")

from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image

from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage

INFO = CameraInfo(width=640, height=480, k=[600.0, 0, 319.5, 0, 610.0, 239.5, 0, 0, 1.0])


def over_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


@pytest.mark.parametrize("shape", [(224, 224, 3), (6, 8)])
def test_pictures_survive_the_wire(shape):
    rng = np.random.default_rng(0)
    color = len(shape) == 3
    image = rng.integers(0, 256, shape, dtype=np.uint8) if color else rng.random(shape, np.float32)
    message = over_the_wire(conversions.image_to_msg(image, 1.0, "front"))
    assert (message.height, message.width) == shape[:2]
    read = conversions.color_from_msg if color else conversions.depth_from_msg
    assert np.array_equal(read(message), image)
    assert conversions.is_depth(message) is not color


def test_big_endian_millimetres_in_padded_rows_are_metres():
    """What a depth camera on another machine may send, with two bytes after each row of three."""
    message = Image(height=2, width=3, step=8, encoding="16UC1", is_bigendian=1)
    rows = [[0, 1000, 258], [65535, 1, 2]]
    message.data = array.array(
        "B", b"".join(b"".join(v.to_bytes(2, "big") for v in row) + b"\xee\xee" for row in rows)
    )
    np.testing.assert_allclose(
        conversions.depth_from_msg(over_the_wire(message)), np.array(rows) / 1000.0, rtol=1e-6
    )


def test_sixteen_bits_are_grey_or_depth_as_the_topic_wants():
    message = Image(height=1, width=1, step=2, encoding="mono16", data=[0x34, 0x12])
    assert conversions.color_from_msg(message).tolist() == [[[0x12] * 3]]
    assert conversions.depth_from_msg(message)[0, 0] == pytest.approx(0x1234 / 1000)
    assert not conversions.is_depth(message)


def test_a_calibration_serves_a_smaller_picture_of_the_same_view():
    """The ray through the middle of a block of two pixels is that through the one they become."""
    full = conversions.intrinsics_from_msg(INFO, 480, 640)
    assert np.array_equal(full, np.array(INFO.k).reshape(3, 3))
    half = conversions.intrinsics_from_msg(INFO, 240, 320)
    for x, y in ((0, 0), (100, 50), (319, 239)):
        wide, tall = 2 * x + 0.5, 2 * y + 0.5
        assert (x - half[0, 2]) / half[0, 0] == pytest.approx((wide - 319.5) / 600.0)
        assert (y - half[1, 2]) / half[1, 1] == pytest.approx((tall - 239.5) / 610.0)


@pytest.mark.parametrize(
    ("info", "size", "told"),
    [
        (CameraInfo(width=640, height=480), (480, 640), "calibrated"),
        (CameraInfo(k=INFO.k), (480, 640), "0 x 0"),
        (INFO, (360, 640), "640 x 360"),
        (CameraInfo(width=64, height=48, k=[np.nan] * 9), (48, 64), "finite"),
    ],
)
def test_a_calibration_of_something_else_is_refused(info, size, told):
    with pytest.raises(BadMessage, match=told):
        conversions.intrinsics_from_msg(info, *size)
