"""What the eyes are shown, whatever the camera's driver calls it."""

import array

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from fmrl_nodes.scene_node import SceneNode
from fmrl_robot.types import Scene

pytestmark = pytest.mark.graph

DOMAIN = 69
WIDTH, HEIGHT = 8, 6
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
MILLIMETRES = RNG.integers(300, 5000, (HEIGHT, WIDTH), np.uint16)
SMALL = MILLIMETRES[::2, ::2]


def picture(encoding, pixels, *, padding=0, big=False):
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    rows = np.hstack([rows, np.full((height, padding), 7, np.uint8)])
    message = Image(encoding=encoding, height=height, width=width, step=rows.shape[1])
    message.is_bigendian = int(big)
    message.data = array.array("B", rows.tobytes())
    return message


@pytest.fixture
def node():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    executor = SingleThreadedExecutor(context=context)
    node = SceneNode(context=context)
    executor.add_node(node)
    for transition in (node.trigger_configure, node.trigger_activate):
        assert transition() == TransitionCallbackReturn.SUCCESS
    yield node
    node.close()
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def seen(node, image, depth):
    """What the perceiver gets to see of the pair, or None; topics as a driver would publish."""
    views = []

    class Watcher:
        def look(self, view, robot, stamp_s):
            views.append(view)
            return Scene(stamp_s=stamp_s)

    node._perceiver = Watcher()
    door = {s.topic_name.rsplit("/", 1)[-1]: s.callback for s in node.subscriptions}
    still = TransformStamped(child_frame_id="eye")
    still.header.frame_id = "world"
    info = CameraInfo(width=2 * WIDTH, height=2 * HEIGHT, k=[9.0, 0, 7.5, 0, 9.0, 5.5, 0, 0, 1.0])
    info.header.frame_id = "eye"
    door["tf_static"](TFMessage(transforms=[still]))
    door["camera_info"](info)
    door["depth"](depth)
    door["image_raw"](image)
    while node._worker.busy:
        node.executor.spin_once(timeout_sec=0.1)
    return views[0] if views else None


CAMERAS = {
    "as the simulator": (picture("rgb8", RGB), picture("32FC1", (MILLIMETRES / 1e3).astype("f4"))),
    "BGR and mm": (picture("bgr8", RGB[..., ::-1]), picture("16UC1", MILLIMETRES)),
    "padded rows": (
        picture("rgb8", RGB, padding=8),
        picture("16UC1", MILLIMETRES, padding=3),
    ),
    "big-endian": (
        picture("rgb8", RGB, big=True),
        picture("32FC1", (MILLIMETRES / 1e3).astype(">f4"), big=True),
    ),
}


@pytest.mark.parametrize("pair", CAMERAS.values(), ids=CAMERAS)
def test_every_camera_shows_the_same(node, pair):
    view = seen(node, *pair)
    np.testing.assert_array_equal(view.rgb, RGB)
    np.testing.assert_allclose(view.depth, MILLIMETRES / 1e3, rtol=1e-6)
    # Calibrated at twice the size: the middle of the picture is still the middle.
    np.testing.assert_allclose(view.intrinsics, [[4.5, 0, 3.5], [0, 4.5, 2.5], [0, 0, 1]])
    assert not node.refused


def test_smaller_depth_of_the_same_view_is_read_at_the_nearest_pixel(node):
    view = seen(node, picture("rgb8", RGB), picture("16UC1", SMALL))
    np.testing.assert_allclose(view.depth, np.kron(SMALL, np.ones((2, 2))) / 1e3, rtol=1e-6)


@pytest.mark.parametrize(
    ("image", "depth", "topic"),
    [
        (picture("rgb8", RGB), picture("16UC1", MILLIMETRES[:, :5]), "camera/front/image_raw"),
        (picture("nv12", RGB), picture("16UC1", MILLIMETRES), "camera/front/image_raw"),
        (picture("rgb8", RGB), picture("rgb8", RGB), "camera/front/depth"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_the_next_is_seen(node, image, depth, topic):
    assert seen(node, image, depth) is None
    assert node.refused == {topic: 1}
    assert seen(node, *CAMERAS["BGR and mm"]) is not None
