"""What a robot looks like and where its parts are, for showing it in a browser.

The meshes are those of its MuJoCo model, so nothing has to be drawn or shipped twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from fmrl_robot.motion.model import robot_model
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One coloured mesh, rigid in its body."""

    body: str
    vertices: npt.NDArray[np.float32]
    """In the body's frame, m, shape (vertices, 3)."""
    faces: npt.NDArray[np.int32]
    """Shape (faces, 3)."""
    color: tuple[int, int, int]
    """RGB, 0 to 255."""


_CELL_M = 0.0025
"""Detail finer than this is invisible in a browser and slows it down tenfold."""


class RobotVisuals:
    """A robot's shapes and, for joint positions, the poses of its bodies."""

    def __init__(self, spec: RobotSpec) -> None:
        self._model: Any = robot_model(spec).compile()
        self._data: Any = mujoco.MjData(self._model)
        joints = [self._model.joint(name) for name in spec.model_joints]
        self._qpos = np.array([int(joint.qposadr[0]) for joint in joints])
        free = np.flatnonzero(self._model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)
        self._free = int(self._model.jnt_qposadr[free[0]]) if len(free) else None

    def shapes(self) -> list[Shape]:
        """One shape for each body and colour."""
        parts: dict[tuple[int, tuple[int, int, int]], list[tuple[Any, Any]]] = {}
        for geom in self._visible():
            key = (int(self._model.geom_bodyid[geom]), self._color(geom))
            parts.setdefault(key, []).append(self._mesh(geom))
        return [
            Shape(body=self._model.body(body).name, vertices=v, faces=f, color=color)
            for (body, color), meshes in parts.items()
            for v, f in [_merge(meshes)]
        ]

    def poses(
        self, q: FloatArray, base: tuple[FloatArray, FloatArray] | None = None
    ) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Position and quaternion wxyz of every body in the world.

        Args:
            q: joint positions in the order of the RobotSpec, shape (n,).
            base: position, shape (3,), and quaternion wxyz, shape (4,), of a floating base.
        """
        self._data.qpos[self._qpos] = q
        if self._free is not None and base is not None:
            self._data.qpos[self._free : self._free + 7] = np.concatenate(base)
        self._mirror()
        mujoco.mj_kinematics(self._model, self._data)
        return {
            self._model.body(i).name: (self._data.xpos[i].copy(), self._data.xquat[i].copy())
            for i in range(1, self._model.nbody)
        }

    def _mirror(self) -> None:
        """Move joints that an equality ties to another, such as the second finger."""
        model = self._model
        for i in np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_JOINT):
            one, other = int(model.eq_obj1id[i]), int(model.eq_obj2id[i])
            if other >= 0:
                # Either may be the commanded one; the two are equal in every hand we know.
                adr_one, adr_other = model.jnt_qposadr[one], model.jnt_qposadr[other]
                source, target = (
                    (adr_one, adr_other) if adr_one in self._qpos else (adr_other, adr_one)
                )
                self._data.qpos[target] = self._data.qpos[source]

    def _visible(self) -> list[int]:
        model = self._model
        meshes = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_MESH)
        shown = [g for g in meshes if not model.geom_contype[g] and not model.geom_conaffinity[g]]
        return [int(g) for g in (shown or meshes)]

    def _color(self, geom: int) -> tuple[int, int, int]:
        material = int(self._model.geom_matid[geom])
        rgba = self._model.mat_rgba[material] if material >= 0 else self._model.geom_rgba[geom]
        r, g, b = (round(255 * float(c)) for c in rgba[:3])
        return r, g, b

    def _mesh(self, geom: int) -> tuple[Any, Any]:
        model = self._model
        mesh = int(model.geom_dataid[geom])
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        face, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        vertices = model.mesh_vert[first : first + count] @ rotation.reshape(3, 3).T
        return vertices + model.geom_pos[geom], model.mesh_face[face : face + faces]


def _merge(meshes: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    offsets = np.cumsum([0, *(len(v) for v, _ in meshes)])
    vertices = np.concatenate([v for v, _ in meshes]).astype(np.float32)
    faces = np.concatenate([f + o for (_, f), o in zip(meshes, offsets, strict=False)])
    return _coarsen(vertices, faces.astype(np.int32))


def _coarsen(vertices: Any, faces: Any) -> tuple[Any, Any]:
    """Join the vertices of each small cell into one and drop the faces that vanish."""
    cells = np.round(vertices / _CELL_M).astype(np.int64)
    _, index, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    kept = inverse.reshape(-1)[faces].astype(np.int32)
    distinct = (kept[:, 0] != kept[:, 1]) & (kept[:, 1] != kept[:, 2]) & (kept[:, 0] != kept[:, 2])
    return vertices[index], np.unique(kept[distinct], axis=0)
