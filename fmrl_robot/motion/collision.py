"""Whether an arm configuration touches anything: the robot's hulls against simple obstacles.

Compiled once with a pool of mocap obstacles whose sizes are set at run time, so that a new scene
costs microseconds and not a compilation. The hand's fingers and a carried object are boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from fmrl_robot.motion.kinematics import HAND_BODY, TOOL_OFFSET_M, arm_model
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray

_POOL = 24
_ROBOT_BIT, _OBSTACLE_BIT = 1, 2
_FINGER_HALF_M = (0.011, 0.013, 0.030)
_PARKED = np.array([0.0, 0.0, -50.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """An obstacle, or what the hand carries."""

    center: FloatArray
    """In the base frame (a carried box: in the tool's frame), m, shape (3,)."""
    half: FloatArray
    """Half extents, m, shape (3,)."""
    yaw: float = 0.0
    """Turn about the vertical, rad."""


class CollisionModel:
    """The robot, a table at z = 0 and a changeable set of boxes."""

    def __init__(self, spec: RobotSpec, menagerie: Path | None = None) -> None:
        self.spec = spec
        model = arm_model(spec, menagerie)
        self._simplify(model)
        self._add_obstacles(model)
        self.model = model.compile()
        self.data = mujoco.MjData(self.model)
        self._qpos = np.array([self.model.joint(n).qposadr[0] for n in spec.model_joints])
        self._boxes = [self.model.geom(f"obstacle{i}").id for i in range(_POOL)]
        self._carried = self.model.geom("carried").id
        self.carry(None)
        self.set_obstacles(())

    def _simplify(self, model: mujoco.MjSpec) -> None:
        for finger in ("left_finger", "right_finger"):
            body = model.body(finger)
            for geom in list(body.geoms):
                model.delete(geom)
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=[0.0, 0.0125, 0.025],
                size=_FINGER_HALF_M,
                contype=_ROBOT_BIT,
                conaffinity=_ROBOT_BIT | _OBSTACLE_BIT,
            )
        # A body of its own: the broad phase looks at the bounds of bodies, not of geoms.
        carried = model.body(HAND_BODY).add_body(name="carried", pos=[0.0, 0.0, TOOL_OFFSET_M])
        carried.add_geom(
            name="carried",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[0.02] * 3,
            contype=0,
            conaffinity=_OBSTACLE_BIT,
        )
        for geom in model.geoms:
            if geom.name != "carried":
                geom.contype, geom.conaffinity = _ROBOT_BIT, _ROBOT_BIT | _OBSTACLE_BIT
        # The base stands on the table; fingers, hand and wrist are one rigid neighbourhood.
        for a, b in (
            ("left_finger", "right_finger"),
            ("left_finger", HAND_BODY),
            ("right_finger", HAND_BODY),
            ("left_finger", "link7"),
            ("right_finger", "link7"),
            ("link5", "link7"),
            ("link6", HAND_BODY),
        ):
            model.add_exclude(bodyname1=a, bodyname2=b)

    def _add_obstacles(self, model: mujoco.MjSpec) -> None:
        for i in range(_POOL):
            body = model.worldbody.add_body(name=f"obstacle{i}", mocap=True, pos=_PARKED)
            body.add_geom(
                name=f"obstacle{i}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[0.05] * 3,
                contype=_OBSTACLE_BIT,
                conaffinity=_ROBOT_BIT,
            )

    def set_obstacles(self, boxes: tuple[Box, ...], margin_m: float = 0.008) -> None:
        """Replace the obstacles; each grows by ``margin_m`` on every side."""
        for i, geom in enumerate(self._boxes):
            if i >= len(boxes):
                self.data.mocap_pos[i] = _PARKED
                continue
            box = boxes[i]
            self.data.mocap_pos[i] = box.center
            self.data.mocap_quat[i] = np.cos(box.yaw / 2), 0.0, 0.0, np.sin(box.yaw / 2)
            self._resize(geom, box.half + margin_m)

    def carry(self, box: Box | None) -> None:
        """Attach ``box`` to the tool, or nothing."""
        geom = self._carried
        touches = 0 if box is None else 1
        self.model.geom_contype[geom] = 0
        self.model.geom_conaffinity[geom] = touches * _OBSTACLE_BIT
        if box is not None:
            body = self.model.geom_bodyid[geom]
            self.model.body_pos[body] = box.center + np.array([0.0, 0.0, TOOL_OFFSET_M])
            self._resize(geom, box.half)

    def _resize(self, geom: int, half: FloatArray) -> None:
        """Set a box's half extents and the bounds that the broad phase looks at."""
        self.model.geom_size[geom] = half
        self.model.geom_rbound[geom] = np.linalg.norm(half)
        self.model.geom_aabb[geom] = [0.0, 0.0, 0.0, *half]
        body = self.model.geom_bodyid[geom]
        self.model.bvh_aabb[self.model.body_bvhadr[body]] = [0.0, 0.0, 0.0, *half]

    def touches(self, q: FloatArray) -> tuple[str, ...]:
        """Return what configuration ``q`` (n,) touches: names of bodies, pairs joined by ``-``."""
        self._settle(q)
        model, data = self.model, self.data
        pairs: list[str] = []
        for i in range(data.ncon):
            a, b = data.contact.geom[i]
            pairs.append(
                f"{model.body(model.geom_bodyid[a]).name}-{model.body(model.geom_bodyid[b]).name}"
            )
        return tuple(pairs)

    def free(self, q: FloatArray) -> bool:
        """Whether configuration ``q`` touches nothing."""
        self._settle(q)
        return self.data.ncon == 0

    def penetration(self, q: FloatArray) -> float:
        """Deepest overlap at ``q``, m; 0 where nothing touches."""
        self._settle(q)
        return float(max(0.0, -min((c.dist for c in self.data.contact), default=0.0)))

    def _settle(self, q: FloatArray) -> None:
        self.data.qpos[:] = float(q[-1])
        self.data.qpos[self._qpos] = q
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_collision(self.model, self.data)
