"""A small buffer of transforms: the last poses of each frame in its parent.

tf2's own buffer needs C++ that the pip path lacks. This one takes, of each transform on the way,
the one whose stamp is nearest: a picture is older than the newest transforms, and what carries the
camera has turned since.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import FloatArray

_DEEPEST = 50
KEPT = 100
"""Transforms of one frame: two seconds of what is published with every observation."""


class FrameTree:
    """Homogeneous transforms (4, 4) by child frame."""

    def __init__(self) -> None:
        self._parents: dict[str, deque[tuple[float, str, FloatArray]]] = {}

    def add(self, message: TFMessage) -> None:
        """Take the transforms of a message, those that mean something whatever the others are.

        Raises:
            BadMessage: a transform is not finite, no rotation, or between no two frames.
        """
        bad: BadMessage | None = None
        for stamped in message.transforms:
            try:
                self._add(stamped)
            except BadMessage as error:
                bad = error
        if bad is not None:
            raise bad

    def _add(self, stamped: TransformStamped) -> None:
        stamp, parent = conversions.time_from_msg(stamped.header.stamp), stamped.header.frame_id
        matrix = _matrix(stamped)
        kept = self._parents.setdefault(stamped.child_frame_id, deque(maxlen=KEPT))
        if kept and (kept[-1][1] != parent or kept[-1][0] > stamp):
            kept.clear()  # another parent, or time that went backwards
        kept.append((stamp, parent, matrix))

    def pose(self, target: str, frame: str, stamp_s: float = np.inf) -> FloatArray | None:
        """Pose of ``frame`` in its ancestor ``target``, shape (4, 4); None while unknown.

        Args:
            target: the ancestor.
            frame: a frame below it.
            stamp_s: the moment that is asked about; the newest where none is given.
        """
        matrix = np.eye(4)
        for _ in range(_DEEPEST):
            if frame == target:
                return matrix
            if frame not in self._parents:
                return None
            kept = self._parents[frame]
            newest = stamp_s >= kept[-1][0]
            _, frame, step = kept[-1] if newest else min(kept, key=lambda k: abs(k[0] - stamp_s))
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
