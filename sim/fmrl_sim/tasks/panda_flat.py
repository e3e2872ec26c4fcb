"""A cube into the bowl from the arm's home pose, by one policy that is given no plan.

The flat baseline of Plan-Seq-Learn: same arm, actions, decisions and physics as the local skills,
but nothing brings the hand near the cube or the bowl, and nothing says which of them is next. It is
told where both are, at every step and as exactly as the local policies are told of one. The reward
leads through reaching, lifting, carrying and letting go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import local_skill as ls
from fmrl_robot.robots import PANDA
from fmrl_robot.settings import Count, build
from fmrl_sim.batched.arms import Arms
from fmrl_sim.batched.env import BatchedEnv, Task
from fmrl_sim.scenes import furniture as f
from fmrl_sim.tasks.panda_model import CUBE, parked, table_model

BOWL = "bowl"
SKILL = ls.LocalSkill(name="grasp_and_place", steps=120)
"""Six seconds: PSL needs five, transits included."""
AREA = ((0.36, 0.60), (-0.26, 0.26))
APART_M = 0.16
"""Cube and bowl start at least so far from one another."""
HOVER_M = 0.09
"""Where a cube that is carried belongs, above the bowl's floor."""
INSIDE_M = 0.030
"""A cube in the bowl is no farther from its middle."""
RELEASED_FINGER_M, RESTING_M_S = 0.030, 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class PandaFlatConfig:
    """How it is trained."""

    engine: str = "cpu"
    num_envs: Count = 512
    seed: int = 0
    threads: int = 1
    physics_dt_s: float = 0.004
    position_noise_m: float = 0.004
    """Standard deviation of both estimates along each axis; constant in an episode."""
    yaw_noise_rad: float = 0.05
    action_cost: float = 0.01
    rate_cost: float = 0.02
    scatter_episodes: bool = True


class FlatArms(Arms):
    """Arms at home, each before a cube and a bowl."""

    def __init__(self, config: PandaFlatConfig) -> None:
        self.config = config
        model = table_model((CUBE, BOWL), config.physics_dt_s)
        super().__init__(
            PANDA, model, SKILL, config.num_envs,
            engine=config.engine, threads=config.threads, seed=config.seed,
        )  # fmt: skip
        self._start, position, quaternion = (self.tensor(v) for v in parked(model))
        joints = zip(PANDA.model_joints, PANDA.default, strict=True)
        for name, value in (*joints, ("finger_joint2", PANDA.default[-1])):
            self._start[int(model.joint(name).qposadr[0])] = float(value)
        self._home = self.tensor(PANDA.default)
        self._home[-1] = SKILL.open_m
        self._cube_at = int(model.joint(CUBE).qposadr[0])
        self._cube_dof = int(model.joint(CUBE).dofadr[0])
        self._bowl_at = int(model.body(BOWL).mocapid[0])
        self._mocap_pos[:], self._mocap_quat[:] = position, quaternion
        self._low = self.tensor([AREA[0][0], AREA[1][0]])
        self._room = self.tensor([AREA[0][1], AREA[1][1]]) - self._low
        noise = [config.position_noise_m] * 3 + [config.yaw_noise_rad]
        self._noise = self.tensor([*noise, *noise[:3]])
        n = config.num_envs
        self.error = torch.zeros((n, 7), device=self.device)
        """Of the estimates of cube (x, y, z, heading) and bowl (x, y, z)."""
        self.goal = torch.zeros((n, 3), device=self.device)
        """Where the cube's centre is when it lies in the bowl."""
        self.restart(torch.arange(n, device=self.device))

    def _spots(self, count: int) -> Tensor:
        drawn = torch.rand((count, 2), generator=self.rng, device=self.device)
        return self._low + self._room * drawn

    def restart(self, ids: Tensor) -> None:
        """Begin anew with cube and bowl elsewhere; see World."""
        count = len(ids)
        cube, bowl = self._spots(count), self._spots(count)
        near = torch.linalg.norm(cube - bowl, dim=1) < APART_M
        while bool(near.any()):
            bowl[near] = self._spots(int(near.sum()))
            near = torch.linalg.norm(cube - bowl, dim=1) < APART_M
        yaw = np.pi * (torch.rand(count, generator=self.rng, device=self.device) - 0.5)
        qpos = self._start.repeat(count, 1)
        at = self._cube_at
        qpos[:, at : at + 2], qpos[:, at + 2] = cube, f.CUBE_HALF_M
        qpos[:, at + 3 : at + 7] = 0.0
        qpos[:, at + 3], qpos[:, at + 6] = (yaw / 2).cos(), (yaw / 2).sin()
        self._mocap_pos[ids, self._bowl_at, :2] = bowl.to(self.qpos.dtype)
        self._mocap_pos[ids, self._bowl_at, 2] = 0.0
        self.goal[ids, :2] = bowl
        self.goal[ids, 2] = f.BOWL_FLOOR_M + f.CUBE_HALF_M
        drawn = torch.randn((count, 7), generator=self.rng, device=self.device)
        self.error[ids] = drawn * self._noise
        self.put(ids, qpos, self._home.repeat(count, 1))
        self.look()

    @property
    def cube(self) -> Tensor:
        """Position of the cube's centre, (n, 3)."""
        return self.qpos[:, self._cube_at : self._cube_at + 3].float()

    def cube_yaw(self) -> Tensor:
        """The cube's heading nearest to that of home, to which quarter turns are alike, (n,)."""
        at = self._cube_at + 3
        yaw = 2.0 * torch.atan2(self.qpos[:, at + 3].float(), self.qpos[:, at].float())
        quarter = np.pi / 2
        return quarter + torch.remainder(yaw + quarter / 2, quarter) - quarter / 2

    def speed(self) -> Tensor:
        """Of the cube, m/s, (n,)."""
        velocity = self.qvel[:, self._cube_dof : self._cube_dof + 3].float()
        return torch.linalg.norm(velocity, dim=1)

    def held(self) -> Tensor:
        """Whether the cube is between closed fingers, bool, (n,)."""
        near = torch.linalg.norm(self.cube - self.position, dim=1) < 0.022
        return self.closed & near & ((self.q[:, 7] - f.CUBE_HALF_M).abs() < 0.006)

    def inside(self) -> Tensor:
        """Whether the cube is in the bowl, held or not, bool, (n,)."""
        away = self.cube - self.goal
        return (torch.linalg.norm(away[:, :2], dim=1) < INSIDE_M) & (away[:, 2].abs() < 0.015)

    def success(self) -> Tensor:
        """Whether it lies in the bowl and the hand has let go, bool, (n,)."""
        free = self.q[:, 7] > RELEASED_FINGER_M
        return self.inside() & free & (self.speed() < RESTING_M_S)


def policy(w: FlatArms) -> Tensor:
    """What a local policy sees of its target, here the cube, and where the bowl is, (n, 24)."""
    told = torch.cat([w.cube, w.cube_yaw()[:, None]], dim=1) + w.error[:, :4]
    tool = w.tool()
    terms = ls.observation_terms(tool, w.q, w.dq, w.q_command, told, w.action)
    bowl = w.goal + w.error[:, 4:]
    heading = tool.heading()
    offsets = (ls.into(heading, bowl - w.position), ls.into(heading, bowl - told[:, :3]))
    return torch.cat([ls.scaled(terms), *(5.0 * v for v in offsets)], dim=1).nan_to_num()


def critic(w: FlatArms) -> Tensor:
    """The same, and what only a simulator knows."""
    known = (w.held(), w.inside(), w.closed, w.success(), w.age / SKILL.steps)
    rows = [policy(w), *(v[:, None].float() for v in known), 10.0 * w.error]
    return torch.cat(rows, dim=1).nan_to_num().clamp(-10.0, 10.0)


def _near(distance: Tensor, scale: float) -> Tensor:
    return 1.0 - torch.tanh(distance / scale)


def reward(w: FlatArms) -> Tensor:
    """Reach, close, lift, carry, let go: each stage is worth more than all before it, (n,)."""
    reach = torch.linalg.norm(w.cube - w.position, dim=1)
    held, inside, success = w.held(), w.inside(), w.success()
    lifted = ((w.cube[:, 2] - f.CUBE_HALF_M) / 0.06).clamp(0.0, 1.0)
    over = torch.linalg.norm((w.cube - w.goal)[:, :2], dim=1)
    wanted = torch.where(over < 0.04, 0.0, HOVER_M)
    height = (w.cube[:, 2] - w.goal[:, 2] - wanted).abs()
    carrying = held * (0.4 + 0.4 * lifted + 0.8 * lifted * _near(over, 0.15))
    lowering = held * (over < 0.04) * 0.5 * _near(height, 0.05)
    before = 0.3 * _near(reach, 0.15) + 0.2 * _near(reach, 0.02) + carrying + lowering
    return torch.where(inside & ~w.closed, 2.8 + 0.7 * success, before)


class PandaFlatEnv(BatchedEnv[FlatArms]):
    """Many arms with the whole task; implements VecEnv."""

    def __init__(self, config: PandaFlatConfig) -> None:
        self.config = config
        world = FlatArms(config)
        task = Task[FlatArms](
            observations={"policy": policy, "critic": critic},
            rewards={
                "stage": reward,
                "action": lambda w: w.action[:, :4].square().sum(dim=1),
                "rate": lambda w: (w.action - w.action_before)[:, :4].square().sum(dim=1),
            },
            weights={"stage": 1.0, "action": -config.action_cost, "rate": -config.rate_cost},
            terminations={},
            episode_steps=SKILL.steps,
            fall=-1.0,
            success=lambda w: w.success(),
            scatter=config.scatter_episodes,
        )
        super().__init__(world, task)


def make(**overrides: Any) -> PandaFlatEnv:
    """Build the environment; ``overrides`` are fields of PandaFlatConfig."""
    return PandaFlatEnv(build(PandaFlatConfig, overrides, "the settings of panda-flat"))
