"""What every scene is: a compiled model, the things in it, and a sampler of initial states.

Furniture that a robot must not push around hangs on mocap bodies, so its pose is state (drawn by
seed) and not model: one MjModel serves all seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.robots import RobotSpec, check_model
from fmrl_robot.settings import build
from fmrl_robot.types import FloatArray

_TEXTURES = {
    "sky": (mujoco.mjtTexture.mjTEXTURE_SKYBOX, mujoco.mjtBuiltin.mjBUILTIN_GRADIENT),
    "checker": (mujoco.mjtTexture.mjTEXTURE_2D, mujoco.mjtBuiltin.mjBUILTIN_CHECKER),
    "flat": (mujoco.mjtTexture.mjTEXTURE_2D, mujoco.mjtBuiltin.mjBUILTIN_FLAT),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneOptions:
    """How an initial state may depart from the plain random one."""

    at: tuple[tuple[str, str], ...] = ()
    """Pairs (cube, place): the cube starts in or on that place (bowl, bin, drawer, a cube)."""
    drawer_open: bool = False
    pressed: bool = False
    """The button starts pressed."""
    far: tuple[str, ...] = ()
    """Cubes that start beyond the arm's reach."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``from_json`` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> SceneOptions:
        """Read what ``to_json`` wrote; raises ConfigError on anything else."""
        if not isinstance(values, dict):
            raise ConfigError(f"expected scene options as a JSON object, got {values!r}")
        return build(cls, values, "the scene options")


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneState:
    """An initial state for a scene's model."""

    qpos: FloatArray
    """Shape (nq,)."""
    mocap_pos: FloatArray
    """Shape (nmocap, 3)."""
    mocap_quat: FloatArray
    """wxyz, shape (nmocap, 4)."""

    @classmethod
    def of(cls, data: mujoco.MjData) -> SceneState:
        """Copy where everything is."""
        return cls(
            qpos=data.qpos.copy(),
            mocap_pos=data.mocap_pos.copy(),
            mocap_quat=data.mocap_quat.copy(),
        )

    def apply(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Reset ``data`` to this state, at rest at time zero, and compute what follows from it."""
        mujoco.mj_resetData(model, data)
        data.qpos[:] = self.qpos
        if model.nmocap:
            data.mocap_pos[:] = self.mocap_pos
            data.mocap_quat[:] = self.mocap_quat
        mujoco.mj_forward(model, data)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectInfo:
    """What a thing in the scene is, apart from where it is."""

    name: str
    """Also the name of its body in the model."""
    category: str
    """cube, bowl, bin, drawer, button or marker."""
    color: str
    size: FloatArray
    """Extent of its box in m, shape (3,)."""


Sampler = Callable[[np.random.Generator, SceneOptions], SceneState]


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneModel:
    """A scene, compiled."""

    name: str
    robot: RobotSpec
    model: mujoco.MjModel
    objects: tuple[ObjectInfo, ...]
    cameras: tuple[str, ...]
    sampler: Sampler = field(repr=False)

    def sample(self, rng: np.random.Generator, options: SceneOptions | None = None) -> SceneState:
        """Draw an initial state; the same generator state gives the same scene bit by bit."""
        return self.sampler(rng, options or SceneOptions())

    def seeded(self, seed: int, options: SceneOptions | None = None) -> SceneState:
        """Return the initial state of ``seed``."""
        return self.sample(np.random.default_rng(seed), options)

    def new_data(self, seed: int, options: SceneOptions | None = None) -> mujoco.MjData:
        """Return fresh data in the initial state of ``seed``, servos holding that pose."""
        data = mujoco.MjData(self.model)
        self.seeded(seed, options).apply(self.model, data)
        data.ctrl[:] = self.joint_positions(data)
        return data

    def joint_positions(self, data: mujoco.MjData) -> FloatArray:
        """Positions of the commanded joints in the RobotSpec's order, shape (n,)."""
        return np.array([data.joint(name).qpos[0] for name in self.robot.model_joints])


def look_at(eye: FloatArray, target: FloatArray, up: FloatArray) -> FloatArray:
    """Orientation wxyz of a MuJoCo camera (looks along its -z) at ``eye`` facing ``target``."""
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    matrix = np.stack([right, np.cross(back, right), back], axis=1)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, matrix.reshape(-1))
    return quat


def add_texture(
    spec: mujoco.MjSpec, name: str, kind: str, edge: int, rgb1: list[float], rgb2: list[float]
) -> None:
    """Add a texture of two colours, ``edge`` pixels a side; ``kind``: sky, checker or flat."""
    shape, pattern = _TEXTURES[kind]
    spec.add_texture(
        name=name, type=shape, builtin=pattern, width=edge, height=edge, rgb1=rgb1, rgb2=rgb2
    )


def robot_model(robot: RobotSpec) -> mujoco.MjSpec:
    """Return the robot's own model, which has all that its RobotSpec names.

    The same as that of ``fmrl_robot.motion``, which no scene may import: with it comes OMPL, and
    every process that only draws would load it.

    Raises:
        ConfigError: it is not installed, or has not what the RobotSpec names.
    """
    model = mujoco.MjSpec.from_file(str(robot.model.locate()))
    check_model(robot, model)
    return model


def make_servos(spec: mujoco.MjSpec, robot: RobotSpec) -> None:
    """Make every actuator the servo ``tau = kp (ctrl - q) - kd dq`` in the RobotSpec's order.

    The law is MuJoCo's affine gain and bias, so that the integrator sees the damping (implicitly)
    and no Python loop runs at the physics rate. Effort limits clamp the sum.
    """
    ordered = [spec.actuator(name) for name in robot.model_actuators]
    described = [(a.name, a.trntype, a.target) for a in ordered]
    for actuator in ordered:
        spec.delete(actuator)
    for i, (name, transmission, target) in enumerate(described):
        gain, bias = np.zeros(10), np.zeros(10)
        gain[0] = robot.kp[i]
        bias[1:3] = -robot.kp[i], -robot.kd[i]
        spec.add_actuator(
            name=name,
            trntype=transmission,
            target=target,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            gainprm=gain,
            biasprm=bias,
            ctrllimited=False,
            forcelimited=True,
            forcerange=[-robot.effort[i], robot.effort[i]],
        )
