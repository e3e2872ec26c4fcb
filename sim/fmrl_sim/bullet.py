"""A second opinion: any scene's robot in PyBullet's own engine, behind the same gate.

The robot is the MuJoCo model written as URDF: its masses, inertias, joints and collision shapes;
what stands around it has the same primitive shapes. What PyBullet says otherwise is said so: joint
friction is a motor that wants to stand still and is as weak as the friction, compensated gravity is
none. The servo law runs at the physics rate with PyBullet's torque control. What slides in
furniture, drawer and button, stands still.

MuJoCo's data only mirror PyBullet's state, so that everything that reads a body reads this one.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pybullet

from fmrl_robot.types import FloatArray, Predicate
from fmrl_sim import urdf
from fmrl_sim.body import TICK_S, Gate, MujocoBody
from fmrl_sim.faults import Fault
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.scenes.base import SceneModel, SceneOptions

PHYSICS_DT_S = 0.001
SURFACE_FRICTION = 1.0
"""Of floor, table and furniture; PyBullet multiplies the friction of what touches."""


class _World:
    """PyBullet's functions for one server of its own."""

    def __init__(self) -> None:
        self._server: int = pybullet.connect(pybullet.DIRECT)

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(pybullet, name), physicsClientId=self._server)


class BulletTruth(GroundTruth):
    """Facts from PyBullet's contacts and the mirrored poses."""

    def __init__(self, scene: SceneModel, body: BulletBody) -> None:
        super().__init__(scene)
        self._body = body

    def _touching(self, data: mujoco.MjData) -> frozenset[tuple[str, str]]:
        del data
        pairs = self._body.touching()
        return frozenset({*pairs, *((b, a) for a, b in pairs)})


class BulletBody(MujocoBody):
    """One robot in its scene, in PyBullet."""

    def __init__(
        self,
        scene: SceneModel,
        gate: Gate,
        *,
        seed: int = 0,
        options: SceneOptions | None = None,
        fault: Fault | None = None,
        friction: float | None = None,
    ) -> None:
        """Build the world and put it into the state of ``seed``.

        Args:
            scene: compiled; only its shapes, masses and joints are used.
            gate: before the motors.
            seed: of the initial state.
            options: of the initial state.
            fault: spoils commands on purpose.
            friction: of a quadruped's feet; None: as the model has it.
        """
        model = scene.model
        self._world: Any = _World()
        self._world.setTimeStep(PHYSICS_DT_S)
        self._weightless = bool(model.body_gravcomp.any())
        if not self._weightless:
            self._world.setGravity(*model.opt.gravity)
        self._names: dict[tuple[int, int], str] = {}
        """What ground truth calls a link of a thing."""
        self._add_surroundings(model, set(urdf.robot_bodies(model, scene.robot)))
        self._add_robot(scene, friction)
        super().__init__(scene, gate, seed=seed, options=options, fault=fault)
        self.truth = BulletTruth(scene, self)

    # --- building ---------------------------------------------------------------------------------

    def _add_surroundings(self, model: mujoco.MjModel, robot: set[int]) -> None:
        """Floor or table, furniture that stands fast, and what lies about freely."""
        world, kinds = self._world, mujoco.mjtGeom
        self._free: dict[int, int] = {}
        self._fixed: dict[int, int] = {}
        for geom in range(model.ngeom):
            if model.geom_type[geom] == int(kinds.mjGEOM_PLANE) and model.geom_conaffinity[geom]:
                shape = world.createCollisionShape(pybullet.GEOM_PLANE)
                plane = world.createMultiBody(
                    0, shape, basePosition=[0.0, 0.0, model.geom_pos[geom][2]]
                )
                world.changeDynamics(plane, -1, lateralFriction=SURFACE_FRICTION)
                self._names[plane, -1] = model.geom(geom).name
        for body in sorted({*range(1, model.nbody)} - robot):
            shape = self._shape(model, body)
            if shape is None:
                continue
            fast = model.body_mocapid[model.body_rootid[body]] >= 0
            kind, mass = (self._fixed, 0.0) if fast else (self._free, float(model.body_mass[body]))
            thing = world.createMultiBody(mass, shape)
            friction = float(model.geom_friction[model.body_geomadr[body], 0])
            world.changeDynamics(
                thing, -1, lateralFriction=friction if mass else SURFACE_FRICTION,
                spinningFriction=0.01 if mass else 0.0,
                linearDamping=0.0, angularDamping=0.0,
            )  # fmt: skip
            kind[body] = thing
            self._names[thing, -1] = model.body(body).name

    def _shape(self, model: mujoco.MjModel, body: int) -> int | None:
        """The primitive shapes of a body as one; None where it has none that touches anything."""
        kinds = mujoco.mjtGeom
        shapes: dict[str, list[Any]] = {
            k: [] for k in ("shapeTypes", "halfExtents", "radii", "lengths", "p", "q")
        }
        first = int(model.body_geomadr[body])
        for geom in range(first, first + int(model.body_geomnum[body])):
            kind, size = int(model.geom_type[geom]), model.geom_size[geom]
            if not model.geom_conaffinity[geom]:
                continue
            boxy = kind == int(kinds.mjGEOM_BOX)
            shapes["shapeTypes"].append(pybullet.GEOM_BOX if boxy else pybullet.GEOM_CYLINDER)
            shapes["halfExtents"].append([*size] if boxy else [0.0, 0.0, 0.0])
            shapes["radii"].append(0.0 if boxy else size[0])
            shapes["lengths"].append(0.0 if boxy else 2 * size[1])
            shapes["p"].append([*model.geom_pos[geom]])
            shapes["q"].append(_xyzw(model.geom_quat[geom]))
        if not shapes["shapeTypes"]:
            return None
        return int(
            self._world.createCollisionShapeArray(
                shapeTypes=shapes["shapeTypes"],
                halfExtents=shapes["halfExtents"],
                radii=shapes["radii"],
                lengths=shapes["lengths"],
                collisionFramePositions=shapes["p"],
                collisionFrameOrientations=shapes["q"],
            )
        )

    def _add_robot(self, scene: SceneModel, friction: float | None) -> None:
        world, model, robot = self._world, scene.model, scene.robot
        arm = robot.kind == "arm"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "robot.urdf"
            file.write_text(urdf.write(model, robot, physical=True))
            flags = pybullet.URDF_USE_INERTIA_FROM_FILE
            self._robot: int = world.loadURDF(str(file), flags=flags, useFixedBase=arm)
        count = world.getNumJoints(self._robot)
        info = [world.getJointInfo(self._robot, i) for i in range(count)]
        links = {row[12].decode(): i for i, row in enumerate(info)}
        self._links = range(-1, count)
        bodies = urdf.robot_bodies(model, robot)
        moved = [b for b in bodies[1:] if model.body_jntnum[b]]
        self._joints = [links[urdf.link_name(model, robot, b)] for b in moved]
        joint_ids = [int(model.body_jntadr[b]) for b in moved]
        self._q_at = model.jnt_qposadr[joint_ids]
        self._dq_at = model.jnt_dofadr[joint_ids]
        for link in self._links:
            world.changeDynamics(self._robot, link, linearDamping=0.0, angularDamping=0.0)
        for body, joint, dof in zip(moved, self._joints, self._dq_at, strict=True):
            mass, moments, _ = urdf.inertia(model, body)
            world.changeDynamics(
                self._robot, joint, mass=mass, jointDamping=float(model.dof_damping[dof])
            )
            world.changeDynamics(self._robot, joint, localInertiaDiagonal=[*moments])
            world.setJointMotorControl2(
                self._robot,
                joint,
                pybullet.VELOCITY_CONTROL,
                targetVelocity=0.0,
                force=float(model.dof_frictionloss[dof]),
            )
        self._transmission = _transmission(model, [int(d) for d in self._dq_at])
        self._base = model.body(robot.base_body).id
        if arm:
            self._add_grip(model, links)
            return
        self._feet = [
            links[urdf.link_name(model, robot, int(model.geom(g).bodyid[0]))]
            for g in robot.foot_geoms
        ]
        self._contact_at = [int(model.sensor(f"{leg.value}_contact").adr[0]) for leg in robot.legs]
        if friction is None:
            friction = float(model.geom(robot.foot_geoms[0]).friction[0])
        for link in self._links:
            world.changeDynamics(self._robot, link, lateralFriction=friction)

    def _add_grip(self, model: mujoco.MjModel, links: dict[str, int]) -> None:
        """Fingers that move alike, with pads that hold."""
        pads = ("left_finger", "right_finger")
        robot_name = next(iter(links)).split("_")[0]
        fingers = [links[f"{robot_name}_{name}"] for name in pads]
        for finger, name in zip(fingers, pads, strict=True):
            pad = model.geom(f"{name}_pad")
            self._world.changeDynamics(
                self._robot,
                finger,
                lateralFriction=float(pad.friction[0]),
                spinningFriction=float(pad.friction[1]),
            )
            self._names[self._robot, finger] = f"{name}_pad"
        gear = self._world.createConstraint(
            self._robot, fingers[0], self._robot, fingers[1], pybullet.JOINT_GEAR,
            [1, 0, 0], [0, 0, 0], [0, 0, 0],
        )  # fmt: skip
        self._world.changeConstraint(gear, gearRatio=-1, erp=0.2, maxForce=1000)

    # --- state ------------------------------------------------------------------------------------

    def _begin(self, seed: int, options: SceneOptions) -> None:
        super()._begin(seed, options)
        world, data = self._world, self.data
        for joint, at in zip(self._joints, self._q_at, strict=True):
            world.resetJointState(self._robot, joint, float(data.qpos[at]))
        dynamics = world.getDynamicsInfo(self._robot, -1)
        self._centre = dynamics[3:5]
        """Of the base's mass, in the base's frame: where PyBullet sees the base."""
        if self.robot.kind != "arm":
            quat = _xyzw(data.xquat[self._base])
            world.resetBasePositionAndOrientation(
                self._robot,
                *world.multiplyTransforms([*data.xpos[self._base]], quat, *self._centre),
            )
        for body, thing in {**self._free, **self._fixed}.items():
            world.resetBasePositionAndOrientation(
                thing, [*data.xpos[body]], _xyzw(data.xquat[body])
            )
            world.resetBaseVelocity(thing, [0, 0, 0], [0, 0, 0])

    def _advance(self) -> None:
        world, data = self._world, self.data
        gain = self.model.actuator_biasprm
        limit = self.model.actuator_forcerange[:, 1]
        for _ in range(round(TICK_S / PHYSICS_DT_S)):
            states = world.getJointStates(self._robot, self._joints)
            q, dq = (np.array([s[i] for s in states]) for i in (0, 1))
            length, speed = self._transmission @ q, self._transmission @ dq
            effort = np.clip(data.ctrl + gain[:, 1] * length + gain[:, 2] * speed, -limit, limit)
            world.setJointMotorControlArray(
                self._robot,
                self._joints,
                pybullet.TORQUE_CONTROL,
                forces=self._transmission.T @ effort,
            )
            if self._weightless:
                for body, thing in self._free.items():
                    weight = self.model.body_mass[body] * self.model.opt.gravity
                    where, _ = world.getBasePositionAndOrientation(thing)
                    world.applyExternalForce(thing, -1, [*weight], where, pybullet.WORLD_FRAME)
            data.actuator_force[:] = effort
            world.stepSimulation()
            data.time += PHYSICS_DT_S
        self._mirror()

    def _mirror(self) -> None:
        """Write PyBullet's state into MuJoCo's data."""
        world, data, model = self._world, self.data, self.model
        states = world.getJointStates(self._robot, self._joints)
        data.qpos[self._q_at] = [s[0] for s in states]
        data.qvel[self._dq_at] = [s[1] for s in states]
        if self.robot.kind != "arm":
            back = world.invertTransform(*self._centre)
            there = world.getBasePositionAndOrientation(self._robot)
            position, quat = world.multiplyTransforms(*there, *back)
            linear, angular = (np.array(v) for v in world.getBaseVelocity(self._robot))
            quat = _wxyz(quat)
            local, turned = np.zeros(3), np.zeros(3)
            conjugate = np.zeros(4)
            mujoco.mju_negQuat(conjugate, quat)
            mujoco.mju_rotVecQuat(local, angular, conjugate)
            mujoco.mju_rotVecQuat(turned, np.array(self._centre[0]), quat)
            data.qpos[:3], data.qpos[3:7] = position, quat
            data.qvel[:3], data.qvel[3:6] = linear - np.cross(angular, turned), local
            for foot, at in zip(self._feet, self._contact_at, strict=True):
                force = sum(p[9] for p in world.getContactPoints(self._robot, linkIndexA=foot))
                data.sensordata[at], data.sensordata[at + 3] = force > 0.0, force
        for body, thing in self._free.items():
            at = int(model.jnt_qposadr[model.body_jntadr[body]])
            position, quat = world.getBasePositionAndOrientation(thing)
            data.qpos[at : at + 3], data.qpos[at + 3 : at + 7] = position, _wxyz(quat)
        mujoco.mj_kinematics(model, data)

    # --- truth ------------------------------------------------------------------------------------

    def holds(self, goal: Any) -> bool:
        """See MujocoBody; nothing of MuJoCo's is asked what touches."""
        wanted: list[Predicate] = [*goal]
        return all(self.truth.holds(p, self.data) for p in wanted)

    def touching(self) -> set[tuple[str, str]]:
        """Names of what is in contact."""
        found: set[tuple[str, str]] = set()
        for point in self._world.getContactPoints():
            one, two = (self._names.get((point[i], point[i + 2])) for i in (1, 2))
            if one and two and point[8] < 0.001:
                found.add((one, two))
        return found

    def velocity(self) -> FloatArray:
        """Of a quadruped's base forward, left and up in its heading frame, m/s, shape (3,)."""
        w, x, y, z = self.data.qpos[3:7]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        c, s = np.cos(yaw), np.sin(yaw)
        vx, vy, vz = self.data.qvel[:3]
        return np.array([c * vx + s * vy, c * vy - s * vx, vz])

    def close(self) -> None:
        """End the simulation."""
        self._world.disconnect()


def _transmission(model: mujoco.MjModel, dofs: list[int]) -> FloatArray:
    """What each actuator pulls at, shape (actuators, joints): a joint, or fingers' tendon."""
    out = np.zeros((model.nu, len(dofs)))
    for actuator in range(model.nu):
        target = int(model.actuator_trnid[actuator, 0])
        if model.actuator_trntype[actuator] == int(mujoco.mjtTrn.mjTRN_JOINT):
            out[actuator, dofs.index(int(model.jnt_dofadr[target]))] = 1.0
            continue
        first = int(model.tendon_adr[target])
        for wrap in range(first, first + int(model.tendon_num[target])):
            dof = int(model.jnt_dofadr[model.wrap_objid[wrap]])
            out[actuator, dofs.index(dof)] = model.wrap_prm[wrap]
    return out


def _xyzw(quat: FloatArray) -> list[float]:
    w, x, y, z = quat
    return [x, y, z, w]


def _wxyz(quat: Any) -> FloatArray:
    x, y, z, w = quat
    return np.array([w, x, y, z])
