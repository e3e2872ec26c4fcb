"""What the body tells of frames, and what only odometry may."""

import mujoco
import numpy as np
import pytest

pytest.importorskip("tf2_msgs.msg", reason="needs the ros extra and tf2_msgs")

from fmrl_nodes import conversions
from fmrl_nodes.frame_tree import FrameTree
from fmrl_nodes.sim_messages import WORLD, Frames, optical_frame
from fmrl_robot.motion.obstacles import yaw_of_pose
from fmrl_robot.safety import Gate
from fmrl_robot.types import Pose
from fmrl_sim.body import MujocoBody
from fmrl_sim.render import optical_pose
from fmrl_sim.scenes.ground import build


@pytest.fixture(scope="module")
def body():
    scene = build("go2")
    body = MujocoBody(scene, Gate(scene.robot))
    body.data.qpos[:2] = 1.0, -2.0
    body.data.qpos[3:7] = np.cos(0.4), 0.0, 0.0, np.sin(0.4)
    mujoco.mj_forward(body.model, body.data)
    return body


def test_where_a_walking_robots_base_is_in_the_world_nobody_is_told(body):
    frames = Frames(body)
    told = [*frames.moving().transforms, *frames.fixed().transforms]
    assert "base" not in {t.child_frame_id for t in told}
    assert WORLD not in {t.header.frame_id for t in told}


@pytest.mark.parametrize("camera", ["head", "follow"])
def test_a_camera_is_where_odometry_has_the_base_whatever_the_truth(body, camera):
    frames, tree = Frames(body), FrameTree()
    tree.add(frames.moving())
    tree.add(frames.fixed())
    assert tree.pose(WORLD, optical_frame(camera)) is None
    # Odometry that is right gives the true pose of the camera.
    base = conversions.transform_to_msg(
        WORLD, "base", body.data.qpos[:3], body.data.qpos[3:7], body.now
    )
    tree.add(type(frames.moving())(transforms=[base]))
    position, rotation = optical_pose(body.data, camera)
    found = tree.pose(WORLD, optical_frame(camera))
    assert np.allclose(found[:3, 3], position, atol=1e-6)
    assert np.allclose(found[:3, :3], rotation, atol=1e-6)


def test_odometry_as_a_message():
    pose = Pose(
        position=np.array([1.0, 2.0, 0.3]),
        quaternion=np.array([np.cos(0.3), 0.0, 0.0, np.sin(0.3)]),
        frame="odom",
    )
    linear, angular = np.array([0.5, 0.1, 0.0]), np.array([0.0, 0.0, 0.7])
    message = conversions.odometry_to_msg(pose, linear, angular, "base", 12.5)
    assert (message.header.frame_id, message.child_frame_id) == ("odom", "base")
    assert conversions.time_from_msg(message.header.stamp) == 12.5
    back = conversions.pose_from_msg(message.pose.pose, "odom")
    assert np.allclose(back.position, pose.position)
    assert np.isclose(yaw_of_pose(back), 0.6)
    assert np.isclose(message.twist.twist.linear.x, 0.5)
    assert np.isclose(message.twist.twist.angular.z, 0.7)
