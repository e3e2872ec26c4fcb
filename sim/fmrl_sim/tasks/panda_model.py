"""The tables of the local skills: the tabletop's own parts, and of them only what a skill needs.

Fewer bodies make a step several times cheaper; what the hand touches is the same furniture with the
same contact parameters. Whatever a start does not need is parked out of reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import mujoco
import numpy as np

from fmrl_robot.robots import PANDA
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.arm import CUBE_BIT, ROBOT_BIT, arm_spec
from fmrl_sim.scenes.peg import add_peg, add_socket
from fmrl_sim.scenes.tabletop import add_room, add_view

CUBE, BASE, PEG = "cube", "base", "peg"
PARKED_M = 100.0
_CONTAINERS = (CUBE, BASE, "bowl", "bin", "cabinet")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "grasp": _CONTAINERS,
    "place": _CONTAINERS,
    "open": ("cabinet",),
    "close": ("cabinet",),
    "press": ("button",),
    "push": (CUBE,),
    "insert": (PEG, "socket"),
}
"""What stands on the table of each skill; a free body that the skill moves comes first."""


def _cube(spec: mujoco.MjSpec, name: str) -> None:
    spec.add_material(name=name, rgba=f.CUBE_COLORS["red_cube"], specular=0.35, shininess=0.5)
    f.add_cube(spec, name)


_ADD: Mapping[str, Callable[[mujoco.MjSpec], None]] = {
    CUBE: lambda spec: _cube(spec, CUBE),
    BASE: lambda spec: _cube(spec, BASE),
    PEG: add_peg,
    "bowl": f.add_bowl,
    "bin": f.add_bin,
    "cabinet": f.add_cabinet,
    "button": f.add_button,
    "socket": add_socket,
}


def local_model(skill: str, physics_dt_s: float, *, looks: bool = False) -> mujoco.MjModel:
    """Compile arm, table and what ``skill`` needs; see table_model."""
    return table_model(NEEDS[skill], physics_dt_s, looks=looks)


def table_model(
    things: Sequence[str], physics_dt_s: float, *, looks: bool = False
) -> mujoco.MjModel:
    """Compile arm, table and some things.

    Args:
        things: what stands on the table, as in NEEDS.
        physics_dt_s: of the simulation.
        looks: keep what only a camera sees, and stand all in the tabletop's room; states are those
            of the model without.
    """
    spec = arm_spec(PANDA)
    if looks:
        add_room(spec)
        add_view(spec)
    else:
        _strip(spec)
        spec.worldbody.add_geom(
            name="table",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            size=[2, 2, 0.05],
            contype=0,
            conaffinity=ROBOT_BIT | CUBE_BIT,
            friction=[0.9, 0.005, 0.0001],
        )
    f.add_materials(spec)
    for thing in things:
        _ADD[thing](spec)
    spec.option.timestep = physics_dt_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    # MuJoCo would silently restart a diverged world; the learner has to hear of it.
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    return spec.compile()


def _strip(spec: mujoco.MjSpec) -> None:
    """Delete what touches nothing."""
    for geom in list(spec.geoms):
        if not geom.contype and not geom.conaffinity:
            spec.delete(geom)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)


def free_bodies(model: mujoco.MjModel) -> tuple[str, ...]:
    """Names of what can be carried, each that of its joint, body and shape."""
    free = int(mujoco.mjtJoint.mjJNT_FREE)
    return tuple(model.joint(i).name for i in range(model.njnt) if model.jnt_type[i] == free)


def parked(model: mujoco.MjModel) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (qpos, mocap_pos, mocap_quat) with every thing out of the arm's reach.

    Free bodies are so high that they fall all through an episode: at rest on the table their
    contacts would cost as much time as those that matter.
    """
    qpos = model.qpos0.copy()
    for i, name in enumerate(free_bodies(model)):
        address = model.joint(name).qposadr[0]
        qpos[address : address + 7] = -1.5, 0.3 * i, PARKED_M, 1.0, 0.0, 0.0, 0.0
    position = np.zeros((model.nmocap, 3))
    for i in range(model.nmocap):
        position[i] = -1.5, -0.6 * (i + 1), 0.0
    return qpos, position, np.tile([1.0, 0.0, 0.0, 0.0], (model.nmocap, 1))
