import numpy as np
import pytest

pytest.importorskip("tf2_msgs.msg", reason="needs the ros extra and tf2_msgs")

from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from fmrl_nodes.frame_tree import FrameTree


def link(parent, child, x=0.0, yaw=0.0):
    stamped = TransformStamped(child_frame_id=child)
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


def test_an_unknown_frame_has_no_pose():
    assert FrameTree().pose("world", "arm") is None


def test_a_loop_of_frames_is_no_endless_search():
    tree = FrameTree()
    tree.add(link("a", "b"))
    tree.add(link("b", "a"))
    assert tree.pose("world", "a") is None
