"""*rough*: a quadruped on a course of rough ground, every patch of it as hard as in training.

Along x the robot meets one kind of ground after another (:mod:`fmrl_sim.scenes.terrain`), each 8 m
long. It starts in the middle of the first; the course is 40 m long and 24 m wide, and ends there.
"""

from __future__ import annotations

from functools import partial

import mujoco
import numpy as np
import numpy.typing as npt

from fmrl_robot.robots import RobotSpec
from fmrl_robot.robots import robot as find_robot
from fmrl_sim.scenes.base import SceneModel, SceneOptions, SceneState
from fmrl_sim.scenes.ground import CAMERAS, add_floor, add_looks, quadruped_spec, standing_qpos
from fmrl_sim.scenes.terrain import CELL_M, Terrain, make_terrain, surface

COURSE = ("rough", "stairs", "blocks", "waves", "slope")
"""Kinds of ground in the order in which a robot that walks ahead meets them."""
SEED = 20_260
"""Of the ground; no policy was trained on it."""
ROWS = 3
START_M, YAW_RAD = 1.0, 0.2
"""Half widths of the random start around the middle of the first patch."""
REACH_M, LIFT_M = 0.3, 0.02
"""No foot stands further from the base; how far above the highest ground there it is put."""
_LOW, _HIGH = np.array([118, 138, 150]), np.array([250, 232, 190])
"""Colours of low and of high ground."""
_PIXELS = 2
"""Of the ground's picture, for each cell."""


def _picture(terrain: Terrain) -> npt.NDArray[np.uint8]:
    """Colours of the ground from above, with lines every metre, (rows, columns, 3)."""
    heights = np.kron(terrain.heights, np.ones((_PIXELS, _PIXELS)))
    down, right = np.gradient(terrain.heights, CELL_M)
    steep = np.kron(np.hypot(down, right), np.ones((_PIXELS, _PIXELS)))
    share = np.clip((heights + 0.35) / 0.7, 0.0, 1.0)[..., None]
    colours = _LOW + share * (_HIGH - _LOW)
    colours = colours * (1.0 - 0.35 * np.clip(steep, 0.0, 1.0))[..., None]
    metre = round(_PIXELS / CELL_M)
    for axis in (0, 1):
        line = np.arange(heights.shape[axis]) % metre == 0
        colours[line if axis == 0 else (slice(None), line)] *= 0.8
    return colours.astype(np.uint8)


def _add_ground(spec: mujoco.MjSpec, robot: RobotSpec, terrain: Terrain) -> None:
    add_floor(spec, robot)
    terrain.add_to(spec)
    # A picture's first row is the far edge.
    picture = np.flipud(_picture(terrain))
    texture = spec.texture("floor")
    texture.builtin = mujoco.mjtBuiltin.mjBUILTIN_NONE
    texture.height, texture.width, texture.nchannel = picture.shape
    texture.data = np.ascontiguousarray(picture).tobytes()
    material = spec.material("floor")
    material.texrepeat, material.texuniform = [1, 1], False


def _sample(
    rng: np.random.Generator,
    options: SceneOptions,
    *,
    robot: RobotSpec,
    model: mujoco.MjModel,
    terrain: Terrain,
) -> SceneState:
    del options
    qpos = standing_qpos(robot, model)
    x, y = np.array(terrain.middle(ROWS // 2, 0)) + rng.uniform(-START_M, START_M, 2)
    yaw = rng.uniform(-YAW_RAD, YAW_RAD)
    around = np.arange(-REACH_M, REACH_M, CELL_M / 2)
    under = surface(terrain.heights, x + around[:, None], y + around[None])
    qpos[:3] = x, y, robot.base_height_m + LIFT_M + float(under.max())
    qpos[3], qpos[6] = np.cos(yaw / 2), np.sin(yaw / 2)
    return SceneState(qpos=qpos, mocap_pos=np.zeros((0, 3)), mocap_quat=np.zeros((0, 4)))


def ground() -> Terrain:
    """The course."""
    return make_terrain(SEED, COURSE, (1.0,) * ROWS)


def build(robot: str = "go2") -> SceneModel:
    """Compile the scene for ``robot``."""
    found, terrain = find_robot(robot), ground()
    spec = quadruped_spec(found)
    _add_ground(spec, found, terrain)
    add_looks(spec, found)
    model = spec.compile()
    return SceneModel(
        name="rough",
        robot=found,
        model=model,
        objects=(),
        cameras=CAMERAS,
        sampler=partial(_sample, robot=found, model=model, terrain=terrain),
    )
