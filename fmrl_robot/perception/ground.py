"""Coloured markers on the floor around a quadruped, from the camera that follows it."""

from __future__ import annotations

import numpy as np

from fmrl_robot.perception.camera import CameraView
from fmrl_robot.perception.colors import blobs, mask_of, to_hsv
from fmrl_robot.perception.perceiver import Proprioception
from fmrl_robot.types import FloatArray, Pose, Predicate, Scene, SceneObject

COLORS = ("red", "green", "blue")
RADIUS_M, HEIGHT_M = 0.12, 0.30
NEAR_M = 0.6
_LEAST_POINTS = 12


class GroundPerceiver:
    """Remembers markers that have left the picture."""

    def __init__(self) -> None:
        self._markers: dict[str, tuple[FloatArray, float]] = {}

    def look(self, view: CameraView, robot: Proprioception, stamp_s: float) -> Scene:
        """Look once."""
        hsv = to_hsv(view.rgb)
        for color in COLORS:
            parts = blobs(mask_of(hsv, color))
            points = view.points_of(parts[0]) if parts else np.zeros((0, 3))
            if len(points) >= _LEAST_POINTS:
                self._markers[f"{color}_marker"] = (_axis(points, view), stamp_s)
        objects = tuple(
            SceneObject(
                name=name,
                category="marker",
                color=name.partition("_")[0],
                pose=Pose(position=np.array([*at, HEIGHT_M / 2])),
                size=np.array([2 * RADIUS_M, 2 * RADIUS_M, HEIGHT_M]),
                visible=seen_s == stamp_s,
            )
            for name, (at, seen_s) in self._markers.items()
        )
        near = frozenset(
            Predicate("near", ("robot", name))
            for name, (at, _) in self._markers.items()
            if robot.base is not None and np.linalg.norm(at - robot.base[:2]) < NEAR_M
        )
        return Scene(stamp_s=stamp_s, objects=objects, predicates=near, source="camera")


def _axis(points: FloatArray, view: CameraView) -> FloatArray:
    """Planar position of an upright cylinder: the side that is seen, moved inwards."""
    seen = np.median(points[:, :2], axis=0)
    away = seen - view.position_in_world[:2]
    # Columns of pixels are spread evenly over its width: half of what is seen lies within the
    # middle half, and the median as far before the axis as a cylinder is thick there.
    return seen + np.sqrt(0.75) * RADIUS_M * away / max(float(np.linalg.norm(away)), 1e-9)
