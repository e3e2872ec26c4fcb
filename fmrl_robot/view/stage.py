"""The 3D half of the page: the robot, the floor or table, and the objects of the scene."""

from __future__ import annotations

from typing import Any

import numpy as np

from fmrl_robot.motion.visuals import RobotVisuals
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene, SceneObject
from fmrl_robot.view.shapes import box, color_of, mesh_of


class Stage:
    """Owns what viser draws; every method may be called at the page's own rate."""

    def __init__(self, scene: Any, spec: RobotSpec) -> None:
        self._scene = scene
        self._spec = spec
        self._visuals = RobotVisuals(spec)
        self._frames: dict[str, Any] = {}
        self._objects: dict[str, tuple[Any, tuple[Any, ...]]] = {}
        self._build()

    def _build(self) -> None:
        scene = self._scene
        scene.set_up_direction("+z")
        floor = -0.42 if self._spec.kind == "arm" else 0.0
        scene.add_grid(
            "/floor",
            20.0,
            20.0,
            cell_size=0.25,
            cell_color=(52, 60, 74),
            section_color=(74, 86, 106),
            position=(0.0, 0.0, floor),
        )
        if self._spec.kind == "arm":
            vertices, faces = box(0.9, 1.3, 0.04, (0.42, 0.0, -0.0215))
            scene.add_mesh_simple(
                "/table", vertices, faces, color=(196, 178, 154), flat_shading=True
            )
        for body in {shape.body for shape in self._visuals.shapes()}:
            self._frames[body] = scene.add_frame(f"/robot/{body}", show_axes=False)
        for number, shape in enumerate(self._visuals.shapes()):
            scene.add_mesh_simple(
                f"/robot/{shape.body}/{number}", shape.vertices, shape.faces, color=shape.color
            )
        self.move(self._spec.default, None)

    def move(self, q: FloatArray, base: tuple[FloatArray, FloatArray] | None) -> None:
        """Put the robot into this pose; see RobotVisuals.poses."""
        if base is None and self._spec.kind == "quadruped":
            base = (np.array([0.0, 0.0, self._spec.base_height_m]), np.array([1.0, 0, 0, 0]))
        poses = self._visuals.poses(q, base)
        for body, frame in self._frames.items():
            frame.position, frame.wxyz = poses[body]

    def show(self, scene: Scene) -> None:
        """Draw the objects that are known, and no others."""
        seen = {o.name for o in scene.objects}
        for name in [n for n in self._objects if n not in seen]:
            self._objects.pop(name)[0].remove()
        for thing in scene.objects:
            handle = self._object(thing)
            handle.position, handle.wxyz = thing.pose.position, thing.pose.quaternion

    def _object(self, thing: SceneObject) -> Any:
        # Perception's sizes tremble by fractions of a millimetre; a new mesh for each would flood
        # the browser.
        look = (thing.category, thing.color, *(round(float(v), 2) for v in thing.size))
        held = self._objects.get(thing.name)
        if held is not None and held[1] == look:
            return held[0]
        vertices, faces = mesh_of(thing)
        handle = self._scene.add_mesh_simple(
            f"/objects/{thing.name}",
            vertices,
            faces,
            color=color_of(thing),
            flat_shading=thing.category != "bowl",
            side="double",
        )
        self._objects[thing.name] = (handle, look)
        return handle
