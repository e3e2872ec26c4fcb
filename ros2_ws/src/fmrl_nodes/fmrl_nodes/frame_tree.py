"""A small buffer of transforms: the newest pose of each frame in its parent.

tf2's own buffer needs C++ that the pip path lacks; this one looks up the present only.
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import FloatArray

_DEEPEST = 50


class FrameTree:
    """Homogeneous transforms (4, 4) by child frame."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, FloatArray]] = {}

    def add(self, message: TFMessage) -> None:
        """Take the transforms of a message, those that mean something whatever the others are.

        Raises:
            BadMessage: a transform is not finite, no rotation, or between no two frames.
        """
        bad: BadMessage | None = None
        for stamped in message.transforms:
            try:
                self._parents[stamped.child_frame_id] = (
                    stamped.header.frame_id,
                    _matrix(stamped),
                )
            except BadMessage as error:
                bad = error
        if bad is not None:
            raise bad

    def pose(self, target: str, frame: str) -> FloatArray | None:
        """Pose of ``frame`` in its ancestor ``target``, shape (4, 4); None while unknown."""
        matrix = np.eye(4)
        for _ in range(_DEEPEST):
            if frame == target:
                return matrix
            if frame not in self._parents:
                return None
            frame, step = self._parents[frame]
            matrix = step @ matrix
        return None


def _matrix(stamped: TransformStamped) -> FloatArray:
    parent, child = stamped.header.frame_id, stamped.child_frame_id
    if not child or not parent or child == parent:
        raise BadMessage(f"expected a transform between two frames, got {parent!r} to {child!r}")
    matrix = np.eye(4)
    try:
        matrix[:3, :3] = _rotation(conversions.quaternion_from_msg(stamped.transform.rotation))
        matrix[:3, 3] = conversions.vector_from_msg(stamped.transform.translation, "translation")
    except BadMessage as error:
        raise BadMessage(f"frame {child!r}: {error}") from error
    return matrix


def _rotation(wxyz: FloatArray) -> FloatArray:
    w, x, y, z = wxyz / np.linalg.norm(wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
