"""Every encoding of a camera against what its definition says, written out with numpy."""

import numpy as np
import pytest

from fmrl_nodes import pixels
from fmrl_nodes.errors import BadMessage

HEIGHT, WIDTH = 6, 8
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
GRAY = RNG.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
ALPHA = RNG.integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
WIDE = RNG.integers(0, 65536, (HEIGHT, WIDTH, 4), np.uint16)


def frame(encoding, array, *, padding=0, big=False):
    """The array as it travels, its rows followed by that many bytes of rubbish."""
    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder(">" if big else "<")))
    rows = array.view(np.uint8).reshape(HEIGHT, -1)
    rows = np.hstack([rows, np.full((HEIGHT, padding), 0xAB, np.uint8)])
    return pixels.Frame(
        encoding=encoding,
        height=HEIGHT,
        width=WIDTH,
        step=rows.shape[1],
        big_endian=big,
        data=rows.tobytes(),
    )


def of_yuv(y, u, v):
    """ITU-R BT.601 with the studio's range, as video cameras send it."""
    c, d, e = (np.asarray(x, float) for x in (y - 16.0, u - 128.0, v - 128.0))
    rgb = [
        1.164 * c + 1.596 * e,
        1.164 * c - 0.813 * e - 0.391 * d,
        1.164 * c + 2.018 * d,
    ]
    return np.clip(np.stack(rgb, axis=-1), 0, 255)


COLORS = {
    "rgb8": (RGB, RGB),
    "bgr8": (RGB[..., ::-1], RGB),
    "rgba8": (np.dstack([RGB, ALPHA]), RGB),
    "bgra8": (np.dstack([RGB[..., ::-1], ALPHA]), RGB),
    "8UC3": (RGB[..., ::-1], RGB),
    "8UC4": (np.dstack([RGB[..., ::-1], ALPHA]), RGB),
    "mono8": (GRAY, np.dstack([GRAY] * 3)),
    "8UC1": (GRAY, np.dstack([GRAY] * 3)),
    "mono16": (WIDE[..., 0], np.dstack([WIDE[..., 0] // 256] * 3)),
    "rgb16": (WIDE[..., :3], WIDE[..., :3] // 256),
    "bgr16": (WIDE[..., 2::-1], WIDE[..., :3] // 256),
    "rgba16": (WIDE, WIDE[..., :3] // 256),
    "bgra16": (WIDE[..., [2, 1, 0, 3]], WIDE[..., :3] // 256),
}
"""What travels, and the picture that it is."""


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encoding", COLORS)
def test_colours_are_put_into_order(encoding, big, padding):
    sent, seen = COLORS[encoding]
    got = pixels.color(frame(encoding, sent, padding=padding, big=big))
    assert got.dtype == np.uint8 and not got.flags.writeable
    np.testing.assert_array_equal(got, seen)


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
def test_pairs_of_pixels_share_their_colour(encoding, padding):
    y = RNG.integers(16, 236, (HEIGHT, WIDTH), np.uint8)
    u, v = (RNG.integers(100, 156, (HEIGHT, WIDTH // 2), np.uint8) for _ in "uv")
    chroma = np.stack([u, v], axis=-1).reshape(HEIGHT, WIDTH)
    order = (y, chroma) if encoding in ("yuv422_yuy2", "yuyv") else (chroma, y)
    got = pixels.color(frame(encoding, np.stack(order, axis=-1), padding=padding))
    expected = of_yuv(y.astype(float), np.repeat(u, 2, axis=1), np.repeat(v, 2, axis=1))
    np.testing.assert_allclose(got, expected, atol=2.0)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_mosaic_keeps_what_each_site_measured(pattern, bits):
    """The site's own channel is what was measured, and a plain field of colour stays one."""
    dtype = np.uint8 if bits == 8 else np.uint16
    raw = RNG.integers(0, 256, (HEIGHT, WIDTH)).astype(dtype)
    sent = raw if bits == 8 else raw * 256 + 77
    got = pixels.color(frame(f"bayer_{pattern}{bits}", sent, padding=4))
    inner = (slice(1, -1), slice(1, -1))
    channel = np.tile(["rgb".index(c) for c in pattern], 1).reshape(2, 2)
    channel = np.tile(channel, (HEIGHT // 2, WIDTH // 2))
    own = np.take_along_axis(got, channel[..., None], axis=2)[..., 0]
    np.testing.assert_array_equal(own[inner], raw[inner])
    plain = np.array([200, 100, 50])[channel].astype(dtype)
    got = pixels.color(frame(f"bayer_{pattern}{bits}", plain if bits == 8 else plain * 256))
    np.testing.assert_array_equal(got[inner], np.broadcast_to([200, 100, 50], got[inner].shape))


@pytest.mark.parametrize("padding", [0, 12])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_whole_numbers_of_depth_are_millimetres(encoding, big, padding):
    got = pixels.depth(frame(encoding, WIDE[..., 0], padding=padding, big=big))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, WIDE[..., 0] / 1000.0, rtol=1e-6)


@pytest.mark.parametrize("padding", [0, 8])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("encoding", "dtype"), [("32FC1", np.float32), ("64FC1", np.float64)])
def test_fractions_of_depth_are_metres(encoding, dtype, big, padding):
    sent = RNG.random((HEIGHT, WIDTH)).astype(dtype)
    sent[0, :3] = np.nan, np.inf, -np.inf
    got = pixels.depth(frame(encoding, sent, padding=padding, big=big))
    np.testing.assert_array_equal(got, sent.astype(np.float32))


def test_every_encoding_is_met_here():
    assert set(pixels.DEPTH) == {"16UC1", "mono16", "32FC1", "64FC1"}
    mosaics = {f"bayer_{p}{b}" for p in ("rggb", "bggr", "gbrg", "grbg") for b in (8, 16)}
    pairs = {"yuv422", "uyvy", "yuv422_yuy2", "yuyv"}
    assert set(pixels.COLOR) == set(COLORS) | mosaics | pairs


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"encoding": "nv12"}, "'nv12'"),
        ({"encoding": ""}, "rgb8"),
        ({"encoding": "32FC1"}, "rgb8"),
        ({"height": 0}, "8 x 0"),
        ({"width": 2**31}, "at least"),
        ({"step": WIDTH * 3 - 1}, f"step={WIDTH * 3 - 1}"),
        ({"step": 0}, "step=0"),
        ({"data": b""}, "0 bytes"),
        ({"data": bytes(HEIGHT * WIDTH * 3 + 1)}, f"{HEIGHT * WIDTH * 3 + 1} bytes"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_pixel_is_read(change, told):
    good = frame("rgb8", RGB)
    fields = {f: getattr(good, f) for f in good.__dataclass_fields__}
    for read in (pixels.check_color, pixels.color):
        with pytest.raises(BadMessage, match=told):
            read(pixels.Frame(**(fields | change)))


@pytest.mark.parametrize(("encoding", "channels"), [("yuv422", 2), ("bayer_rggb8", 1)])
def test_half_a_block_is_refused(encoding, channels):
    odd = WIDTH - 1
    half = pixels.Frame(
        encoding=encoding,
        height=HEIGHT,
        width=odd,
        step=odd * channels,
        big_endian=False,
        data=bytes(HEIGHT * odd * channels),
    )
    with pytest.raises(BadMessage, match="blocks of 2"):
        pixels.color(half)


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_grbg16", "yuv422"])
def test_the_smallest_picture_is_one_too(encoding):
    size = 2 if encoding.endswith("8") else 4
    small = pixels.Frame(
        encoding=encoding, height=2, width=2, step=size, big_endian=False, data=bytes(2 * size)
    )
    assert pixels.color(small).shape == (2, 2, 3)


def test_depth_of_another_size_is_the_nearest_one():
    small = np.arange(12, dtype=np.float32).reshape(3, 4)
    twice = pixels.resized_depth(small, 6, 8)
    np.testing.assert_array_equal(twice, np.kron(small, np.ones((2, 2), np.float32)))
    np.testing.assert_array_equal(pixels.resized_depth(twice, 3, 4), small)
    assert pixels.resized_depth(small, 3, 4) is small
    odd = pixels.resized_depth(np.zeros((480, 848), np.float32), 240, 424)
    assert odd.shape == (240, 424)


@pytest.mark.parametrize("shape", [(3, 8), (480, 640), (1, 8)])
def test_depth_of_another_shape_is_refused(shape):
    with pytest.raises(BadMessage, match="registered"):
        pixels.resized_depth(np.zeros(shape, np.float32), 720, 1280)
