"""Pictures of both scenes in random states with what is true in each, to train vision models on.

States are set, not played: cubes in, on and between things, in the hand and beside it; the arm in
random poses over the table; the quadruped dropped into a posture. Light, colours and camera vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import FloatArray, Predicate
from fmrl_sim.ground_truth import CUBES, GroundTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import ground, tabletop
from fmrl_sim.scenes.base import SceneModel, SceneOptions

POSES = ("standing", "lying", "sitting", "fallen")
_HOLDING_M = 0.0196
"""The finger's position with a cube between the pads, slightly squeezed."""
_PLACES = ("bowl", "bin", "drawer")


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One picture and what is true in it."""

    image: npt.NDArray[np.uint8]
    """RGB, shape (size, size, 3)."""
    facts: frozenset[Predicate]


def tabletop_frames(count: int, seed: int, size: int) -> Iterator[LabelledFrame]:
    """Draw frames of *tabletop* from its camera ``front``."""
    scene = tabletop.build()
    truth, rng = GroundTruth(scene), np.random.default_rng(seed)
    with SceneRenderer(scene.model, size, size) as renderer:
        for _ in range(count):
            data = _table_state(scene, rng)
            renderer.vary(rng)
            yield LabelledFrame(renderer.rgb(data, "front"), truth.facts(data))


def _table_state(scene: SceneModel, rng: np.random.Generator) -> mujoco.MjData:
    while True:
        order = list(rng.permutation(CUBES))
        at = []
        for i, cube in enumerate(order):
            if rng.random() < 0.5:
                continue
            under = [c for c in order[:i] if c not in dict(at) and c not in dict(at).values()]
            stack = bool(under) and rng.random() < 0.4
            at.append((cube, str(rng.choice(under if stack else _PLACES))))
        options = SceneOptions(
            at=tuple(at),
            drawer_open=bool(rng.random() < 0.55),
            pressed=bool(rng.random() < 0.5),
        )
        try:
            data = scene.new_data(int(rng.integers(2**31)), options)
        except ConfigError:
            continue
        _pose_arm(scene, data, rng, [c for c in CUBES if c not in dict(at).values()])
        mujoco.mj_forward(scene.model, data)
        return data


def _pose_arm(
    scene: SceneModel, data: mujoco.MjData, rng: np.random.Generator, free: list[str]
) -> None:
    """Put the arm somewhere over the table, the gripper empty or around a free cube."""
    joints = [data.joint(name) for name in scene.robot.model_joints]
    home = scene.robot.default
    for _ in range(50):
        spread = np.array([0.5, 0.35, 0.3, 0.4, 0.25, 0.35, 0.8])
        for joint, value in zip(joints[:7], home[:7] + spread * rng.normal(size=7), strict=True):
            joint.qpos = value
        mujoco.mj_kinematics(scene.model, data)
        tool, down = data.site("tcp").xpos, data.body("hand").xmat.reshape(3, 3)[2, 2]
        inside = 0.2 < tool[0] < 0.75 and abs(tool[1]) < 0.45 and 0.05 < tool[2] < 0.5
        if inside and down < -0.6:
            break
    holding = bool(free) and rng.random() < 0.45
    opening = _HOLDING_M if holding else rng.uniform(0.0, 0.04)
    data.joint("finger_joint1").qpos = data.joint("finger_joint2").qpos = opening
    if holding:
        cube = data.joint(str(rng.choice(free)))
        cube.qpos[:3] = data.site("tcp").xpos
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, data.body("hand").xmat)
        cube.qpos[3:] = quat


def ground_frames(count: int, seed: int, size: int) -> Iterator[LabelledFrame]:
    """Draw frames of *ground* from the camera that follows the Go2."""
    scene = ground.build()
    truth, rng = GroundTruth(scene), np.random.default_rng(seed)
    with SceneRenderer(scene.model, size, size) as renderer:
        for _ in range(count):
            data, pose = _posture(scene, rng)
            renderer.vary(rng)
            facts = truth.facts(data) | {Predicate(pose, ("robot",))}
            yield LabelledFrame(renderer.rgb(data, "follow"), facts)


def _posture(scene: SceneModel, rng: np.random.Generator) -> tuple[mujoco.MjData, str]:
    """Drop the robot into a posture that its servos keep, and let it come to rest."""
    data = scene.new_data(int(rng.integers(2**31)))
    pose = str(rng.choice(POSES, p=[0.55, 0.15, 0.15, 0.15]))
    legs = scene.robot.default.reshape(4, 3).copy()
    roll, pitch = 0.0, 0.0
    if pose == "lying":
        legs[:] = 0.0, 1.21, -2.70
    elif pose == "sitting":
        legs[:2], legs[2:], pitch = (0.0, 0.75, -1.2), (0.0, 2.1, -2.7), -0.55
    elif pose == "fallen":
        roll = float(rng.choice([-1.0, 1.0])) * rng.uniform(1.3, 1.7)
        legs += rng.normal(scale=0.15, size=legs.shape)
    elif rng.random() < 0.6:
        legs[int(rng.integers(4))] = 0.0, 1.5, -2.6
    legs += rng.normal(scale=0.05, size=legs.shape)
    data.qpos[:7] = 0.0, 0.0, 0.33, *_quaternion(rng.uniform(-np.pi, np.pi), pitch, roll)
    target = np.clip(legs.reshape(-1), scene.robot.lower, scene.robot.upper)
    for name, value in zip(scene.robot.model_joints, target, strict=True):
        data.joint(name).qpos = value
    data.ctrl[:] = target
    if rng.random() < 0.5:
        marker = int(rng.integers(3))
        angle = rng.uniform(-0.9, 0.9)
        data.mocap_pos[marker, :2] = 0.48 * np.cos(angle), 0.48 * np.sin(angle)
    mujoco.mj_step(scene.model, data, nstep=150)
    mujoco.mj_forward(scene.model, data)
    return data, pose


def _quaternion(yaw: float, pitch: float, roll: float) -> FloatArray:
    quat = np.zeros(4)
    mujoco.mju_euler2Quat(quat, np.array([yaw, pitch, roll]), "ZYX")
    return quat
