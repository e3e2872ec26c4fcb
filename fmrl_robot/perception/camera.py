"""A pinhole camera's view: colour and depth with everything needed to place pixels in the world.

Depth is the distance along the optical axis (what ``32FC1`` depth images carry), so that a pixel's
point is ``depth * ray``. The optical frame is ROS's: x right, y down, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import BoolArray, FloatArray, Image

DepthImage = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraView:
    """One frame of one camera."""

    rgb: Image
    """Shape (height, width, 3)."""
    depth: DepthImage
    """Along the optical axis, m, shape (height, width); not finite or 0 where unknown."""
    intrinsics: FloatArray
    """K of sensor_msgs/CameraInfo, shape (3, 3)."""
    rotation_to_world: FloatArray
    """Turns vectors of the optical frame into the world frame, shape (3, 3)."""
    position_in_world: FloatArray
    """Of the optical centre, m, shape (3,)."""

    def rays(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> FloatArray:
        """Directions in the world through pixel centres, with unit depth, shape (pixels, 3)."""
        k = self.intrinsics
        x = (columns - k[0, 2]) / k[0, 0]
        y = (rows - k[1, 2]) / k[1, 1]
        in_camera = np.stack([x, y, np.ones_like(x)], axis=1)
        return in_camera @ self.rotation_to_world.T

    def points(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> FloatArray:
        """Seen points in the world at those pixels, m, shape (pixels, 3)."""
        depth = self.depth[rows, columns].astype(np.float64)
        return self.position_in_world + depth[:, None] * self.rays(rows, columns)

    def points_of(self, mask: BoolArray) -> FloatArray:
        """Seen points in the world under ``mask`` (height, width), shape (pixels, 3)."""
        rows, columns = np.nonzero(mask & self.valid_depth())
        return self.points(rows, columns)

    def valid_depth(self) -> BoolArray:
        """Where depth is known, shape (height, width)."""
        return np.isfinite(self.depth) & (self.depth > 0.0)

    def project(self, points_in_world: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return pixel coordinates (points, 2) as column, row, and depths (points,)."""
        in_camera = (points_in_world - self.position_in_world) @ self.rotation_to_world
        depth = in_camera[:, 2]
        k = self.intrinsics
        scale = np.where(np.abs(depth) > 1e-9, depth, 1e-9)
        column = k[0, 0] * in_camera[:, 0] / scale + k[0, 2]
        row = k[1, 1] * in_camera[:, 1] / scale + k[1, 2]
        return np.stack([column, row], axis=1), depth
