"""Template: a scene of your own. Copy it, change what stands on the table, declare it.

Here: the Panda before a table with one cube and a bowl, each at a random place.
"""

from __future__ import annotations

from functools import partial

import mujoco
import numpy as np

from fmrl_robot.robots import RobotSpec
from fmrl_robot.robots import robot as find_robot
from fmrl_sim.scenes import ObjectInfo, SceneModel, SceneOptions, SceneState
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.arm import arm_spec
from fmrl_sim.scenes.tabletop import add_room, add_view


def sample(
    rng: np.random.Generator, options: SceneOptions, *, robot: RobotSpec, model: mujoco.MjModel
) -> SceneState:
    """Draw an initial state. Draw from ``rng`` alone, so that a seed means one state."""
    del options  # this scene offers none
    qpos = model.qpos0.copy()
    for name, value in zip(robot.model_joints, robot.default, strict=True):
        qpos[model.joint(name).qposadr[0]] = value
    qpos[model.joint("finger_joint2").qposadr[0]] = robot.default[-1]
    cube = model.joint("red_cube").qposadr[0]
    qpos[cube : cube + 3] = rng.uniform(0.40, 0.55), rng.uniform(-0.20, 0.10), f.CUBE_HALF_M
    return SceneState(
        qpos=qpos,
        mocap_pos=np.array([[rng.uniform(0.40, 0.50), rng.uniform(0.25, 0.32), 0.0]]),
        mocap_quat=np.array([[1.0, 0.0, 0.0, 0.0]]),
    )


def build(robot: str = "panda") -> SceneModel:
    """Compile the scene: what an entry point of the group ``fmrl.scenes`` names."""
    found = find_robot(robot)
    spec = arm_spec(found)
    add_room(spec)  # table, floor, sky; the geom "table" carries the cubes
    add_view(spec)  # lights and the camera "front"
    f.add_materials(spec)
    f.add_cube(spec, "red_cube")
    f.add_bowl(spec)
    spec.option.timestep = 0.002
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    model = spec.compile()
    edge = 2 * f.CUBE_HALF_M
    bowl = 2 * f.BOWL_RADIUS_M
    return SceneModel(
        name="my_scene",
        robot=found,
        model=model,
        objects=(
            ObjectInfo(name="red_cube", category="cube", color="red", size=np.full(3, edge)),
            ObjectInfo(
                name="bowl",
                category="bowl",
                color="teal",
                size=np.array([bowl, bowl, f.BOWL_HEIGHT_M]),
            ),
        ),
        cameras=("front", "wrist"),
        sampler=partial(sample, robot=found, model=model),
    )
