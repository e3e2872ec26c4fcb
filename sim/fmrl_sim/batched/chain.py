"""Kinematics of a serial arm on tensors: exact at the present joints, on every engine alike.

An engine's own frames are of the state before its last physics step, and the CPU and the GPU give
Jacobians in different ways; seven turns multiplied out cost less than asking either.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import mujoco
import numpy as np
import torch
from torch import Tensor


class Chain:
    """From the world through hinges to a site."""

    def __init__(
        self, model: mujoco.MjModel, joints: Sequence[str], site: str, device: torch.device
    ) -> None:
        """Read the fixed parts.

        Args:
            model: of the arm.
            joints: its hinges from the base outwards, all that lie between world and site.
            site: at its end.
            device: of the tensors.
        """
        hinges = [model.joint(name) for name in joints]
        bodies = [int(model.jnt_bodyid[joint.id]) for joint in hinges]
        ends = (0, *bodies)
        steps = [_fixed(model, a, b) for a, b in pairwise(ends)]
        last = _fixed(model, bodies[-1], int(model.site_bodyid[model.site(site).id]))
        at = model.site(site)
        steps.append(_then(last, (at.pos, _matrix(at.quat))))
        cross = np.stack([np.cross(np.eye(3), joint.axis) for joint in hinges])

        def tensor(values: object) -> Tensor:
            return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=device)

        self._offset = tensor([p for p, _ in steps])
        self._turn = tensor([r for _, r in steps])
        self._cross, self._cross2 = tensor(cross), tensor(cross @ cross)
        self._axis = tensor([joint.axis for joint in hinges])
        self._anchor = tensor([joint.pos for joint in hinges])
        self._zero = tensor([model.qpos0[joint.qposadr[0]] for joint in hinges])

    def __call__(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the site is.

        Args:
            q: of the hinges, rad, (n, k).

        Returns:
            Its position (n, 3) and rotation (n, 3, 3) in the world, and its Jacobian, linear over
            angular, (n, 6, k).
        """
        n, k = q.shape
        turned = (q - self._zero)[:, :, None, None]
        identity = torch.eye(3, device=q.device)
        # Rodrigues: all hinges at once.
        spins = identity + turned.sin() * self._cross + (1.0 - turned.cos()) * self._cross2
        position, rotation = q.new_zeros((n, 3)), identity.expand(n, 3, 3)
        anchors: list[Tensor] = []
        axes: list[Tensor] = []
        for i in range(k):
            position = position + rotation @ self._offset[i]
            rotation = rotation @ self._turn[i]
            anchor = position + rotation @ self._anchor[i]
            anchors.append(anchor)
            axes.append(rotation @ self._axis[i])
            rotation = rotation @ spins[:, i]
            position = anchor - rotation @ self._anchor[i]
        position = position + rotation @ self._offset[k]
        rotation = rotation @ self._turn[k]
        axis = torch.stack(axes, dim=2)
        arm = position[:, :, None] - torch.stack(anchors, dim=2)
        linear = torch.linalg.cross(axis, arm, dim=1)
        return position, rotation, torch.cat([linear, axis], dim=1)


_Pose = tuple[np.ndarray, np.ndarray]
"""Position (3,) and rotation (3, 3)."""


def _fixed(model: mujoco.MjModel, parent: int, body: int) -> _Pose:
    """Pose of a body's frame in that of an ancestor, joints between them at zero."""
    pose: _Pose = (np.zeros(3), np.eye(3))
    while body != parent:
        pose = _then((model.body_pos[body], _matrix(model.body_quat[body])), pose)
        body = int(model.body_parentid[body])
    return pose


def _then(one: _Pose, other: _Pose) -> _Pose:
    return one[0] + one[1] @ other[0], one[1] @ other[1]


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.ascontiguousarray(quaternion, dtype=np.float64))
    return matrix.reshape(3, 3)
