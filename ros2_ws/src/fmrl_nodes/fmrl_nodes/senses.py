"""What a planner hears of the graph: the newest scene, picture and verdict of the reward node."""

from __future__ import annotations

import time

from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMessage

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_robot.types import Image, Scene, SubGoal, Success

PICTURE_AGE_S = 2.0
"""A picture that came longer ago, by the wall, shows nothing of now."""


class Senses:
    """Subscriptions of a node; heard in its executor, read from a worker's thread."""

    def __init__(self, node: Node, camera: str) -> None:
        """Listen.

        Args:
            node: that listens.
            camera: whose pictures; empty: none are taken.
        """
        self._scene: tuple[Scene, float] | None = None
        self._picture: tuple[ImageMessage, float] | None = None
        self._verdict: tuple[str, float, Success] | None = None
        node.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)
        node.create_subscription(fm.Reward, "reward", self._on_reward, qos.EVENT)
        if camera:
            topic = f"camera/{camera}/image_raw"
            node.create_subscription(ImageMessage, topic, self._on_image, qos.SENSOR)

    def _on_scene(self, message: fm.Scene) -> None:
        self._scene = conversions.scene_from_msg(message), time.monotonic()

    def _on_image(self, message: ImageMessage) -> None:
        conversions.check_color(message)
        self._picture = message, time.monotonic()

    def _on_reward(self, message: fm.Reward) -> None:
        said = conversions.reward_from_msg(message)
        stamp_s = conversions.time_from_msg(message.header.stamp)
        verdict = said.success if said.valid else Success.UNKNOWN
        self._verdict = message.subgoal_id, stamp_s, verdict

    def scene(self, heard_after_s: float, seen_since_s: float) -> Scene | None:
        """The newest, or None where there is none that shows how things stand.

        Args:
            heard_after_s: it came after this, by the monotonic clock.
            seen_since_s: its picture was taken no earlier, by the node's clock. What a slow
                perception tells after a step ended may be of while it went on.
        """
        heard = self._scene
        if heard is None or heard[1] <= heard_after_s or heard[0].stamp_s < seen_since_s:
            return None
        return heard[0]

    def picture(self) -> Image | None:
        """What the camera sees, RGB, or None where nothing came lately."""
        heard = self._picture
        if heard is None or time.monotonic() - heard[1] > PICTURE_AGE_S:
            return None
        return conversions.color_from_msg(heard[0])

    def verdict(self, subgoal: SubGoal, since_s: float) -> Success:
        """What the reward node last said of a sub-goal.

        Args:
            subgoal: it is known by its id, which an earlier task may have used as well.
            since_s: when it began, by the node's clock; frames from before show something else.
        """
        heard = self._verdict
        if heard is None or heard[0] != subgoal.id or heard[1] < since_s:
            return Success.UNKNOWN
        return heard[2]
