"""Pictures of the tables on which local skills are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco

from fmrl_robot.types import Image
from fmrl_sim.render import SceneRenderer
from fmrl_sim.tasks.panda_model import local_model

if TYPE_CHECKING:
    from fmrl_sim.tasks.panda_local import LocalArms


class TableView:
    """A camera on any of many tables; belongs to the thread that made it."""

    def __init__(
        self, arms: LocalArms, width: int, height: int, hidden: tuple[str, ...] = ()
    ) -> None:
        """Make what is seen and the means to see it.

        Args:
            arms: whose tables they are.
            width: of the pictures, pixels.
            height: likewise.
            hidden: bodies that are not drawn, for speed.
        """
        self._arms = arms
        model = local_model(arms.skill.name, arms.model.opt.timestep, looks=True)
        for geom in range(model.ngeom):
            if model.body(int(model.geom_bodyid[geom])).name in hidden:
                model.geom_matid[geom], model.geom_rgba[geom, 3] = -1, 0.0
        self._model, self._data = model, mujoco.MjData(model)
        self.renderer = SceneRenderer(model, width=width, height=height)

    def __call__(self, world: int, camera: str) -> Image:
        """What a camera of one table sees, RGB, (height, width, 3)."""
        data, arms = self._data, self._arms
        data.qpos[:] = arms.qpos[world].cpu().numpy()
        data.mocap_pos[:], data.mocap_quat[:] = arms.fixtures(world)
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_camlight(self._model, data)
        return self.renderer.rgb(data, camera)
