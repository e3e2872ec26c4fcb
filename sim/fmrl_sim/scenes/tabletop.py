"""*tabletop*: a Panda before a table with four cubes, a bowl, a bin, a drawer and a button.

The world's frame is the arm's base frame; z = 0 is the table top. The fixed camera ``front``
stands beyond the table and looks back at the robot; ``wrist`` rides on the hand.
"""

from __future__ import annotations

from functools import partial

import mujoco
import numpy as np

from fmrl_robot.robots import robot as find_robot
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.arm import CUBE_BIT, ROBOT_BIT, arm_spec
from fmrl_sim.scenes.base import ObjectInfo, SceneModel, add_texture, look_at
from fmrl_sim.scenes.placement import sample

PHYSICS_DT_S = 0.002
TABLE_X_M, TABLE_Y_M = (-0.30, 1.00), (-0.60, 0.60)
TABLE_HEIGHT_M = 0.75

OBJECTS = (
    *(
        ObjectInfo(
            name=cube,
            category="cube",
            color=cube.split("_")[0],
            size=np.full(3, 2 * f.CUBE_HALF_M),
        )
        for cube in f.CUBE_COLORS
    ),
    ObjectInfo(
        name="bowl",
        category="bowl",
        color="teal",
        size=np.array([2 * f.BOWL_RADIUS_M, 2 * f.BOWL_RADIUS_M, f.BOWL_HEIGHT_M]),
    ),
    ObjectInfo(
        name="bin",
        category="bin",
        color="orange",
        size=np.array([2 * f.BIN_HALF_M, 2 * f.BIN_HALF_M, f.BIN_HEIGHT_M]),
    ),
    ObjectInfo(
        name="drawer", category="drawer", color="purple", size=np.array([0.197, 0.236, 0.072])
    ),
    ObjectInfo(
        name="button",
        category="button",
        color="magenta",
        size=np.array([2 * f.BUTTON_RADIUS_M, 2 * f.BUTTON_RADIUS_M, f.BUTTON_TOP_M]),
    ),
)


def add_room(spec: mujoco.MjSpec) -> None:
    """Add table (its top at z = 0), floor and sky."""
    add_texture(spec, "sky", "sky", 512, [0.80, 0.84, 0.88], [0.93, 0.94, 0.95])
    add_texture(spec, "floor", "checker", 512, [0.50, 0.52, 0.54], [0.46, 0.48, 0.50])
    spec.add_material(name="floor", textures=["", "floor"], texrepeat=[2, 2], texuniform=True)
    # White, so that the material's colour shows; a renderer may lay another picture over it.
    add_texture(spec, "table", "flat", 128, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    spec.add_material(
        name="table",
        textures=["", "table"],
        rgba=[0.78, 0.72, 0.65, 1],
        specular=0.15,
        shininess=0.2,
    )
    spec.add_material(name="table_leg", rgba=[0.30, 0.31, 0.33, 1])
    world = spec.worldbody
    world.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 0.05],
        pos=[0, 0, -TABLE_HEIGHT_M],
        material="floor",
        contype=0,
        conaffinity=0,
    )
    centre = [sum(TABLE_X_M) / 2, sum(TABLE_Y_M) / 2]
    half = [np.diff(TABLE_X_M)[0] / 2, np.diff(TABLE_Y_M)[0] / 2]
    # A plane carries the cubes (stable and fast contacts); the slab is what one sees of it.
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[*half, 0.05],
        pos=[*centre, 0],
        group=3,
        contype=0,
        conaffinity=ROBOT_BIT | CUBE_BIT,
        friction=[0.9, 0.005, 0.0001],
    )
    looks = {"contype": 0, "conaffinity": 0, "group": 2}
    world.add_geom(
        name="table_slab",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[*half, 0.02],
        pos=[*centre, -0.02],
        material="table",
        **looks,
    )
    for sx in (-1, 1):
        for sy in (-1, 1):
            world.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[0.025, 0.025, TABLE_HEIGHT_M / 2 - 0.02],
                pos=[
                    centre[0] + sx * (half[0] - 0.05),
                    centre[1] + sy * (half[1] - 0.05),
                    -TABLE_HEIGHT_M / 2 - 0.02,
                ],
                material="table_leg",
                **looks,
            )


def add_view(spec: mujoco.MjSpec) -> None:
    """Add the camera ``front`` and the lights."""
    eye, target = np.array([1.50, 0.0, 1.00]), np.array([0.42, 0.01, 0.10])
    spec.worldbody.add_camera(
        name="front", pos=eye, quat=look_at(eye, target, np.array([0.0, 0.0, 1.0])), fovy=42
    )
    spec.worldbody.add_light(
        name="key",
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=[1.3, 0.9, 1.9],
        dir=[-0.85, -0.9, -1.9],
        cutoff=60,
        exponent=2,
        diffuse=[0.42, 0.41, 0.40],
        specular=[0.25, 0.25, 0.25],
    )
    spec.worldbody.add_light(
        name="fill",
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=[0.2, -1.2, 1.8],
        dir=[0.3, 1.2, -1.8],
        cutoff=60,
        exponent=2,
        castshadow=False,
        diffuse=[0.18, 0.19, 0.21],
        specular=[0.05, 0.05, 0.05],
    )
    spec.visual.headlight.ambient = [0.32, 0.32, 0.32]
    spec.visual.headlight.diffuse = [0.20, 0.20, 0.20]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.visual.map.znear, spec.visual.map.zfar = 0.01, 10.0
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 960
    spec.stat.extent, spec.stat.center = 1.2, [0.4, 0.0, 0.2]


def build(robot: str = "panda") -> SceneModel:
    """Compile the scene."""
    found = find_robot(robot)
    spec = arm_spec(found)
    spec.modelname = "tabletop"
    add_room(spec)
    add_view(spec)
    f.add_materials(spec)
    for cube in f.CUBE_COLORS:
        f.add_cube(spec, cube)
    f.add_bowl(spec)
    f.add_bin(spec)
    f.add_cabinet(spec)
    f.add_button(spec)
    spec.option.timestep = PHYSICS_DT_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    model = spec.compile()
    return SceneModel(
        name="tabletop",
        robot=found,
        model=model,
        objects=OBJECTS,
        cameras=("front", "wrist"),
        sampler=partial(sample, robot=found, model=model),
    )
