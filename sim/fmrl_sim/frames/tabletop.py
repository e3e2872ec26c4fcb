"""Pictures of *tabletop*: states are set, not played.

Cubes lie in, on and between things, in the hand and beneath it; the arm poses over the table.
"""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_sim.frames.frame import LabelledFrame
from fmrl_sim.frames.looks import CAMERA_M, CELL_M, HAND_CAMERA_M, RandomLooks
from fmrl_sim.ground_truth import CUBES, GroundTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import tabletop
from fmrl_sim.scenes.base import SceneModel, SceneOptions
from fmrl_sim.scenes.placement import ON_TABLE_M

SURFACES = {"table": 0.75, "floor": 0.48}
_HOLDING_M = 0.0196
"""The finger's position with a cube between the pads, slightly squeezed."""
_CLEAR_M, _WIDE_M = 0.06, 0.13
"""Between a spot on the table and the middle of another cube; of anything larger."""
_PLACES = ("bowl", "bin", "drawer")


def tabletop_frames(
    count: int, seed: int, size: int, *, unseen: bool = False
) -> Iterator[LabelledFrame]:
    """Draw frames of *tabletop* from its camera ``front``; ``unseen``: textures kept for tests."""
    return _frames("front", CAMERA_M, count, seed, size, unseen)


def wrist_frames(
    count: int, seed: int, size: int, *, unseen: bool = False
) -> Iterator[LabelledFrame]:
    """Draw frames of *tabletop* from the camera on the hand, which sees fingers and little else."""
    return _frames("wrist", HAND_CAMERA_M, count, seed, size, unseen)


def _frames(
    camera: str, camera_m: float, count: int, seed: int, size: int, unseen: bool
) -> Iterator[LabelledFrame]:
    scene = tabletop.build()
    truth, rng = GroundTruth(scene), np.random.default_rng(seed)
    with SceneRenderer(scene.model, size, size, cell_m=CELL_M) as renderer:
        looks = RandomLooks(renderer, camera, SURFACES, unseen, camera_m)
        for _ in range(count):
            data = _table_state(scene, rng)
            looks.draw(rng)
            facts = truth.facts(data) | truth.gripper_facts(data)
            yield LabelledFrame(renderer.rgb(data, camera), facts)


def _table_state(scene: SceneModel, rng: np.random.Generator) -> mujoco.MjData:
    while True:
        order = list(rng.permutation(CUBES))
        at = []
        for i, cube in enumerate(order):
            if rng.random() < 0.45:
                continue
            under = [c for c in order[:i] if c not in dict(at) and c not in dict(at).values()]
            stack = bool(under) and rng.random() < 0.5
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
    """Put the arm somewhere over the table: a free cube in the hand, or beneath it, or neither."""
    joints = [data.joint(name) for name in scene.robot.model_joints]
    home = scene.robot.default
    for _ in range(50):
        spread = np.array([0.5, 0.35, 0.3, 0.4, 0.25, 0.35, 0.8])
        for joint, value in zip(joints[:7], home[:7] + spread * rng.normal(size=7), strict=True):
            joint.qpos = value
        mujoco.mj_kinematics(scene.model, data)
        tool, down = data.site("tcp").xpos, data.body("hand").xmat.reshape(3, 3)[2, 2]
        inside = 0.2 < tool[0] < 0.75 and abs(tool[1]) < 0.36 and 0.05 < tool[2] < 0.42
        if inside and down < -0.6:
            break
    holding = bool(free) and rng.random() < 0.35
    data.joint("finger_joint1").qpos = data.joint("finger_joint2").qpos = (
        _HOLDING_M if holding else _opening(rng)
    )
    if holding:
        cube = data.joint(str(rng.choice(free)))
        cube.qpos[:3] = data.site("tcp").xpos
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, data.body("hand").xmat)
        cube.qpos[3:] = quat
    elif free and rng.random() < 0.85:
        _put_beneath(scene, data, rng, str(rng.choice(free)))


def _opening(rng: np.random.Generator) -> float:
    """One finger's position: wide open or shut, seldom between."""
    chance = rng.random()
    if chance < 0.45:
        return float(rng.uniform(0.034, 0.04))
    return float(rng.uniform(0.0, 0.004) if chance < 0.9 else rng.uniform(0.004, 0.034))


def _put_beneath(
    scene: SceneModel, data: mujoco.MjData, rng: np.random.Generator, cube: str
) -> None:
    """Lay a cube on the table below the tool, or a little aside, where nothing else is."""
    tool = data.site("tcp").xpos
    spread = 0.012 if rng.random() < 0.6 else 0.06
    spot = tool[:2] + spread * rng.normal(size=2)
    others = [o.name for o in scene.objects if o.name != cube]
    apart = {name: np.linalg.norm(data.body(name).xpos[:2] - spot) for name in others}
    taken = any(d < (_CLEAR_M if name in CUBES else _WIDE_M) for name, d in apart.items())
    if 0.06 < tool[2] < 0.3 and not taken:
        data.joint(cube).qpos[:3] = *spot, ON_TABLE_M
