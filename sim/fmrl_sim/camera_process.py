"""Cameras in a process of their own, so that drawing a picture never delays a command.

The simulator sends a copied state and goes on; the pictures of that state come back when they are
ready. A camera that is still busy is simply not asked again.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import mujoco

from fmrl_robot.registry import SCENES
from fmrl_sim.render import IMAGE_SIZE, Frame, SceneRenderer
from fmrl_sim.scenes.base import SceneModel, SceneState

_READY_TIMEOUT_S = 30.0
NICENESS = 5
"""Pictures may wait; commands may not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """What every camera saw at one moment."""

    stamp_s: float
    frames: dict[str, Frame]


Picture = TypeVar("Picture")


class PictureProcess(Generic[Picture]):
    """The simulator's end of a process that draws; used by one thread."""

    def __init__(
        self, module: str, scene: SceneModel, size: Sequence[int], threads: str = "2"
    ) -> None:
        """Start ``python -m module`` with the scene's name and the size of its pictures."""
        ours, theirs = socket.socketpair()
        with theirs:
            # The list of arguments is fixed but for names that the registry has resolved.
            self._child = subprocess.Popen(  # noqa: S603
                [
                    sys.executable,
                    "-m",
                    module,
                    str(theirs.fileno()),
                    scene.name,
                    scene.robot.name,
                    *map(str, size),
                ],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "LP_NUM_THREADS": os.environ.get("LP_NUM_THREADS", threads)},
            )
        self._pipe: Connection = Connection(ours.detach())
        self._busy = True  # until its first message, which says that it is ready
        self._ready = False

    def wait(self, timeout_s: float = _READY_TIMEOUT_S) -> bool:
        """Wait until the cameras can draw; False where they never could."""
        if not self._ready and self._pipe.poll(timeout_s):
            self.poll()
        return self._ready

    def ask(self, stamp_s: float, state: SceneState) -> bool:
        """Ask for pictures of ``state``; False (and nothing happens) while it is busy or gone."""
        if self._busy:
            return False
        self._busy = True
        try:
            self._pipe.send((stamp_s, state))
        except OSError:
            return False
        return True

    def poll(self) -> Picture | None:
        """Return the pictures asked for once they are there; never waits."""
        try:
            if not self._pipe.poll():
                return None
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._busy = True
            return None
        self._busy = False
        if not self._ready:
            self._ready = True
            return None
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._child.poll() is None

    def close(self) -> None:
        """End the process; it ends by itself once the line is cut."""
        self._pipe.close()
        try:
            self._child.wait(timeout=3.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(timeout=3.0)


class CameraProcess(PictureProcess[Shot]):
    """Cameras as perception, policies and rewards see them."""

    def __init__(self, scene: SceneModel, size: int = IMAGE_SIZE) -> None:
        super().__init__("fmrl_sim.camera_process", scene, (size,))


def serve(pipe: Connection, scene: SceneModel, size: int) -> None:
    """Draw until the line is cut."""
    data = mujoco.MjData(scene.model)
    with SceneRenderer(scene.model, size, size) as renderer:
        for camera in scene.cameras:
            renderer.rgb(data, camera)  # the first picture compiles the shaders
        pipe.send("ready")
        while True:
            stamp_s, state = pipe.recv()
            state.apply(scene.model, data)
            frames = {camera: renderer.frame(data, camera) for camera in scene.cameras}
            pipe.send(Shot(stamp_s=stamp_s, frames=frames))


def serve_as_child(arguments: Sequence[str], draw: Callable[..., None]) -> int:
    """Draw for the simulator until it cuts the line; the arguments come from ``PictureProcess``."""
    # The simulator decides when to end, by cutting the line: a signal to the group must not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Drawing must not inherit the body's real-time scheduling.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    descriptor, scene, robot, *size = arguments
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        draw(Connection(int(descriptor)), SCENES.load(scene)(robot), *map(int, size))
    return 0


if __name__ == "__main__":
    # Not as __main__: what is pickled here has to be found by the simulator under its own name.
    from fmrl_sim import camera_process

    sys.exit(camera_process.serve_as_child(sys.argv[1:], camera_process.serve))
