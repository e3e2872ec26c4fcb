"""The simulator's pictures: what its cameras see, and the film for those who look.

Both are drawn in processes of their own from a copied state, and are published one message a tick,
so that no observation comes later for a picture.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image

from fmrl_nodes import conversions, qos
from fmrl_nodes.film import Film
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_nodes.sim_messages import camera_info_to_msg, optical_frame
from fmrl_sim.body import MujocoBody
from fmrl_sim.camera_process import CameraProcess, Shot
from fmrl_sim.pacing import PICTURE_AHEAD_S, Lockstep
from fmrl_sim.scenes.base import SceneModel, SceneState

SPACING = 0.8
"""Of the period, at least, lies between two pictures, however late the first of them came."""


class Cameras:
    """The publishers, and the processes behind them."""

    def __init__(
        self,
        node: FmrlNode,
        scene: SceneModel,
        *,
        size: int,
        hz: float,
        film_width: int,
        patience_s: float,
    ) -> None:
        """Start to draw.

        Args:
            node: publishes.
            scene: whose cameras these are.
            size: pixels of a side of their pictures.
            hz: pictures a simulated second.
            film_width: pixels; 0: no film.
            patience_s: wall seconds that time waits for a picture that is due; 0: never.
        """
        self._process = CameraProcess(scene, size)
        self._film = Film(node, scene, film_width) if film_width else None
        self._period_s = 1.0 / hz
        self._due = Lockstep(patience_s, PICTURE_AHEAD_S + self._period_s)
        self._next_s = 0.0
        self._unsent: deque[tuple[Publisher, Any]] = deque()
        self._publishers = {
            camera: (
                node.create_publisher(Image, f"camera/{camera}/image_raw", qos.SENSOR),
                node.create_publisher(Image, f"camera/{camera}/depth", qos.SENSOR),
                node.create_publisher(CameraInfo, f"camera/{camera}/camera_info", qos.SENSOR),
            )
            for camera in scene.cameras
        }

    @property
    def alive(self) -> bool:
        """Whether the cameras' process still runs; nothing depends on the film's."""
        return self._process.alive

    def wait(self) -> bool:
        """Wait until the cameras can draw; False where they never could."""
        return self._process.wait()

    def late(self, now_s: float, wall_s: float) -> bool:
        """Whether time has to wait for a picture."""
        return self._due.waits(now_s, wall_s)

    def restart(self) -> None:
        """Let time wait for no picture until the next has come."""
        self._due.restart()

    def take(self, body: MujocoBody) -> None:
        """Publish a message of what is drawn, ask for what is due; never wait."""
        if self._film is not None:
            self._film.take(body, self._unsent)
        shot = self._process.poll()
        if shot is not None:
            self._due.heard(shot.stamp_s, time.monotonic())
            self._queue(body, shot)
        if self._unsent:
            # One at a time: all of a moment are more than the buffer of a reader's socket may hold.
            publisher, message = self._unsent.popleft()
            publisher.publish(message)
        if body.now >= self._next_s and self._process.ask(body.now, SceneState.of(body.data)):
            # One that came late brings the next no nearer than SPACING; the rate stays what it was.
            soonest = body.now + SPACING * self._period_s
            self._next_s = max(self._next_s + self._period_s, soonest)

    def _queue(self, body: MujocoBody, shot: Shot) -> None:
        for camera, frame in shot.frames.items():
            image, depth, info = self._publishers[camera]
            name = optical_frame(camera)
            height, width = frame.depth.shape
            self._unsent += [
                (image, conversions.image_to_msg(frame.rgb, shot.stamp_s, name)),
                (depth, conversions.image_to_msg(frame.depth, shot.stamp_s, name)),
                (info, camera_info_to_msg(body.model, camera, width, height, shot.stamp_s)),
            ]

    def close(self) -> None:
        """End the processes."""
        self._process.close()
        if self._film is not None:
            self._film.close()
