"""The table of the local skills: the tabletop's own parts with two cubes instead of four.

Fewer free bodies make a step four times cheaper; what the hand touches is the same furniture with
the same contact parameters. Whatever a start does not need is parked out of reach.
"""

from __future__ import annotations

import mujoco
import numpy as np

from fmrl_robot.robots import PANDA
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.arm import CUBE_BIT, ROBOT_BIT, arm_spec

CUBE, BASE = "cube", "base"
FIXTURES = ("bowl", "bin", "cabinet", "button")


def local_model(physics_dt_s: float) -> mujoco.MjModel:
    """Compile arm, table, two cubes and the furniture."""
    spec = arm_spec(PANDA)
    for geom in list(spec.geoms):
        if not geom.contype and not geom.conaffinity:
            spec.delete(geom)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)
    spec.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[2, 2, 0.05],
        contype=0,
        conaffinity=ROBOT_BIT | CUBE_BIT,
        friction=[0.9, 0.005, 0.0001],
    )
    f.add_materials(spec)
    for name in (CUBE, BASE):
        spec.add_material(name=name)
        f.add_cube(spec, name)
    f.add_bowl(spec)
    f.add_bin(spec)
    f.add_cabinet(spec)
    f.add_button(spec)
    spec.option.timestep = physics_dt_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    return spec.compile()


def parked(model: mujoco.MjModel) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (qpos, mocap_pos, mocap_quat) with every thing out of the arm's reach."""
    qpos = model.qpos0.copy()
    for i, name in enumerate((CUBE, BASE)):
        address = model.joint(name).qposadr[0]
        qpos[address : address + 7] = -1.5, 0.3 * i, f.CUBE_HALF_M, 1.0, 0.0, 0.0, 0.0
    position = np.zeros((model.nmocap, 3))
    for i, name in enumerate(FIXTURES):
        position[model.body(name).mocapid[0]] = -1.5, -0.6 * (i + 1), 0.0
    return qpos, position, np.tile([1.0, 0.0, 0.0, 0.0], (model.nmocap, 1))
