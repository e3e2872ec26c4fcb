"""Grasp what the wrist camera sees: a small picture stands where the estimate of the target stood.

The teacher is the shipped state policy, told the true target; the student sees a picture, feels the
arm, and is told nothing of the target. Lights, colours, the cube's colour and the camera's pose are
drawn anew for each episode.

Reference: Dalal et al.: Plan-Seq-Learn (ICLR 2024), whose local policies see the wrist camera;
Chen et al.: Learning by Cheating (CoRL 2019) for the teacher that knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
from fmrl_robot.types import Image
from fmrl_sim.scenes import furniture as f
from fmrl_sim.tasks.panda_local import LocalArms, PandaLocalConfig, PandaLocalEnv, critic
from fmrl_sim.tasks.panda_model import BASE, CUBE
from fmrl_sim.tasks.panda_view import TableView

INSET = 3
"""How much the picture is enlarged when it is shown."""
CAMERA_M = 0.002
"""Standard deviation of where the camera is mounted, along each axis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PandaWristConfig(PandaLocalConfig):
    """How the student is taught."""

    num_envs: int = 128
    hand_spread_m: float = 0.020
    """Farther off than the state policy begins: there is no estimate that could be wrong."""


class WristView:
    """Pictures by the camera on each hand, every episode in another light and other colours."""

    def __init__(self, arms: WristArms, seed: int) -> None:
        self._arms = arms
        # Behind the camera; the rasteriser would still work through their triangles.
        self._view = TableView(arms, WRIST_PX, WRIST_PX, tuple(f"link{i}" for i in range(8)))
        self._seed, self._colors = seed, np.array([c[:3] for c in f.CUBE_COLORS.values()])

    def __call__(self) -> Tensor:
        """What each arm's camera sees, RGB from 0 to 1, (n, 3 * WRIST_PX**2)."""
        count = self._arms.count
        pictures = np.empty((count, 3, WRIST_PX, WRIST_PX), np.uint8)
        for i, episode in enumerate(self._arms.episode.tolist()):
            self._vary(np.random.default_rng((self._seed, i, episode)))
            pictures[i] = self._view(i, "wrist").transpose(2, 0, 1)
        return torch.from_numpy(pictures).flatten(1).float() / 255.0

    def _vary(self, rng: np.random.Generator) -> None:
        renderer = self._view.renderer
        renderer.vary(rng, CAMERA_M)
        for name, color in zip((CUBE, BASE), rng.permutation(self._colors)[:2], strict=True):
            renderer.paint(name, np.clip(color + 0.05 * rng.normal(size=3), 0.0, 1.0))


class WristArms(LocalArms):
    """Arms with a camera."""

    def __init__(self, config: PandaWristConfig) -> None:
        super().__init__(config)
        self.see = WristView(self, config.seed)
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
    return torch.cat([w.see(), *felt], dim=1).nan_to_num()


class PandaWristEnv(PandaLocalEnv):
    """Many arms that grasp by sight; implements VecEnv."""

    picture = (3, WRIST_PX, WRIST_PX)
    """Shape of what the policy's observations begin with."""
    arms, sees = WristArms, {"policy": policy, "critic": critic}

    def __init__(self, config: PandaWristConfig) -> None:
        super().__init__(config)
        self._teacher: LocalPolicy | None = None

    def render(self, env: int = 0, size: tuple[int, int] = (640, 480)) -> Image:
        """The table, and in its corner what the hand sees; see PandaLocalEnv."""
        picture = super().render(env, size)
        seen = (255 * self.world.see()[env].reshape(self.picture)).byte().permute(1, 2, 0).numpy()
        inset = seen.repeat(INSET, 0).repeat(INSET, 1)
        picture[: len(inset), -len(inset) :] = inset
        return picture

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
