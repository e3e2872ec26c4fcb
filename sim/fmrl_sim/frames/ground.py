"""Pictures of *ground*: the quadruped in one of six postures, which its own geometry names."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from fmrl_robot.types import FloatArray, Predicate
from fmrl_sim.frames.frame import LabelledFrame
from fmrl_sim.frames.looks import CELL_M, RandomLooks
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.postures import POSTURES, posture
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import ground
from fmrl_sim.scenes.base import SceneModel
from fmrl_sim.servos import Servos

_SHARES = (0.3, 0.14, 0.14, 0.14, 0.14, 0.14)
SURFACES = {"floor": 0.53}
REST_STEPS, SWING_STEPS = 500, 50
"""Of physics, 2 ms each: until a dropped robot rests, and while a leg swings."""


def ground_frames(
    count: int, seed: int, size: int, *, unseen: bool = False
) -> Iterator[LabelledFrame]:
    """Draw frames of *ground* from the camera that follows the Go2."""
    scene = ground.build()
    truth, rng = GroundTruth(scene), np.random.default_rng(seed)
    with SceneRenderer(scene.model, size, size, cell_m=CELL_M) as renderer:
        looks = RandomLooks(renderer, "follow", SURFACES, unseen)
        for _ in range(count):
            data, name = _at_rest(scene, rng)
            looks.draw(rng)
            facts = truth.facts(data) | {Predicate(name, ("robot",))}
            yield LabelledFrame(renderer.rgb(data, "follow"), facts)


def _at_rest(scene: SceneModel, rng: np.random.Generator) -> tuple[mujoco.MjData, str]:
    """Drop the robot until it rests in a posture; what it has become counts, not what was meant."""
    while True:
        data = scene.new_data(int(rng.integers(2**31)))
        meant = str(rng.choice(POSTURES, p=_SHARES))
        _pose(scene, data, meant, rng)
        if rng.random() < 0.5:
            marker = list(ground.MARKERS)[int(rng.integers(3))]
            angle = rng.uniform(-0.9, 0.9)
            x, y = 0.48 * np.cos(angle), 0.48 * np.sin(angle)
            ground.put_marker(scene.model, data.qpos, marker, x, y)
        # A lifted leg is caught in its swing; on three legs a robot at rest would lean.
        mujoco.mj_step(scene.model, data, nstep=SWING_STEPS if meant == "standing" else REST_STEPS)
        mujoco.mj_forward(scene.model, data)
        name = posture(data, scene.robot.base_body)
        if name is not None:
            return data, name


def _pose(scene: SceneModel, data: mujoco.MjData, name: str, rng: np.random.Generator) -> None:
    """Set a posture just above the floor, on servos that hold it."""
    legs = scene.robot.default.reshape(4, 3).copy()
    height, pitch, roll = 0.33, 0.0, 0.0
    if name == "crouching":
        legs[:, 1:] = 1.15, -2.25
    elif name == "bowing":
        legs[:2, 1:], legs[2:, 1:], pitch = (1.25, -2.65), (0.75, -1.2), 0.35
    elif name == "lying":
        legs[:] = 0.0, 1.21, -2.70
    elif name == "sitting":
        legs[:2], legs[2:] = (0.0, 0.6, -1.1), (0.0, 2.1, -2.7)
        height, pitch = 0.27, -0.45
    elif name == "fallen":
        roll = float(rng.choice([-1.0, 1.0])) * rng.uniform(1.3, 1.7)
        legs += rng.normal(scale=0.15, size=legs.shape)
    else:
        height = 0.29
        if rng.random() < 0.6:
            legs[int(rng.integers(4))] = 0.0, 1.5, -2.6
    legs += rng.normal(scale=0.05, size=legs.shape)
    data.qpos[:7] = 0.0, 0.0, height, *_quaternion(rng.uniform(-np.pi, np.pi), pitch, roll)
    target = np.clip(legs.reshape(-1), scene.robot.lower, scene.robot.upper)
    for joint, value in zip(scene.robot.model_joints, target, strict=True):
        data.joint(joint).qpos = value
    Servos(scene.model, scene.robot).rest(data)


def _quaternion(yaw: float, pitch: float, roll: float) -> FloatArray:
    quat = np.zeros(4)
    mujoco.mju_euler2Quat(quat, np.array([yaw, pitch, roll]), "ZYX")
    return quat
