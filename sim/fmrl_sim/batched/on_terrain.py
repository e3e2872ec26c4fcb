"""Quadrupeds on a map of patches: where they start, and how hard a patch each one is given."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import locomotion as loco
from fmrl_sim.batched.actors import Actors, ActorsConfig
from fmrl_sim.scenes.terrain import PATCH_M, Terrain

START_M = PATCH_M / 2 - 1.0
"""Greatest distance of a start from its patch's middle, along each axis."""
LIFT_M = 0.04
"""More room under the feet at the start: one that begins inside of a height field stays there."""
FAR, NEAR = 0.7, 0.4
"""Share of the asked way beyond which a robot moves up, and below which it moves down."""
ASKED_M = 1.5
"""Robots that were asked for less stay where they are."""
_FEET_M = tuple(
    (x + dx, y + dy)
    for x, y in ((0.19, 0.14), (0.19, -0.14), (-0.19, 0.14), (-0.19, -0.14))
    for dx in (-0.07, 0.0, 0.07)
    for dy in (-0.07, 0.0, 0.07)
)
"""Points forward and left of the base where a foot may come down at the start."""
_SPAN_M = ((0.25, 0.0), (-0.25, 0.0), (0.0, 0.15), (0.0, -0.15))
"""Points ahead of the base, behind, left and right, between which the ground's slope is taken."""
SCAN_M = tuple((0.2 * x, 0.2 * y) for x in range(-2, 4) for y in (-1, 0, 1))
"""Points forward and left of the base at which a critic sees the ground."""


class OnTerrain(Actors):
    """Robots on patches; each keeps its kind of ground and moves between difficulties."""

    def __init__(self, config: ActorsConfig, terrain: Terrain, *, whole: bool = False) -> None:
        super().__init__(config, terrain=terrain, whole=whole)
        self.terrain = terrain
        self._period = self._tensor(terrain.period_m)
        self._feet_points = self._tensor(_FEET_M)
        self._span_points = self._tensor(_SPAN_M)
        self._scan_points = self._tensor(SCAN_M)
        n = self.count
        self.kind = torch.arange(n, device=self.device) % len(terrain.kinds)
        """Column of each robot's patch."""
        names = np.asarray(terrain.kinds)[self.kind.cpu()]
        self.there = {
            kind: torch.as_tensor(names == kind, device=self.device) for kind in terrain.kinds
        }
        """Robots on each kind of ground, (n,) each."""
        self.level = torch.zeros(n, dtype=torch.long, device=self.device)
        """Row of each robot's patch."""

    @property
    def levels(self) -> int:
        """Rows of patches."""
        return len(self.terrain.difficulties)

    def place(self, ids: Tensor, qpos: Tensor) -> None:
        """Put robots anywhere on their patches; see Quadrupeds."""
        x, y = self.terrain.middle(self.level[ids], self.kind[ids])
        x = x + self.uniform(-START_M, START_M, len(ids))
        y = y + self.uniform(-START_M, START_M, len(ids))
        yaw = loco.yaw_of(qpos[:, 3:7])
        qpos[:, 0], qpos[:, 1] = x, y
        qpos[:, 2] += LIFT_M + self.around(x, y, yaw, self._feet_points).amax(dim=1)

    def look(self) -> None:
        """Let who left the map enter it on the other side, where the ground goes on; see World."""
        at = self.qpos[:, :2]
        at -= self._period * torch.round(at / self._period)
        super().look()

    def scan(self) -> Tensor:
        """How far the ground lies below each base around it, m, (n, len(SCAN_M))."""
        qpos = self.qpos.float()
        ground = self.around(qpos[:, 0], qpos[:, 1], self.yaw, self._scan_points)
        return qpos[:, 2, None] - ground

    def upright(self) -> Tensor:
        """Direction of gravity, forward and left, of a base that leans as the ground, (n, 2)."""
        qpos = self.qpos.float()
        ground = self.around(qpos[:, 0], qpos[:, 1], self.yaw, self._span_points)
        rise = torch.stack([ground[:, 0] - ground[:, 1], ground[:, 2] - ground[:, 3]], dim=1)
        slope = rise / (2 * self._span_points[[0, 2]].amax(dim=1))
        return -slope / (1.0 + slope.square().sum(dim=1, keepdim=True)).sqrt()

    def promote(self, ids: Tensor, asked: Tensor, walked: Tensor) -> None:
        """Move robots up that walked as far as they were asked to, and down that did not.

        Who has mastered the hardest patches starts anew anywhere in the harder half.

        Args:
            ids: robots whose episode has ended, (k,).
            asked: way that they were asked for in a whole episode, m, (k,).
            walked: way that they went as commanded, m, (k,).
        """
        judged = asked > ASKED_M
        up, down = judged & (walked > FAR * asked), judged & (walked < NEAR * asked)
        level = self.level[ids] + up.long() - down.long()
        harder = torch.randint(
            self.levels // 2, self.levels, (len(ids),), generator=self.rng, device=self.device
        )
        self.level[ids] = torch.where(level >= self.levels, harder, level.clamp_min(0))
