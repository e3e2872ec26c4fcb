"""The 3D half of the page: the robot, the floor or table, and the objects of the scene.

Everything hangs on one frame, the world. A robot that walks stays in the picture because the world
is moved under it: moving the viewers' cameras instead would fight with the hands that turn them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.motion.visuals import RobotVisuals
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene, SceneObject
from fmrl_robot.view.shapes import Part, box, parts_of

WORLD = "/world"
_FOLLOW = 0.3
"""Share of the way to the robot that the picture's centre goes at each redraw: it neither jerks
with every step nor falls far behind."""
_JUMP_M = 1.0
"""A robot this far from the centre was put there, and the picture goes along at once."""


@dataclass(kw_only=True, slots=True)
class _Thing:
    """What is drawn of one object."""

    look: tuple[Any, ...]
    frame: Any
    parts: list[tuple[Part, Any]]


class Stage:
    """Owns what viser draws; every method may be called at the page's own rate."""

    def __init__(self, scene: Any, spec: RobotSpec) -> None:
        self._scene = scene
        self._spec = spec
        self._visuals = RobotVisuals(spec)
        self._frames: dict[str, Any] = {}
        self._objects: dict[str, _Thing] = {}
        self.centre = np.zeros(2)
        """Where in the world, m, the middle of the picture is."""
        self._build()

    def _build(self) -> None:
        scene = self._scene
        scene.set_up_direction("+z")
        self._world = scene.add_frame(WORLD, show_axes=False)
        floor = -0.42 if self._spec.kind == "arm" else 0.0
        scene.add_grid(
            f"{WORLD}/floor",
            cell_size=0.25,
            cell_color=(52, 60, 74),
            section_color=(74, 86, 106),
            position=(0.0, 0.0, floor),
            infinite_grid=True,
            fade_distance=12.0,
        )
        if self._spec.kind == "arm":
            vertices, faces = box(0.9, 1.3, 0.04, (0.42, 0.0, -0.0215))
            scene.add_mesh_simple(
                f"{WORLD}/table", vertices, faces, color=(196, 178, 154), flat_shading=True
            )
        for body in {shape.body for shape in self._visuals.shapes()}:
            self._frames[body] = scene.add_frame(f"{WORLD}/robot/{body}", show_axes=False)
        for number, shape in enumerate(self._visuals.shapes()):
            scene.add_mesh_simple(
                f"{WORLD}/robot/{shape.body}/{number}",
                shape.vertices,
                shape.faces,
                color=shape.color,
            )
        self.move(self._spec.default, None)

    def move(self, q: FloatArray, base: tuple[FloatArray, FloatArray] | None) -> None:
        """Put the robot into this pose, see RobotVisuals.poses, and keep it in the picture."""
        if base is None and self._spec.kind == "quadruped":
            base = (np.array([0.0, 0.0, self._spec.base_height_m]), np.array([1.0, 0, 0, 0]))
        if base is not None:
            self._follow(base[0][:2])
        poses = self._visuals.poses(q, base)
        for body, frame in self._frames.items():
            frame.position, frame.wxyz = poses[body]

    def _follow(self, at: FloatArray) -> None:
        away = at - self.centre
        share = 1.0 if np.linalg.norm(away) > _JUMP_M else _FOLLOW
        self.centre = self.centre + share * away
        self._world.position = (-float(self.centre[0]), -float(self.centre[1]), 0.0)

    def show(self, scene: Scene) -> None:
        """Draw the objects that are known, and no others."""
        seen = {o.name for o in scene.objects}
        for name in [n for n in self._objects if n not in seen]:
            self._objects.pop(name).frame.remove()
        for item in scene.objects:
            thing = self._thing(item)
            thing.frame.position, thing.frame.wxyz = item.pose.position, item.pose.quaternion
            for part, handle in thing.parts:
                handle.position = tuple(item.travel * v for v in part.slide)

    def _thing(self, item: SceneObject) -> _Thing:
        # Perception's sizes tremble by fractions of a millimetre; a new mesh for each would flood
        # the browser.
        look = (item.category, item.color, *(round(float(v), 2) for v in item.size))
        held = self._objects.get(item.name)
        if held is not None and held.look == look:
            return held
        name = f"{WORLD}/objects/{item.name}"
        frame = self._scene.add_frame(name, show_axes=False)
        parts = [
            (
                part,
                self._scene.add_mesh_simple(
                    f"{name}/{number}",
                    *part.mesh,
                    color=part.color,
                    flat_shading=not part.smooth,
                    side="double",
                ),
            )
            for number, part in enumerate(parts_of(item))
        ]
        self._objects[item.name] = _Thing(look=look, frame=frame, parts=parts)
        return self._objects[item.name]
