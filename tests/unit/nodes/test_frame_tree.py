import numpy as np
import pytest

pytest.importorskip("tf2_msgs.msg", reason="needs the ros extra and tf2_msgs")

from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from fmrl_nodes import conversions
from fmrl_nodes.frame_tree import KEPT, FrameTree


def link(parent, child, x=0.0, yaw=0.0, stamp_s=0.0):
    stamped = TransformStamped(child_frame_id=child)
    stamped.header = conversions.header(stamp_s)
    stamped.header.frame_id = parent
    stamped.transform.translation.x = x
    stamped.transform.rotation.w = float(np.cos(yaw / 2))
    stamped.transform.rotation.z = float(np.sin(yaw / 2))
    return TFMessage(transforms=[stamped])


def test_transforms_are_chained_from_child_to_ancestor():
    tree = FrameTree()
    tree.add(link("world", "arm", x=1.0, yaw=np.pi / 2))
    tree.add(link("arm", "camera", x=2.0))
    assert np.allclose(tree.pose("world", "camera")[:3, 3], [1.0, 2.0, 0.0])
    assert np.allclose(tree.pose("world", "camera")[:3, 0], [0.0, 1.0, 0.0])


def test_the_newest_transform_counts():
    tree = FrameTree()
    tree.add(link("world", "arm", x=1.0))
    tree.add(link("world", "arm", x=3.0))
    assert tree.pose("world", "arm")[0, 3] == 3.0


def test_a_picture_is_placed_by_where_the_camera_was_when_it_was_taken():
    tree = FrameTree()
    for tick in range(KEPT + 50):
        tree.add(link("odom", "base", x=0.01 * tick, stamp_s=0.02 * tick))
    tree.add(link("base", "camera", x=0.3))
    assert np.isclose(tree.pose("odom", "camera", 2.405)[0, 3], 0.3 + 1.20)
    assert np.isclose(tree.pose("odom", "camera")[0, 3], 0.3 + 0.01 * (KEPT + 49))
    assert np.isclose(tree.pose("odom", "camera", 99.0)[0, 3], 0.3 + 0.01 * (KEPT + 49))
    # Older than all that is kept: the oldest.
    assert np.isclose(tree.pose("odom", "camera", 0.0)[0, 3], 0.3 + 0.5)


def test_time_that_goes_backwards_and_another_parent_begin_anew():
    tree = FrameTree()
    tree.add(link("odom", "base", x=1.0, stamp_s=5.0))
    tree.add(link("odom", "base", x=2.0, stamp_s=1.0))
    assert tree.pose("odom", "base", 5.0)[0, 3] == 2.0
    tree.add(link("map", "base", x=3.0, stamp_s=1.1))
    assert tree.pose("odom", "base") is None
    assert tree.pose("map", "base", 0.0)[0, 3] == 3.0


def test_an_unknown_frame_has_no_pose():
    assert FrameTree().pose("world", "arm") is None


def test_a_loop_of_frames_is_no_endless_search():
    tree = FrameTree()
    tree.add(link("a", "b"))
    tree.add(link("b", "a"))
    assert tree.pose("world", "a") is None
