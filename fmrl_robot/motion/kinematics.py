"""Forward and inverse kinematics of an arm on its own MuJoCo model.

The *tool* is a frame between the finger tips: z points out of the hand (the approach direction), y
along the opening of the fingers. Inverse kinematics is mink's differential one, iterated from
several starts, because one start ends in a joint limit too often.
"""

from __future__ import annotations

from pathlib import Path

import mink
import mujoco
import numpy as np

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.motion.model import robot_model
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Pose

HAND_BODY = "hand"
TOOL_OFFSET_M = 0.1034
"""From the hand's origin to the point between the finger tips, along the hand's z (Franka)."""
ARM_JOINTS = 7
_DT_S = 0.1
_MAX_ITERATIONS = 40


class Unreachable(FmrlError):
    """No joint configuration puts the tool there."""

    default_code = ErrorCode.NO_PATH


def tool_down(position: FloatArray, yaw: float = 0.0) -> Pose:
    """Pose of a tool at ``position`` pointing straight down, its x axis at ``yaw`` (rad)."""
    half = yaw / 2.0
    # Rz(yaw) Rx(pi): the half turn about x makes z point down.
    quaternion = np.array([0.0, np.cos(half), np.sin(half), 0.0])
    return Pose(position=np.asarray(position, dtype=np.float64), quaternion=quaternion)


def arm_model(spec: RobotSpec, menagerie: Path | None = None) -> mujoco.MjSpec:
    """Return the robot's model without looks, servos or keyframes, with a site ``tool``."""
    model = robot_model(spec, menagerie)
    for unwanted in [*model.keys, *model.lights, *model.actuators, *model.tendons]:
        model.delete(unwanted)
    for geom in list(model.geoms):
        if not geom.contype and not geom.conaffinity:
            model.delete(geom)
    used = {geom.meshname for geom in model.geoms}
    for mesh in list(model.meshes):
        if mesh.name not in used:
            model.delete(mesh)
    model.body(HAND_BODY).add_site(name="tool", pos=[0.0, 0.0, TOOL_OFFSET_M])
    return model


class ArmKinematics:
    """Positions, Jacobians and inverse kinematics of one arm's tool in its base frame."""

    def __init__(self, spec: RobotSpec, menagerie: Path | None = None) -> None:
        self.spec = spec
        self.model = arm_model(spec, menagerie).compile()
        self.data = mujoco.MjData(self.model)
        self._configuration = mink.Configuration(self.model)
        self._qpos = np.array([self.model.joint(n).qposadr[0] for n in spec.model_joints])
        self._dofs = np.array([self.model.joint(n).dofadr[0] for n in spec.model_joints])
        self._task = mink.FrameTask(
            "tool", "site", position_cost=1.0, orientation_cost=0.3, lm_damping=1e-4
        )
        self._posture = mink.PostureTask(self.model, cost=1e-4)
        self._posture.set_target(self.full(spec.default))
        self._limits = [mink.ConfigurationLimit(self.model)]
        self._site = self.model.site("tool").id

    def full(self, q: FloatArray) -> FloatArray:
        """Map commanded joints (n,) to the model's positions, mirrored finger included."""
        qpos = np.full(self.model.nq, float(q[-1]))
        qpos[self._qpos] = q
        return qpos

    def _forward(self, q: FloatArray) -> None:
        self.data.qpos[:] = self.full(q)
        mujoco.mj_kinematics(self.model, self.data)

    def tool(self, q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return position (3,) and rotation (3, 3) of the tool in the base frame."""
        self._forward(q)
        return (
            self.data.site_xpos[self._site].copy(),
            self.data.site_xmat[self._site].reshape(3, 3).copy(),
        )

    def pose(self, q: FloatArray) -> Pose:
        """Return the pose of the tool in the base frame."""
        position, rotation = self.tool(q)
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, rotation.reshape(-1))
        return Pose(position=position, quaternion=quaternion)

    def jacobian(self, q: FloatArray) -> FloatArray:
        """Return the tool's Jacobian in the base frame, linear over angular, shape (6, 7)."""
        self._forward(q)
        mujoco.mj_comPos(self.model, self.data)
        linear, angular = np.zeros((3, self.model.nv)), np.zeros((3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, linear, angular, self._site)
        return np.concatenate([linear, angular])[:, self._dofs[:ARM_JOINTS]]

    def solve(
        self,
        goal: Pose,
        q_start: FloatArray,
        tolerance_m: float = 1e-3,
        tolerance_rad: float = 1e-2,
        starts: int = 4,
    ) -> FloatArray:
        """Return joints (n,) that put the tool at ``goal``, close to ``q_start`` where possible.

        Raises:
            Unreachable: no start converged within the joint limits.
        """
        target = mink.SE3.from_rotation_and_translation(
            mink.SO3(np.asarray(goal.quaternion, dtype=np.float64)), goal.position
        )
        self._task.set_target(target)
        for guess in self._guesses(goal, q_start, starts):
            q = self._descend(guess, tolerance_m, tolerance_rad)
            if q is not None:
                return q
        raise Unreachable(
            f"expected a tool position within reach, got {np.round(goal.position, 3).tolist()} m; "
            "move the object closer or choose another"
        )

    def _guesses(self, goal: Pose, q_start: FloatArray, starts: int) -> list[FloatArray]:
        """Where to start from: here, home turned towards the goal, then seeded scatter."""
        towards = self.spec.default.copy()
        towards[0] = np.arctan2(goal.position[1], goal.position[0])
        guesses = [q_start, towards]
        rng = np.random.default_rng(0)
        middle, span = (self.spec.upper + self.spec.lower) / 2, self.spec.upper - self.spec.lower
        for _ in range(max(0, starts - len(guesses))):
            scattered = 0.5 * towards + 0.5 * (middle + rng.uniform(-0.4, 0.4, len(span)) * span)
            guesses.append(np.clip(scattered, self.spec.lower, self.spec.upper))
        finger = q_start[-1]
        return [np.append(guess[:-1], finger) for guess in guesses[:starts]]

    def _descend(
        self, guess: FloatArray, tolerance_m: float, tolerance_rad: float
    ) -> FloatArray | None:
        configuration = self._configuration
        configuration.update(self.full(guess))
        last = np.inf
        for i in range(_MAX_ITERATIONS):
            error = self._task.compute_error(configuration)
            if (
                np.linalg.norm(error[:3]) < tolerance_m
                and np.linalg.norm(error[3:]) < tolerance_rad
            ):
                q = configuration.q[self._qpos]
                q[ARM_JOINTS:] = guess[ARM_JOINTS:]
                inside = np.all(q >= self.spec.lower) and np.all(q <= self.spec.upper)
                return q if inside else None
            size = float(np.linalg.norm(error))
            if i % 10 == 9:
                if size > 0.7 * last:
                    return None
                last = size
            velocity = mink.solve_ik(
                configuration,
                [self._task, self._posture],
                _DT_S,
                "daqp",
                damping=1e-8,
                limits=self._limits,
            )
            configuration.integrate_inplace(velocity, _DT_S)
        return None
