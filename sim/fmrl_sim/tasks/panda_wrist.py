"""Grasp what the wrist camera sees: a small picture stands where the estimate of the target stood.

The teacher is the shipped state policy, told the true target; the student sees a picture, feels the
arm, and is told nothing of the target. Lights, colours, the cube's colour and the camera's pose are
drawn anew for each episode.

Reference: Dalal et al.: Plan-Seq-Learn (ICLR 2024), whose local policies see the wrist camera;
Chen et al.: Learning by Cheating (CoRL 2019) for the teacher that knows.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import torch
from torch import Tensor

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.local_policy import (
    FELT,
    WRIST_PX,
    LocalPolicy,
    wrist_contract,
)
from fmrl_robot.robots import PANDA
from fmrl_robot.settings import build
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import furniture as f
from fmrl_sim.tasks.panda_local import LocalArms, PandaLocalConfig, PandaLocalEnv, critic
from fmrl_sim.tasks.panda_model import BASE, CUBE, local_model

CAMERA_M = 0.002
"""Standard deviation of where the camera is mounted, along each axis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PandaWristConfig(PandaLocalConfig):
    """How the student is taught."""

    num_envs: int = 128
    hand_spread_m: float = 0.020
    """Farther off than the state policy begins: there is no estimate that could be wrong."""


class WristView:
    """Pictures of many tables by one camera on each hand."""

    def __init__(self, skill: str, seed: int) -> None:
        self.model = local_model(skill, 0.004, looks=True)
        far = {self.model.body(f"link{i}").id for i in range(8)}
        for geom in range(self.model.ngeom):
            if int(self.model.geom_bodyid[geom]) in far:
                # Behind the camera; the rasteriser would still work through its triangles.
                self.model.geom_matid[geom], self.model.geom_rgba[geom, 3] = -1, 0.0
        self._data = mujoco.MjData(self.model)
        self._renderer = SceneRenderer(self.model, width=WRIST_PX, height=WRIST_PX)
        weakref.finalize(self, self._renderer.close)
        self._seed, self._colors = seed, np.array([c[:3] for c in f.CUBE_COLORS.values()])

    def __call__(self, arms: LocalArms, episode: Tensor) -> Tensor:
        """What each arm's camera sees, RGB from 0 to 1, (n, 3 * WRIST_PX**2)."""
        pictures = np.empty((arms.count, 3, WRIST_PX, WRIST_PX), np.uint8)
        for i in range(arms.count):
            self._vary(np.random.default_rng((self._seed, i, int(episode[i]))))
            self.pose(arms, i)
            pictures[i] = self._renderer.rgb(self._data, "wrist").transpose(2, 0, 1)
        return torch.from_numpy(pictures).flatten(1).float() / 255.0

    def pose(self, arms: LocalArms, i: int) -> mujoco.MjData:
        """Put the model that is seen into the state of arm ``i``."""
        data, model = self._data, self.model
        data.qpos[:] = arms.qpos[i].cpu().numpy()
        mocap = arms.fixtures(i)
        data.mocap_pos[:], data.mocap_quat[:] = mocap
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        return data

    def _vary(self, rng: np.random.Generator) -> None:
        self._renderer.vary(rng, CAMERA_M)
        for name, color in zip((CUBE, BASE), rng.permutation(self._colors)[:2], strict=True):
            self._renderer.paint(name, np.clip(color + 0.05 * rng.normal(size=3), 0.0, 1.0))


class WristArms(LocalArms):
    """Arms with a camera."""

    def __init__(self, config: PandaWristConfig) -> None:
        super().__init__(config)
        self.view = WristView(config.skill, config.seed)
        self.episode = torch.zeros(self.count, dtype=torch.long, device=self.device)

    def restart(self, ids: Tensor) -> None:
        """See World."""
        self.episode[ids] += 1
        super().restart(ids)


def policy(w: WristArms) -> Tensor:
    """What is seen and felt, (n, 3 * WRIST_PX**2 + 14)."""
    terms = w.terms()
    scales = dict(zip(ls.OBSERVATION_NAMES, ls.OBSERVATION_SCALES, strict=True))
    felt = [scales[name] * terms[name] for name in FELT]
    return torch.cat([w.view(w, w.episode), *felt], dim=1).nan_to_num()


class PandaWristEnv(PandaLocalEnv):
    """Many arms that grasp by sight; implements VecEnv."""

    picture = (3, WRIST_PX, WRIST_PX)
    """Shape of what the policy's observations begin with."""
    arms, sees = WristArms, {"policy": policy, "critic": critic}

    def __init__(self, config: PandaWristConfig) -> None:
        super().__init__(config)
        self._teacher: LocalPolicy | None = None

    def demonstrate(self) -> Tensor:
        """What the teacher would do now, (num_envs, 5)."""
        if self._teacher is None:
            self._teacher = LocalPolicy(PANDA, self.world.skill, policies_dir())
        told = self.world.terms(self.world.true_target())
        actions = self._teacher({name: t.double().numpy() for name, t in told.items()})
        return torch.as_tensor(actions, dtype=torch.float32).clamp(-1.3, 1.3)

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return wrist_contract(PANDA)


def make_grasp(**overrides: Any) -> PandaWristEnv:
    """Build the environment; ``overrides`` are fields of PandaWristConfig."""
    where = "the settings of panda-grasp-wrist"
    return PandaWristEnv(build(PandaWristConfig, overrides, where))
