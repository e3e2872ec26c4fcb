"""From what perception knows to boxes in the way of an arm.

Concave things (bowl, bin, drawer) are solid up to their rim here: a transit passes above them, and
what happens inside is the local policy's business.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.motion.collision import Box
from fmrl_robot.types import FloatArray, Pose, Scene, SceneObject

TABLE = Box(center=np.array([0.55, 0.0, -0.05]), half=np.array([0.42, 0.75, 0.05]))
"""The table before the robot; the base itself stands on it."""
CABINET_HALF_M = (0.108, 0.12, 0.041)
HANDLE_REACH_M = 0.066
"""How far the handle stands out from the front panel."""
_CABINET_BEHIND_M = 0.26


def yaw_of_pose(pose: Pose) -> float:
    """Turn of a pose about the vertical, rad."""
    w, x, y, z = pose.quaternion
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def boxes_of(item: SceneObject) -> tuple[Box, ...]:
    """Return the boxes that stand for one object, whose pose is the centre of its extent."""
    position, size = item.pose.position, item.size
    yaw = yaw_of_pose(item.pose)
    if item.category == "marker":
        return ()
    if item.category == "drawer":
        return _drawer(position, size, yaw)
    top = position[2] + size[2] / 2
    low = 0.0 if item.category != "cube" else position[2] - size[2] / 2
    center = np.array([position[0], position[1], (top + low) / 2])
    return (Box(center=center, half=np.array([size[0], size[1], top - low]) / 2, yaw=yaw),)


def _drawer(position: FloatArray, size: FloatArray, yaw: float) -> tuple[Box, ...]:
    """Drawer, handle and the cabinet's body, all solid from the table up."""
    out = np.array([np.cos(yaw), np.sin(yaw)])
    top = position[2] + size[2] / 2
    front = position[:2] - out * size[0] / 2
    handle = front - out * HANDLE_REACH_M / 2
    behind = position[:2] + out * _CABINET_BEHIND_M / 2
    return (
        Box(
            center=np.array([*position[:2], top / 2]),
            half=np.array([size[0] / 2, size[1] / 2, top / 2]),
            yaw=yaw,
        ),
        Box(
            center=np.array([*handle, top / 2]),
            half=np.array([HANDLE_REACH_M / 2, 0.058, top / 2]),
            yaw=yaw,
        ),
        Box(
            center=np.array([*behind, CABINET_HALF_M[2]]),
            half=np.array([_CABINET_BEHIND_M / 2, CABINET_HALF_M[1], CABINET_HALF_M[2]]),
            yaw=yaw,
        ),
    )


def obstacles(scene: Scene, without: tuple[str, ...] = ()) -> tuple[Box, ...]:
    """Return the table and every object of ``scene`` but those named, nearest things first."""
    found = [TABLE]
    for item in scene.objects:
        if item.name not in without:
            found.extend(boxes_of(item))
    return tuple(found)
