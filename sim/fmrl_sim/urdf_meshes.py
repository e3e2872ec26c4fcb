"""A robot's shapes as STL files for its URDF, written from the installed model when asked for.

No mesh of anybody's robot is part of this project; viewers of the ROS world want files, so they get
files made of what the MuJoCo model holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fmrl_robot.motion.model import robot_model
from fmrl_robot.motion.visuals import RobotVisuals, Shape
from fmrl_robot.robots import RobotSpec
from fmrl_sim import urdf

_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


@dataclass(frozen=True, kw_only=True, slots=True)
class Mesh:
    """One coloured file, rigid in its body."""

    file: Path
    color: tuple[int, int, int]
    """RGB, 0 to 255."""


def describe(robot: RobotSpec, meshes: Path | None = None, *, world: bool = False) -> str:
    """Return the URDF of a robot from its installed model.

    Args:
        robot: whose.
        meshes: folder to write its shapes to; None: links and joints alone.
        world: fix the base to a link ``world``, for viewers without a simulator.

    Raises:
        ConfigError: the model is not installed; the message says what to install.
    """
    model = robot_model(robot).compile()
    visuals = write_meshes(robot, meshes) if meshes is not None else None
    return urdf.write(model, robot, visuals, world=world)


def write_meshes(robot: RobotSpec, folder: Path) -> dict[str, list[Mesh]]:
    """Write one binary STL for each body and colour; return them by body."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Mesh]] = {}
    for shape in RobotVisuals(robot).shapes():
        meshes = found.setdefault(shape.body, [])
        file = folder.resolve() / f"{robot.name}_{shape.body}_{len(meshes)}.stl"
        file.write_bytes(stl(shape))
        meshes.append(Mesh(file=file, color=shape.color))
    return found


def stl(shape: Shape) -> bytes:
    """Return a shape as binary STL: 80 bytes of header, a count, and its triangles in m."""
    corners = shape.vertices[shape.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    triangles = np.zeros(len(corners), _TRIANGLE)
    triangles["normal"] = normals / np.where(lengths > 0, lengths, 1.0)
    triangles["corners"] = corners
    return b"fmrl_robot".ljust(80) + np.uint32(len(corners)).tobytes() + triangles.tobytes()
