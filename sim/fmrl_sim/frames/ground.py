"""Pictures of *ground*: the quadruped in one of six postures, dropped into it and at rest."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from fmrl_robot.types import FloatArray, Predicate
from fmrl_sim.frames.frame import LabelledFrame
from fmrl_sim.frames.looks import CELL_M, RandomLooks
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import ground
from fmrl_sim.scenes.base import SceneModel

POSES = ("standing", "crouching", "bowing", "sitting", "lying", "fallen")
_SHARES = (0.3, 0.14, 0.14, 0.14, 0.14, 0.14)
SURFACES = {"floor": 0.53}


def ground_frames(
    count: int, seed: int, size: int, *, unseen: bool = False
) -> Iterator[LabelledFrame]:
    """Draw frames of *ground* from the camera that follows the Go2."""
    scene = ground.build()
    truth, rng = GroundTruth(scene), np.random.default_rng(seed)
    with SceneRenderer(scene.model, size, size, cell_m=CELL_M) as renderer:
        looks = RandomLooks(renderer, "follow", SURFACES, unseen)
        for _ in range(count):
            data, pose = _posture(scene, rng)
            looks.draw(rng)
            facts = truth.facts(data) | {Predicate(pose, ("robot",))}
            yield LabelledFrame(renderer.rgb(data, "follow"), facts)


def _posture(scene: SceneModel, rng: np.random.Generator) -> tuple[mujoco.MjData, str]:
    """Drop the robot into a posture that its servos keep, and let it come to rest."""
    data = scene.new_data(int(rng.integers(2**31)))
    pose = str(rng.choice(POSES, p=_SHARES))
    legs = scene.robot.default.reshape(4, 3).copy()
    roll, pitch = 0.0, 0.0
    if pose == "crouching":
        legs[:, 1:] = 1.15, -2.25
    elif pose == "bowing":
        legs[:2, 1:], legs[2:, 1:], pitch = (1.25, -2.65), (0.75, -1.2), 0.35
    elif pose == "lying":
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
