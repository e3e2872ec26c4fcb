"""The motors of a simulated robot: the command law and the stop kinds, as actuator parameters.

``tau = kp (q* - q) + kd (dq* - dq) + effort`` is MuJoCo's affine actuator with gain 1: what depends
on the state goes into the bias, the rest into ctrl. So the law runs at the physics rate, damping is
integrated implicitly, and the model's effort limits clamp it.
"""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, JointCommand

BRAKE_S = 0.25
"""How long an arm brakes before it holds where it came to rest."""
SIT_KD = 3.0
"""Damping in N m s/rad that lets a quadruped sink to the floor in about a second."""
STAND_KP, STAND_KD = 70.0, 3.0
"""Gains with which a quadruped stands before anybody commands it."""


class Servos:
    """Writes actuator parameters of one private model; never share that model."""

    def __init__(self, model: mujoco.MjModel, robot: RobotSpec) -> None:
        self._model, self._robot = model, robot
        self._actuators = np.array([model.actuator(n).id for n in robot.model_actuators])
        joints = [model.joint(n) for n in robot.model_joints]
        self._q = np.array([j.qposadr[0] for j in joints])
        self._dq = np.array([j.dofadr[0] for j in joints])
        slide = int(mujoco.mjtJoint.mjJNT_SLIDE)
        self._grips = np.array([int(j.type[0]) == slide for j in joints])
        self._last: tuple[FloatArray, FloatArray, FloatArray] | None = None
        model.actuator_gainprm[self._actuators, 0] = 1.0

    @property
    def addresses(self) -> np.ndarray:
        """Of the joints in qpos, in the RobotSpec's order, shape (n,)."""
        return self._q

    def positions(self, data: mujoco.MjData) -> FloatArray:
        """Joint positions in the RobotSpec's order, shape (n,)."""
        return data.qpos[self._q]

    def velocities(self, data: mujoco.MjData) -> FloatArray:
        """Joint velocities, shape (n,)."""
        return data.qvel[self._dq]

    def efforts(self, data: mujoco.MjData) -> FloatArray:
        """Actuator efforts, shape (n,)."""
        return data.actuator_force[self._actuators]

    def command(self, command: JointCommand, data: mujoco.MjData) -> None:
        """Follow a command; its joints may stand in any order."""
        if command.names == self._robot.joint_names:
            order = slice(None)
        else:
            order = [command.names.index(name) for name in self._robot.joint_names]
        kp, kd = command.kp[order], command.kd[order]
        feed = kp * command.position[order] + kd * command.velocity[order] + command.effort[order]
        self._write(data, kp, kd, feed)
        self._last = kp, kd, feed

    def rest(self, data: mujoco.MjData) -> None:
        """Hold the present pose: what a body does before anybody has commanded it."""
        self.hold(data, self.positions(data))

    def hold(self, data: mujoco.MjData, positions: FloatArray) -> None:
        """Hold ``positions``, shape (n,), stiffly enough to bear the body's own weight."""
        arm = self._robot.kind == "arm"
        kp = self._robot.kp if arm else np.full(self._robot.num_joints, STAND_KP)
        kd = self._robot.kd if arm else np.full(self._robot.num_joints, STAND_KD)
        self._write(data, kp, kd, kp * positions)
        self._last = kp, kd, kp * positions

    def stop(self, data: mujoco.MjData, since_s: float) -> None:
        """Apply the robot's stop kind, ``since_s`` seconds after the stop began."""
        if self._robot.stop_kind == "damp_and_sit":
            kd = np.full(self._robot.num_joints, SIT_KD)
            self._write(data, np.zeros_like(kd), kd, np.zeros_like(kd))
            return
        if since_s >= BRAKE_S:
            return
        kp, kd = self._robot.kp.copy(), self._robot.kd.copy()
        feed = kp * self.positions(data)
        # A gripper keeps the grip it has: stopping must not drop what it carries.
        if self._last is not None:
            last_kp, last_kd, last_feed = self._last
            kp[self._grips], kd[self._grips] = last_kp[self._grips], last_kd[self._grips]
            feed[self._grips] = last_feed[self._grips]
        self._write(data, kp, kd, feed)

    def _write(self, data: mujoco.MjData, kp: FloatArray, kd: FloatArray, feed: FloatArray) -> None:
        self._model.actuator_biasprm[self._actuators, 1] = -kp
        self._model.actuator_biasprm[self._actuators, 2] = -kd
        data.ctrl[self._actuators] = feed
