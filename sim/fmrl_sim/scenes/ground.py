"""*ground*: a quadruped (Go2 or Go1) on a flat floor with coloured markers and a following camera.

The quadruped's masses, joint friction and armature are its model's own (Go2's were identified)
unless its RobotSpec knows better; its motors become servos, and collision keeps what can touch the
floor.
"""

from __future__ import annotations

from functools import partial

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.robots import RobotSpec
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes.base import (
    ObjectInfo,
    SceneModel,
    SceneOptions,
    SceneState,
    add_texture,
    look_at,
    make_servos,
    robot_model,
)

PHYSICS_DT_S = 0.002
CAMERAS = ("follow", "head")
"""The one beside the robot, for those who look on, and the robot's own."""
FOOT_FRICTION = (0.8, 0.02, 0.01)
MARKERS = {
    "red_marker": (0.85, 0.08, 0.08, 1.0),
    "green_marker": (0.10, 0.65, 0.15, 1.0),
    "blue_marker": (0.08, 0.22, 0.85, 1.0),
}
_MARKER_RADIUS_M, _MARKER_HEIGHT_M = 0.12, 0.30
_MARKER_MASS_KG, _MARKER_CENTRE_M, _MARKER_FRICTION = 0.2, 0.04, 0.25
"""Light, with a heavy foot: a robot that walks into it shoves it along and does not fall."""
_ROBOT_BIT, _FLOOR_BIT, _MARKER_BIT = 1, 2, 4


def quadruped_spec(robot: RobotSpec | str) -> mujoco.MjSpec:
    """Return the quadruped alone, on servos, ready to be put on a floor.

    Its geoms have contype 1 and conaffinity 0: they touch what has conaffinity 1 and never each
    other. Feet are spheres named as ``RobotSpec.foot_geoms``.
    """
    robot = find_robot(robot) if isinstance(robot, str) else robot
    if robot.kind != "quadruped":
        raise ConfigError(f"expected a quadruped such as 'go2', got {robot.name!r}")
    spec = robot_model(robot)
    for unwanted in [*spec.keys, *spec.cameras, *spec.lights, *spec.sensors]:
        spec.delete(unwanted)
    make_servos(spec, robot)
    if robot.viscosity is not None:
        for name in robot.model_joints:
            spec.joint(name).damping = [robot.viscosity, 0.0, 0.0]
    base = spec.body(robot.base_body)
    base.joints[0].name = "base"
    for geom in spec.geoms:
        if geom.contype or geom.conaffinity:
            geom.contype, geom.conaffinity, geom.condim = _ROBOT_BIT, 0, 3
            geom.group = 3
    for name in robot.foot_geoms:
        foot = spec.geom(name)
        foot.friction = FOOT_FRICTION
        foot.priority = 1
        foot.solimp = [0.9, 0.95, 0.001, 0.5, 2.0]
        foot.margin = 0.0
    spec.option.timestep = PHYSICS_DT_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    spec.option.impratio = 1.0
    _add_imu(spec)
    return spec


def _add_imu(spec: mujoco.MjSpec) -> None:
    kinds = {
        "imu_gyro": mujoco.mjtSensor.mjSENS_GYRO,
        "imu_accelerometer": mujoco.mjtSensor.mjSENS_ACCELEROMETER,
        "imu_quat": mujoco.mjtSensor.mjSENS_FRAMEQUAT,
    }
    for name, kind in kinds.items():
        spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname="imu")


def add_floor(spec: mujoco.MjSpec, robot: RobotSpec) -> None:
    """Add the floor, and for each foot a sensor ``<leg>_contact``: found (0/1), force in N (3,)."""
    add_texture(spec, "floor", "checker", 256, [0.58, 0.61, 0.60], [0.47, 0.50, 0.50])
    spec.add_material(
        name="floor", textures=["", "floor"], texrepeat=[2, 2], texuniform=True, reflectance=0.0
    )
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 0.05],
        material="floor",
        contype=_FLOOR_BIT,
        conaffinity=_ROBOT_BIT,
        friction=[0.8, 0.02, 0.01],
    )
    for leg, geom in zip(robot.legs, robot.foot_geoms, strict=True):
        spec.add_sensor(
            name=f"{leg.value}_contact",
            type=mujoco.mjtSensor.mjSENS_CONTACT,
            objtype=mujoco.mjtObj.mjOBJ_GEOM,
            objname=geom,
            reftype=mujoco.mjtObj.mjOBJ_GEOM,
            refname="floor",
            intprm=[0b11, 3, 1],
        )


def add_looks(spec: mujoco.MjSpec, robot: RobotSpec) -> None:
    """Add sky and light that travel with the robot, and the cameras beside it and on it."""
    add_texture(spec, "sky", "sky", 256, [0.72, 0.80, 0.90], [0.93, 0.94, 0.95])
    # The light travels along: a shadow map spread over the whole floor would be too coarse.
    spec.body(robot.base_body).add_light(
        name="key",
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=[0.4, -0.8, 2.6],
        dir=[-0.4, 0.8, -2.6],
        cutoff=55,
        exponent=1,
        diffuse=[0.5, 0.5, 0.5],
        specular=[0.2, 0.2, 0.2],
    )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.35, 0.35, 0.35]
    eye, target = np.array([-1.30, -1.15, 0.85]), np.array([0.25, 0.1, -0.02])
    spec.body(robot.base_body).add_camera(
        name="follow",
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
        pos=eye,
        quat=look_at(eye, target, np.array([0.0, 0.0, 1.0])),
        fovy=45,
    )
    # Before the trunk, so that it sees none of the robot, and wide, as Unitree's is.
    eye, target = np.array([0.36, 0.0, 0.05]), np.array([1.36, 0.0, -0.10])
    spec.body(robot.base_body).add_camera(
        name="head",
        pos=eye,
        quat=look_at(eye, target, np.array([0.0, 0.0, 1.0])),
        fovy=90,
    )
    spec.visual.map.znear, spec.visual.map.zfar = 0.01, 40.0
    spec.stat.extent, spec.stat.center = 1.0, [0.0, 0.0, 0.2]
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 960


def _add_markers(spec: mujoco.MjSpec) -> None:
    mass, radius, height = _MARKER_MASS_KG, _MARKER_RADIUS_M, _MARKER_HEIGHT_M
    across = mass * (3 * radius**2 + height**2) / 12
    for name, rgba in MARKERS.items():
        body = spec.worldbody.add_body(
            name=name,
            explicitinertial=True,
            mass=mass,
            ipos=[0, 0, _MARKER_CENTRE_M],
            inertia=[across, across, mass * radius**2 / 2],
        )
        body.add_freejoint(name=name)
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=[_MARKER_RADIUS_M, _MARKER_HEIGHT_M / 2, 0],
            pos=[0, 0, _MARKER_HEIGHT_M / 2],
            rgba=rgba,
            contype=_MARKER_BIT,
            conaffinity=_ROBOT_BIT | _FLOOR_BIT | _MARKER_BIT,
            condim=3,
            friction=[_MARKER_FRICTION, 0.005, 0.0001],
            priority=1,
        )


def put_marker(model: mujoco.MjModel, qpos: FloatArray, name: str, x: float, y: float) -> None:
    """Stand a marker upright at a place on the floor, m, in whole-model positions (nq,)."""
    at = int(model.joint(name).qposadr[0])
    qpos[at : at + 7] = x, y, 0.0, 1.0, 0.0, 0.0, 0.0


def standing_qpos(robot: RobotSpec, model: mujoco.MjModel) -> FloatArray:
    """Whole-model positions of the quadruped standing at the origin, shape (nq,)."""
    qpos = model.qpos0.copy()
    qpos[:7] = 0.0, 0.0, robot.base_height_m, 1.0, 0.0, 0.0, 0.0
    for name, value in zip(robot.model_joints, robot.default, strict=True):
        qpos[model.joint(name).qposadr[0]] = value
    return qpos


def _sample(
    rng: np.random.Generator, options: SceneOptions, *, robot: RobotSpec, model: mujoco.MjModel
) -> SceneState:
    del options
    angles = rng.permutation(3) * 0.5 - 0.5 + rng.uniform(-0.12, 0.12, 3)
    ranges = rng.uniform(1.6, 2.4, 3)
    qpos = standing_qpos(robot, model)
    for name, r, angle in zip(MARKERS, ranges, angles, strict=True):
        put_marker(model, qpos, name, r * np.cos(angle), r * np.sin(angle))
    return SceneState(qpos=qpos, mocap_pos=np.zeros((0, 3)), mocap_quat=np.zeros((0, 4)))


def build(robot: str = "go2") -> SceneModel:
    """Compile the scene for ``robot``."""
    found = find_robot(robot)
    spec = quadruped_spec(found)
    add_floor(spec, found)
    _add_markers(spec)
    add_looks(spec, found)
    model = spec.compile()
    size = np.array([2 * _MARKER_RADIUS_M, 2 * _MARKER_RADIUS_M, _MARKER_HEIGHT_M])
    return SceneModel(
        name="ground",
        robot=found,
        model=model,
        objects=tuple(
            ObjectInfo(name=n, category="marker", color=n.split("_")[0], size=size) for n in MARKERS
        ),
        cameras=CAMERAS,
        sampler=partial(_sample, robot=found, model=model),
    )
