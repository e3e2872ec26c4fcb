"""What a walking robot's own camera tells, without drawing: seen from where it believes to be.

Things are placed relative to where the robot really is, and put down relative to where it believes
that it is, as perception does with a camera whose pose odometry tells. What is out of the picture
is remembered where it was last seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fmrl_robot.control.locomotion import yaw_of
from fmrl_robot.types import FloatArray, Pose, RobotState, Scene, SceneObject
from fmrl_sim.body import MujocoBody
from fmrl_sim.true_scene import true_objects

VIEW_RAD, RANGE_M = 0.75, 8.0
"""Half of the angle that the camera sees well, and how far."""
NOISE_M = 0.02


class OwnEyes:
    """A provider of scenes for a loop without ROS."""

    def __init__(self, seed: int, believed: Callable[[], RobotState | None] = lambda: None) -> None:
        """Take whose beliefs these are; a robot that has none yet sees things where they are."""
        self.believed = believed
        self._rng = np.random.default_rng(seed)
        self._known: dict[str, SceneObject] = {}

    def __call__(self, body: MujocoBody) -> Scene:
        """Look once."""
        really = body.data.qpos
        here, yaw = really[:2].copy(), float(yaw_of(really[3:7]))
        state = self.believed()
        told_here, told_yaw = here, yaw
        if state is not None and state.position is not None and state.quaternion is not None:
            told_here, told_yaw = state.position[:2], float(yaw_of(state.quaternion))
        for thing in true_objects(body.scene, body.data):
            seen = _turned(thing.pose.position[:2] - here, -yaw)
            off = abs(float(np.arctan2(seen[1], seen[0])))
            if thing.name in self._known and (off > VIEW_RAD or np.linalg.norm(seen) > RANGE_M):
                continue
            noisy = seen + self._rng.normal(0.0, NOISE_M, 2)
            at = told_here + _turned(noisy, told_yaw)
            pose = Pose(position=np.array([*at, thing.pose.position[2]]))
            self._known[thing.name] = replace(thing, pose=pose)
        return Scene(stamp_s=body.now, objects=tuple(self._known.values()))


def _turned(vector: FloatArray, angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])
