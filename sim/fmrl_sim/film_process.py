"""Pictures for video and page, in a process that everything else goes before.

They are larger and smoother than those that perception sees, nobody waits for them, and on a
machine without time for them they come more rarely.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

import cv2
import mujoco

from fmrl_robot.types import Image
from fmrl_sim.camera_process import NICENESS as STARTING
from fmrl_sim.camera_process import PictureProcess, serve_as_child
from fmrl_sim.scenes.base import SceneModel
from fmrl_sim.smooth import SmoothRenderer

NICENESS = 15
_QUALITY = 92
"""Of the JPEG: a picture of 640 x 480 becomes 60 kB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    """One picture."""

    stamp_s: float
    jpeg: bytes


class FilmProcess(PictureProcess[Still]):
    """The simulator's end; used by one thread."""

    def __init__(self, scene: SceneModel, width: int, height: int) -> None:
        super().__init__("fmrl_sim.film_process", scene, (width, height), threads="1")


def serve(pipe: Connection, scene: SceneModel, width: int, height: int) -> None:
    """Draw what the scene's first camera sees until the line is cut."""
    data = mujoco.MjData(scene.model)
    camera = scene.cameras[0]
    with SmoothRenderer(scene.model, width, height) as renderer:
        renderer.rgb(data, camera)  # the first picture compiles the shaders
        pipe.send("ready")
        # Only now: at this priority a busy machine would not let it start for a minute.
        os.nice(NICENESS - STARTING)
        while True:
            stamp_s, state = pipe.recv()
            state.apply(scene.model, data)
            pipe.send(Still(stamp_s=stamp_s, jpeg=jpeg_of(renderer.rgb(data, camera))))


def jpeg_of(picture: Image) -> bytes:
    """Compress an RGB picture."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


if __name__ == "__main__":
    # Not as __main__: what is pickled here has to be found by the simulator under its own name.
    from fmrl_sim import film_process

    sys.exit(serve_as_child(sys.argv[1:], film_process.serve))
