"""The model of which thousands are stepped: a quadruped on its floor, and what it is felt by."""

from __future__ import annotations

import mujoco

from fmrl_robot.robots import RobotSpec
from fmrl_sim.scenes.ground import add_floor, quadruped_spec
from fmrl_sim.scenes.terrain import Terrain


def training_model(
    robot: RobotSpec,
    physics_dt_s: float,
    *,
    terrain: Terrain | None = None,
    whole: bool = False,
) -> mujoco.MjModel:
    """The quadruped of the *ground* scene on its floor, with few collision shapes.

    Of the boxes that cover the legs one a link is kept, and one of the trunk: on a flat floor that
    is what strikes first. On terrain the trunk, with the head, keeps all of its own.

    Args:
        robot: which.
        physics_dt_s: time step.
        terrain: the floor; None: a plane.
        whole: keep every collision shape, as the simulated body has them.
    """
    spec = quadruped_spec(robot)
    add_floor(spec, robot)
    if terrain is not None:
        terrain.add_to(spec)
    kept: set[str] = set()
    for geom in [*spec.geoms]:
        collides = geom.contype or geom.conaffinity
        if geom.name == "floor" or geom.name in robot.foot_geoms:
            continue
        body = geom.parent.name
        wanted = body == robot.base_body or body.endswith(("_thigh", "_calf"))
        if not collides or body in kept or not wanted:
            trunk = terrain is not None and body == robot.base_body
            if not collides or not (whole or trunk):
                spec.delete(geom)
        else:
            kept.add(body)
            if body != robot.base_body:
                geom.name = f"{body}_shape"
    for body in sorted(kept - {robot.base_body}):
        spec.add_sensor(
            name=f"{body}_struck",
            type=mujoco.mjtSensor.mjSENS_CONTACT,
            objtype=mujoco.mjtObj.mjOBJ_GEOM,
            objname=f"{body}_shape",
            reftype=mujoco.mjtObj.mjOBJ_GEOM,
            refname="floor",
            intprm=[1, 3, 1],
        )
    spec.add_sensor(
        name="trunk_touch",
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        objname=robot.base_body,
        reftype=mujoco.mjtObj.mjOBJ_GEOM,
        refname="floor",
        intprm=[1, 3, 1],
    )
    spec.option.timestep = physics_dt_s
    # MuJoCo would silently restart a diverged robot; the learner has to hear of it.
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    spec.option.iterations, spec.option.ls_iterations = 8, 10
    return spec.compile()
