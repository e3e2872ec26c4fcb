"""The scene as it really is, for runs whose perception is not under test."""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_robot.types import FloatArray, Pose, Scene, SceneObject
from fmrl_sim.body import MujocoBody
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.base import ObjectInfo, SceneModel

_DRAWER_CENTRE_Z_M = 0.041
_SLIDES = {"drawer": "drawer_slide", "button": "button_slide"}
"""The joint of what moves, by category."""


def true_scene(body: MujocoBody) -> Scene:
    """Objects with the centres of their boxes and their headings, and every fact that holds."""
    return Scene(
        stamp_s=body.now,
        objects=true_objects(body.scene, body.data),
        predicates=body.facts(),
        source="ground_truth",
    )


def true_objects(scene: SceneModel, data: mujoco.MjData) -> tuple[SceneObject, ...]:
    """What stands in a scene in one of its states, with centres of boxes and headings."""
    return tuple(_seen(data, info) for info in scene.objects)


def _seen(data: mujoco.MjData, info: ObjectInfo) -> SceneObject:
    frame = data.body(info.name)
    rotation = frame.xmat.reshape(3, 3)
    yaw = _yaw(rotation)
    return SceneObject(
        name=info.name,
        category=info.category,
        color=info.color,
        pose=Pose(
            position=frame.xpos + rotation @ _centre(info),
            quaternion=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
        ),
        size=info.size,
        travel=_travel(data, info),
    )


def _travel(data: mujoco.MjData, info: ObjectInfo) -> float:
    joint = _SLIDES.get(info.category)
    return float(data.joint(joint).qpos[0]) if joint else 0.0


def _centre(info: ObjectInfo) -> FloatArray:
    """From a body's origin to the centre of its box."""
    if info.category == "cube":
        return np.zeros(3)
    if info.category == "drawer":
        return np.array([f.DRAWER_LENGTH_M - info.size[0] / 2, 0.0, _DRAWER_CENTRE_Z_M])
    return np.array([0.0, 0.0, info.size[2] / 2])


def _yaw(rotation: FloatArray) -> float:
    """A cube that was tipped over has another face up; its edges still show its heading."""
    edge = 0 if int(np.abs(rotation[2]).argmax()) == 2 else 2
    return float(np.arctan2(rotation[1, edge], rotation[0, edge]))
