"""A second opinion: a quadruped in PyBullet's own engine, behind the same gate.

The robot is the MuJoCo model written as URDF: its masses, inertias, joints and collision shapes.
What PyBullet has no word for is left out (rotor inertia), what it says otherwise is said so: joint
friction as a motor that wants to stand still and is as weak as the friction. The servo law runs at
the physics rate with PyBullet's torque control.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pybullet
from pybullet_utils.bullet_client import BulletClient

from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import BoolArray, FloatArray, JointCommand, RobotState
from fmrl_sim import urdf
from fmrl_sim.body import TICK_S, Gate
from fmrl_sim.scenes.ground import FOOT_FRICTION, add_floor, quadruped_spec, standing_qpos
from fmrl_sim.servos import SIT_KD, STAND_KD, STAND_KP

PHYSICS_DT_S = 0.001
STANDING_UP = 0.5
"""Cosine of the tilt below which a robot has fallen."""


class BulletQuadruped:
    """One quadruped on a level floor; offers what a body offers."""

    def __init__(
        self, robot: RobotSpec, gate: Gate, *, seed: int = 0, friction: float = FOOT_FRICTION[0]
    ) -> None:
        """Stand the robot up, headed anywhere by ``seed``."""
        self.robot, self.gate = robot, gate
        spec = quadruped_spec(robot)
        add_floor(spec, robot)
        self._model = model = spec.compile()
        world: Any = BulletClient(pybullet.DIRECT)
        self._world = world
        world.setGravity(0.0, 0.0, -9.81)
        world.setTimeStep(PHYSICS_DT_S)
        plane = world.createCollisionShape(pybullet.GEOM_PLANE)
        self._floor = world.createMultiBody(0, plane)
        world.changeDynamics(self._floor, -1, lateralFriction=1.0)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "robot.urdf"
            file.write_text(urdf.write(model, robot, physical=True))
            self._robot: int = world.loadURDF(str(file), flags=pybullet.URDF_USE_INERTIA_FROM_FILE)
        self._find(model)
        self._set_up(model, friction)
        self._stand(seed)
        self._steps = 0
        self._stopped = False
        self.send(self._resting())

    def _find(self, model: mujoco.MjModel) -> None:
        world = self._world
        count = world.getNumJoints(self._robot)
        info = [world.getJointInfo(self._robot, i) for i in range(count)]
        joints = {row[1].decode(): i for i, row in enumerate(info)}
        links = {row[12].decode(): i for i, row in enumerate(info)}
        self._joints = [joints[name] for name in self.robot.joint_names]
        self._links = range(-1, count)
        feet = [int(model.geom(name).bodyid[0]) for name in self.robot.foot_geoms]
        self._feet = [links[urdf.link_name(model, self.robot, body)] for body in feet]

    def _set_up(self, model: mujoco.MjModel, friction: float) -> None:
        world, robot = self._world, self._robot
        for link in self._links:
            world.changeDynamics(
                robot, link, lateralFriction=friction, linearDamping=0.0, angularDamping=0.0
            )
        for name, joint in zip(self.robot.model_joints, self._joints, strict=True):
            dof = int(model.joint(name).dofadr[0])
            world.changeDynamics(robot, joint, jointDamping=float(model.dof_damping[dof]))
            world.setJointMotorControl2(
                robot,
                joint,
                pybullet.VELOCITY_CONTROL,
                targetVelocity=0.0,
                force=float(model.dof_frictionloss[dof]),
            )

    def _stand(self, seed: int) -> None:
        world, model = self._world, self._model
        qpos = standing_qpos(self.robot, model)
        yaw = np.random.default_rng(seed).uniform(-np.pi, np.pi)
        quat = np.array([0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)])
        # PyBullet's base is its centre of mass, in the axes of its inertia.
        self._dynamics = world.getDynamicsInfo(self._robot, -1)
        centre, turn = self._dynamics[3:5]
        place = [0.0, 0.0, qpos[2] + 0.005]
        world.resetBasePositionAndOrientation(
            self._robot, *world.multiplyTransforms(place, quat, centre, turn)
        )
        for joint, q in zip(self._joints, self.robot.default, strict=True):
            world.resetJointState(self._robot, joint, q)

    def _resting(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        n = self.robot.num_joints
        return np.full(n, STAND_KP), np.full(n, STAND_KD), STAND_KP * self.robot.default

    # --- body -------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Physics time in s."""
        return self._steps * PHYSICS_DT_S

    def submit(self, command: JointCommand) -> None:
        """Hand a command to the gate."""
        self.gate.submit(command, self.now)

    def tick(self) -> None:
        """Ask the gate and advance physics by ``TICK_S``."""
        self.gate.observe(self._joint_states()[0])
        answer = self.gate.tick(self.now)
        n = self.robot.num_joints
        if answer.stopped:
            self.send((np.zeros(n), np.full(n, SIT_KD), np.zeros(n)))
        elif answer.command is not None:
            c = answer.command
            self.send((c.kp, c.kd, c.kp * c.position + c.kd * c.velocity + c.effort))
        kp, kd, feed = self._servo
        for _ in range(round(TICK_S / PHYSICS_DT_S)):
            q, dq = self._joint_states()
            effort = np.clip(feed - kp * q - kd * dq, -self.robot.effort, self.robot.effort)
            self._world.setJointMotorControlArray(
                self._robot, self._joints, pybullet.TORQUE_CONTROL, forces=effort
            )
            self._world.stepSimulation()
            self._steps += 1
            self._effort = effort

    def send(self, servo: tuple[FloatArray, FloatArray, FloatArray]) -> None:
        """Follow ``feed - kp q - kd dq`` from the next tick on."""
        self._servo = servo
        self._effort = np.zeros(self.robot.num_joints)

    def read(self) -> RobotState:
        """Measure; contacts in SAYTAP_LEGS order."""
        q, dq = self._joint_states()
        _, quaternion = self.base
        _, omega = self._world.getBaseVelocity(self._robot)
        return RobotState(
            stamp_s=self.now,
            q=q,
            dq=dq,
            tau=self._effort,
            quaternion=quaternion,
            angular_velocity=_inverse(quaternion, np.array(omega)),
            contacts=self.foot_contacts(),
        )

    # --- truth ------------------------------------------------------------------------------------

    @property
    def base(self) -> tuple[FloatArray, FloatArray]:
        """Position and orientation wxyz of the base's own frame."""
        world = self._world
        centre, turn = self._dynamics[3:5]
        there = world.getBasePositionAndOrientation(self._robot)
        back = world.invertTransform(centre, turn)
        position, (x, y, z, w) = world.multiplyTransforms(*there, *back)
        return np.array(position), np.array([w, x, y, z])

    def velocity(self) -> FloatArray:
        """Of the base forward, left and up in its heading frame, m/s, shape (3,)."""
        linear, _ = self._world.getBaseVelocity(self._robot)
        w, x, y, z = self.base[1]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        return _inverse(np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]), np.array(linear))

    def foot_contacts(self) -> BoolArray:
        """Feet on the ground, shape (4,)."""
        return np.array(
            [
                any(
                    point[9] > 0.0
                    for point in self._world.getContactPoints(self._robot, self._floor, foot, -1)
                )
                for foot in self._feet
            ]
        )

    def fallen(self) -> bool:
        """Whether it lies, or has tipped over."""
        (_, _, height), (_, x, y, _) = self.base
        return bool(
            1 - 2 * (x * x + y * y) < STANDING_UP or height < 0.5 * self.robot.base_height_m
        )

    def close(self) -> None:
        """End the simulation."""
        self._world.disconnect()

    def _joint_states(self) -> tuple[FloatArray, FloatArray]:
        states = self._world.getJointStates(self._robot, self._joints)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])


def _inverse(quat: FloatArray, vector: FloatArray) -> FloatArray:
    """Turn a vector by the inverse of a quaternion wxyz."""
    out, conjugate = np.zeros(3), np.zeros(4)
    mujoco.mju_negQuat(conjugate, quat)
    mujoco.mju_rotVecQuat(out, vector, conjugate)
    return out
