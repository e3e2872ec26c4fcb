"""What the simulator's first camera sees, large and smooth, for those who look: page and video.

It is drawn only while somebody subscribes, in a process of its own, and time never waits for it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage

from fmrl_nodes import conversions, qos
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_nodes.sim_messages import optical_frame
from fmrl_sim.body import MujocoBody
from fmrl_sim.film_process import FilmProcess
from fmrl_sim.scenes.base import SceneModel, SceneState

TOPIC = "camera/{camera}/film/compressed"
FILM_HZ = 10.0
"""Pictures a simulated second."""


class Film:
    """The publisher, and the process behind it."""

    def __init__(self, node: FmrlNode, scene: SceneModel, width: int) -> None:
        camera = scene.cameras[0]
        self._scene, self._size = scene, (width, width * 3 // 4)
        self._frame = optical_frame(camera)
        self._publisher = node.create_publisher(
            CompressedImage, TOPIC.format(camera=camera), qos.SENSOR
        )
        self._process: FilmProcess | None = None
        self._due_s = 0.0

    def take(self, body: MujocoBody, unsent: deque[tuple[Publisher, Any]]) -> None:
        """Queue the picture that is ready, ask for the next one that is due; never wait."""
        still = self._process.poll() if self._process is not None else None
        if still is not None:
            header = conversions.header(still.stamp_s, self._frame)
            message = CompressedImage(header=header, format="jpeg", data=still.jpeg)
            unsent.append((self._publisher, message))
        if body.now < self._due_s:
            return
        self._due_s = body.now + 1.0 / FILM_HZ
        if not self._publisher.get_subscription_count():
            return
        if self._process is None:
            self._process = FilmProcess(self._scene, *self._size)
        self._process.ask(body.now, SceneState.of(body.data))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None
