"""Says what is around the robot: from the cameras, or from the simulator where told so.

Perception runs in a worker thread on the newest frame, so that a slow look drops frames and never
piles them up.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import Any

from sensor_msgs.msg import CameraInfo, Image, JointState
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_nodes.frame_tree import FrameTree
from fmrl_nodes.lifecycle import WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.pixels import resized_depth
from fmrl_nodes.worker import Worker
from fmrl_robot.perception import CameraView, Proprioception, perceiver_for
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.types import FloatArray, Scene

WORLD = "world"
HAND, TOOL_M = "panda_hand", 0.1034
"""Link of the hand, and how far before it the fingertips meet, m."""
HOME_CAMERAS = {"arm": "front", "quadruped": "head"}


class SceneNode(FmrlNode):
    """Publisher of ``scene``."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("scene_node", **node_arguments)
        self._spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        self._truth: bool = self.declare(
            "ground_truth_scene", False, "relay what the simulator knows instead of looking"
        )
        self._camera: str = self.declare("camera", HOME_CAMERAS[self._spec.kind], "where to look")
        self._tree = FrameTree()
        self._image: Image | None = None
        self._depth: Image | None = None
        self._info: CameraInfo | None = None
        self._q: FloatArray | None = None
        self._looking = False
        self._scenes = 0

    def configure(self) -> None:
        """Open the camera, or the simulator's mouth."""
        self._publisher = self.create_publisher(fm.Scene, "scene", qos.EVENT)
        if self._truth:
            self.create_subscription(fm.Scene, "ground_truth/scene", self._relay, qos.EVENT)
            return
        self._perceiver = perceiver_for(self._spec)
        self._worker = Worker(self, "perception")
        camera = f"camera/{self._camera}"
        self.create_subscription(TFMessage, "tf", self._tree.add, qos.EVENT)
        self.create_subscription(TFMessage, "tf_static", self._tree.add, qos.LATCHED)
        self.create_subscription(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.create_subscription(CameraInfo, f"{camera}/camera_info", self._on_info, qos.SENSOR)
        self.create_subscription(Image, f"{camera}/depth", self._on_depth, qos.SENSOR)
        self.create_subscription(Image, f"{camera}/image_raw", self._on_image, qos.SENSOR)

    def close(self) -> None:
        """End the worker."""
        if hasattr(self, "_worker"):
            self._worker.close()

    def diagnose(self) -> Diagnosis:
        """Report how many scenes went out since the last report."""
        scenes, self._scenes = self._scenes, 0
        values = {"scenes_per_s": scenes, "source": "ground truth" if self._truth else "camera"}
        if not scenes:
            return Diagnosis(level=WARN, message="no scene in the last second", values=values)
        return Diagnosis(message="looking", values=values)

    def _relay(self, message: fm.Scene) -> None:
        if self.active:
            conversions.scene_from_msg(message)  # refuses what nobody should be told
            self._publisher.publish(message)
            self._scenes += 1

    def _on_joints(self, message: JointState) -> None:
        self._q = conversions.joint_state_from_msg(message, self._spec)[0]

    def _on_info(self, message: CameraInfo) -> None:
        conversions.intrinsics_from_msg(message, message.height, message.width)
        self._info = message

    def _on_depth(self, message: Image) -> None:
        conversions.check_depth(message)
        self._depth = message
        self._look()

    def _on_image(self, message: Image) -> None:
        conversions.check_color(message)
        self._image = message
        self._look()

    def _look(self) -> None:
        """Look at the newest frame once colour and depth of one moment are there."""
        image, depth, info = self._image, self._depth, self._info
        if image is None or depth is None or info is None or not self.active or self._looking:
            return
        if image.header.stamp != depth.header.stamp:
            return
        stamp = conversions.time_from_msg(image.header.stamp)
        pose = self._tree.pose(WORLD, info.header.frame_id, stamp)
        if pose is None:
            return
        height, width = image.height, image.width
        view = CameraView(
            rgb=conversions.color_from_msg(image),
            depth=resized_depth(conversions.depth_from_msg(depth), height, width),
            intrinsics=conversions.intrinsics_from_msg(info, height, width),
            rotation_to_world=pose[:3, :3],
            position_in_world=pose[:3, 3],
        )
        self._image, self._looking = None, True
        self._worker.submit(
            self._perceiver.look, view, self._proprioception(stamp), stamp, done=self._publish
        )

    def _proprioception(self, stamp_s: float) -> Proprioception:
        arm, tree = self._spec.kind == "arm", self._tree
        hand = tree.pose(WORLD, HAND, stamp_s) if arm else None
        base = None if arm else tree.pose(WORLD, self._spec.base_body, stamp_s)
        return Proprioception(
            q=self._q,
            tool=None if hand is None else hand[:3, 3] + TOOL_M * hand[:3, 2],
            base=None if base is None else base[:3, 3],
        )

    def _publish(self, looked: Future[Scene]) -> None:
        self._looking = False
        if looked.cancelled():
            return
        self._publisher.publish(conversions.scene_to_msg(looked.result(), WORLD))
        self._scenes += 1


def main() -> int:
    """Be the process ``scene_node``."""
    return run(SceneNode)


if __name__ == "__main__":
    sys.exit(main())
