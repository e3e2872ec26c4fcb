"""The Panda as the scenes use it: servos, compensated gravity and primitive collision shapes.

Mesh hulls are exact but slow and roll on flat faces. Hand and wrist become boxes and capsules, the
fingers get a flat pad each, and what never comes near the table (links 0 to 4) does not collide.
"""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_robot.robots import RobotSpec
from fmrl_sim.scenes.base import look_at, make_servos, robot_model

ROBOT_BIT, CUBE_BIT = 1, 2
TCP_OFFSET_M = 0.1034
"""From the hand's frame to the point between the finger tips, along the hand's z."""
PAD_FRICTION = (1.5, 0.02, 0.001)

_WRIST = {
    "link5": [((0.0, 0.075, -0.13), (0.0, 0.09, -0.02), 0.052)],
    "link6": [((0.0, 0.0, 0.0), (0.088, 0.02, 0.0), 0.055)],
    "link7": [((0.0, 0.0, 0.03), (0.0, 0.0, 0.09), 0.05)],
}
"""Capsules (from, to, radius) in each link's frame, around the link's mesh."""
_HAND_BOX = ((0.0, 0.0, 0.02), (0.032, 0.103, 0.046))
_PAD_BOX = ((0.0, 0.0048, 0.0450), (0.0095, 0.0048, 0.0088))
_FINGER_BOXES = (
    ((0.0, 0.0185, 0.011), (0.0105, 0.0075, 0.011), (1.0, 0.0, 0.0, 0.0)),
    ((0.0, 0.0150, 0.028), (0.0088, 0.0035, 0.0100), (1.0, 0.25, 0.0, 0.0)),
)
"""(centre, half extents, orientation wxyz) in a finger's frame; after Menagerie's mjx_panda."""


def arm_spec(robot: RobotSpec) -> mujoco.MjSpec:
    """Return the arm alone, its base at the world's origin.

    The real controller compensates gravity below the joint interface; so does this model.
    """
    spec = robot_model(robot)
    for unwanted in [*spec.keys, *spec.lights]:
        spec.delete(unwanted)
    for geom in list(spec.geoms):
        if geom.contype or geom.conaffinity:
            spec.delete(geom)
    make_servos(spec, robot)
    for body in spec.bodies[1:]:
        body.gravcomp = 1.0
    _add_wrist(spec)
    for finger in ("left_finger", "right_finger"):
        _add_finger(spec.body(finger), finger)
    hand = spec.body("hand")
    hand.add_site(name="tcp", pos=[0, 0, TCP_OFFSET_M], size=[0.005] * 3, group=4)
    eye, target = np.array([0.085, 0.0, 0.045]), np.array([0.010, 0.0, 0.16])
    hand.add_camera(
        name="wrist", pos=eye, quat=look_at(eye, target, np.array([1.0, 0.0, 0.0])), fovy=75
    )
    return spec


def _collider(body: mujoco.MjsBody, **shape: object) -> mujoco.MjsGeom:
    return body.add_geom(
        contype=ROBOT_BIT, conaffinity=0, group=3, mass=0, rgba=[0.6, 0.2, 0.2, 0.4], **shape
    )


def _add_wrist(spec: mujoco.MjSpec) -> None:
    for link, capsules in _WRIST.items():
        for start, end, radius in capsules:
            _collider(
                spec.body(link),
                type=mujoco.mjtGeom.mjGEOM_CAPSULE,
                fromto=[*start, *end],
                size=[radius, 0, 0],
            )
    centre, half = _HAND_BOX
    _collider(spec.body("hand"), name="hand", type=mujoco.mjtGeom.mjGEOM_BOX, pos=centre, size=half)


def _add_finger(body: mujoco.MjsBody, name: str) -> None:
    for centre, half, quat in _FINGER_BOXES:
        _collider(body, type=mujoco.mjtGeom.mjGEOM_BOX, pos=centre, size=half, quat=quat)
    centre, half = _PAD_BOX
    pad = _collider(body, name=f"{name}_pad", type=mujoco.mjtGeom.mjGEOM_BOX, pos=centre, size=half)
    pad.condim, pad.friction, pad.priority = 4, PAD_FRICTION, 1
    pad.solref, pad.solimp = [0.01, 1.0], [0.95, 0.99, 0.001, 0.5, 2.0]
