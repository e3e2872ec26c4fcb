"""Fewer triangles for small pictures: vertices that share a cell are drawn as one.

Robots' visual meshes have hundreds of thousands of triangles, most of them smaller than a pixel of
a camera's picture; on a CPU rasteriser they are what a picture costs. Only what is drawn changes:
physics has its own copy of the model, and every corner keeps its normal.
"""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

_CORNERS = ("mesh_face", "mesh_facenormal", "mesh_facetexcoord")


def coarsen(model: mujoco.MjModel, cell_m: float) -> None:
    """Redraw every mesh of ``model`` with vertices joined within cells of ``cell_m``, in place."""
    for mesh in range(model.nmesh):
        faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        same = _representatives(model.mesh_vert[first : first + count], cell_m)
        joined = same[model.mesh_face[faces]]
        a, b, c = joined.T
        kept = np.flatnonzero((a != b) & (b != c) & (c != a))
        _, unique = np.unique(np.sort(joined[kept], axis=1), axis=0, return_index=True)
        kept = kept[np.sort(unique)]
        for name in _CORNERS:
            corners = getattr(model, name)
            chosen = (joined if name == "mesh_face" else corners[faces].copy())[kept]
            corners[faces.start : faces.start + len(kept)] = chosen
        model.mesh_facenum[mesh] = len(kept)


def _representatives(vertices: npt.NDArray[np.float32], cell_m: float) -> npt.NDArray[np.int64]:
    """For each vertex the one of its cell that lies closest to the cell's mean, shape (n,)."""
    _, cell = np.unique(np.floor(vertices / cell_m).astype(np.int64), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    size = np.bincount(cell)
    mean = np.stack([np.bincount(cell, axis) / size for axis in vertices.T.astype(np.float64)], 1)
    away = np.linalg.norm(vertices - mean[cell], axis=1)
    order = np.lexsort((away, cell))
    firsts = order[np.searchsorted(cell[order], np.arange(len(size)))]
    return firsts[cell]
