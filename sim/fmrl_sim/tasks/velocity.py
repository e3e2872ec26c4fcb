"""Walk at a commanded velocity on rough ground, blind; Go2 and Go1.

In: proprioception and the command (45 numbers). Out: twelve joint offsets at 50 Hz. The critic also
sees the ground around the robot. What the ground is like stands in
:mod:`fmrl_sim.scenes.terrain`; each robot has a kind of ground, and moves to a harder patch where
it walks as far as it is asked to, to an easier one where it does not.

Reference: Rudin et al.: Learning to Walk in Minutes Using Massively Parallel Deep Reinforcement
Learning (CoRL 2021). Differs: no height scan for the policy, kinds of ground as high as the robots
here can climb, a reward for diagonal legs that step together, a cost on feet that swing lower than
the highest ground near them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control import velocity as walking
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.settings import Count, build
from fmrl_robot.types import FloatArray
from fmrl_sim.batched.actors import ActorsConfig, ActorsEnv, critic, policy
from fmrl_sim.batched.env import Task
from fmrl_sim.batched.on_terrain import OnTerrain
from fmrl_sim.scenes.terrain import KINDS, Terrain, make_terrain
from fmrl_sim.tasks.trotting import Trotter, flat_ground_policy
from fmrl_sim.tasks.velocity_rewards import REWARDS, Weights, fallen

CLEARED_M = 0.1
"""Feet have to clear the ground within so far of them."""
STILL = 0.1
"""Commands smaller than this (m/s, rad/s) mean to stand."""
_NEAR_M = ((0.0, 0.0), (CLEARED_M, 0.0), (-CLEARED_M, 0.0), (0.0, CLEARED_M), (0.0, -CLEARED_M))


@dataclass(frozen=True, kw_only=True, slots=True)
class VelocityConfig(ActorsConfig):
    """The task's settings."""

    episode_steps: int = 500
    resample_steps: int = 250
    """The command is drawn anew after so many steps."""
    levels: Count = 6
    """Difficulties of the map."""
    first_levels: Count = 3
    """Of them, those on which robots begin."""
    kinds: tuple[str, ...] = (*KINDS, "blocks", "stairs", "stairs")
    """Of the ground, each for an equal share of the robots; what is harder stands there often."""
    from_stance: float = 0.3
    """Share of the robots that start at rest in the stance, as a robot does that has stood."""
    height_low_m: float = 0.25
    """A base lower than this above the ground costs."""
    weights: Weights = field(default_factory=Weights)


class Rovers(OnTerrain):
    """Quadrupeds on rough ground with a velocity to follow."""

    observations = walking.OBSERVATIONS
    action_scale = walking.ACTION_SCALE

    def __init__(
        self, config: VelocityConfig, terrain: Terrain | None = None, *, whole: bool = False
    ) -> None:
        """Make robots.

        Args:
            config: settings; its seed also draws the map.
            terrain: another map.
            whole: keep every collision shape of the robot.
        """
        if terrain is None:
            levels = np.linspace(0.0, 1.0, config.levels).tolist()
            terrain = make_terrain(config.seed, config.kinds, tuple(levels))
        super().__init__(config, terrain, whole=whole)
        self.config = config
        n, device = self.count, self.device
        first = min(config.first_levels, self.levels)
        self.level.random_(0, first, generator=self.rng)
        most = walking.VELOCITY_MAX
        self._most = self._tensor([most.vx, most.vy, most.wz])
        self._near_points = self._tensor(_NEAR_M)
        self.command = torch.zeros((n, 3), device=device)
        """Forward and sideways m/s, turn rad/s."""
        self._keeps = torch.zeros(n, dtype=torch.bool, device=device)
        self._heading = torch.zeros(n, device=device)
        self.asked, self.walked = (torch.zeros(n, device=device) for _ in range(2))
        """Way in m since the start: as long as commanded, and as far as gone along the command."""
        self._air = torch.zeros((n, 4), device=device)
        self._touched = torch.ones((n, 4), dtype=torch.bool, device=device)
        self._feet_before = self.feet_at
        self._step()

    # --- world ------------------------------------------------------------------------------------

    def look(self) -> None:
        """See World."""
        super().look()
        self._step()
        planar = self.command[:, :2]
        speed = planar.norm(dim=1)
        along = (self.velocity[:, :2] * planar).sum(dim=1) / speed.clamp_min(1e-6)
        self.asked = self.asked + speed * self.control_dt_s
        self.walked = self.walked + torch.minimum(along, speed) * self.control_dt_s
        turn = loco.keep_heading(torch.zeros_like(self.yaw), self._heading - self.yaw)
        self.command[:, 2] = torch.where(self._keeps, turn, self.command[:, 2])

    def _step(self) -> None:
        """What the feet did in the step that has passed."""
        moved = self.feet_at[..., :2] - self._feet_before[..., :2]
        moved = moved - self._period * torch.round(moved / self._period)
        known = (self.age > 1)[:, None]
        self.foot_speed = known * (moved.norm(dim=2) / self.control_dt_s).clamp_max(5.0)
        """Horizontal, m/s, (n, 4)."""
        down = self.contacts | self._touched
        self._air = self._air + self.control_dt_s
        self.landed = torch.where(down & (self._air > 1.5 * self.control_dt_s), self._air, 0.0)
        """Time in s that a foot which has just come down was in the air, else 0, (n, 4)."""
        self._air = torch.where(down, 0.0, self._air)
        self._touched, self._feet_before = self.contacts, self.feet_at
        self.velocity_error = (self.velocity[:, :2] - self.command[:, :2]).square().sum(dim=1)
        self.moving = self.command.abs().amax(dim=1) > STILL

    def clearance(self) -> Tensor:
        """Height of the feet above the highest ground near them, m, (n, 4)."""
        near = self.feet_at[:, :, None, :2] + self._near_points
        highest = self.ground(near[..., 0], near[..., 1]).amax(dim=2)
        return self.feet_at[..., 2] - self._foot_radius - highest

    def restart(self, ids: Tensor, spread: float | Tensor | None = None) -> None:
        """Begin anew on a patch that fits, some from the stance itself; see World."""
        left = (self.config.episode_steps - self.age[ids]).clamp_min(0) * self.control_dt_s
        asked = self.asked[ids] + left * self.command[ids, :2].norm(dim=1)
        self.promote(ids, asked, self.walked[ids])
        if spread is None:
            spread = (self.uniform(0, 1, len(ids), 1) >= self.config.from_stance).float()
        super().restart(ids, spread)
        for felt in (self.asked, self.walked, self._air):
            felt[ids] = 0.0
        self._touched[ids] = True
        self.draw_commands(ids)

    def events(self) -> None:
        """Give new commands to whose time has come, and push a few."""
        due = (self.age % self.config.resample_steps == 0) & (self.age > 0)
        ids = due.nonzero().squeeze(1)
        if len(ids):
            self.draw_commands(ids)
        self.push()

    # --- commands ---------------------------------------------------------------------------------

    def draw_commands(self, ids: Tensor) -> None:
        """Draw what robots ``ids`` are to do: mostly ahead or back, often turning, some stand."""
        n = len(ids)

        def with_chance(p: float) -> Tensor:
            return self.uniform(0, 1, n) < p

        drawn = self._most * self.uniform(-1, 1, n, 3)
        drawn[:, 0] = torch.where(with_chance(0.3), drawn[:, 0].sign(), drawn[:, 0])
        drawn[:, 1] *= with_chance(0.4)
        drawn[:, 2] *= with_chance(0.5)
        drawn *= ~with_chance(0.1)[:, None]
        self.set_commands(ids, drawn)

    def set_commands(self, ids: Tensor, commands: Tensor) -> None:
        """Command robots ``ids`` (k,) with (k, 3); one that does not turn keeps its heading."""
        commands = commands * (commands.abs() > STILL)
        moves = (commands[:, :2] != 0).any(dim=1)
        self.command[ids] = commands
        self._keeps[ids] = moves & (commands[:, 2] == 0)
        self._heading[ids] = self.yaw[ids]

    def wishes(self) -> dict[str, Tensor]:
        """See Actors."""
        return {"velocity_command": self.command}


def privileged(w: Rovers) -> Tensor:
    """What the critic is told: the ground around the robot too."""
    return critic(*w.privileged(), 5.0 * (w.scan() - w.robot.base_height_m), w.foot_speed, w.load)


def level_of(w: Rovers, kind: str) -> Tensor:
    """Mean difficulty of the robots on one kind of ground, 0 to 1."""
    return w.level[w.there[kind]].float().mean() / max(1, w.levels - 1)


class VelocityEnv(ActorsEnv[Rovers]):
    """Many quadrupeds that walk on rough ground; implements VecEnv."""

    def __init__(self, config: VelocityConfig) -> None:
        self.config = config
        self._trotter: Trotter | None = None
        weights = asdict(config.weights)
        task = Task[Rovers](
            observations={"policy": policy, "critic": privileged},
            rewards=REWARDS,
            weights=weights,
            terminations={"fell": fallen},
            episode_steps=config.episode_steps,
            fall=weights.pop("fall"),
            reward_scale=config.reward_scale,
            events=Rovers.events,
            log={
                f"level/{kind}": partial(level_of, kind=kind)
                for kind in dict.fromkeys(config.kinds)
            }
            | {"error/velocity": lambda w: w.velocity_error.sqrt().mean()},
        )
        super().__init__(Rovers(config), task)

    def demonstrate(self) -> Tensor:
        """What a demonstrator that learned on level ground would do now, (n, 12)."""
        if self._trotter is None:
            self._trotter = Trotter(flat_ground_policy(self.world.robot.name))
        seen, columns = self.world.sense(0.0), self.world.age
        actions = self._trotter(seen.double().cpu().numpy(), columns.cpu().numpy())
        return torch.as_tensor(actions, dtype=torch.float32, device=self.device)

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return walking.velocity_contract(self.world.robot)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """Walks on maps never trained on; see velocity_evaluation."""
        from fmrl_sim.tasks.velocity_evaluation import report

        return report(act, robot=self.world.robot.name, **settings)


def _make(robot: str, settings: dict[str, Any]) -> VelocityEnv:
    where = f"the settings of {robot}-velocity"
    return VelocityEnv(build(VelocityConfig, {"robot": robot} | settings, where))


def make_go2(**settings: Any) -> VelocityEnv:
    """Build the environment from fields of VelocityConfig."""
    return _make("go2", settings)


def make_go1(**settings: Any) -> VelocityEnv:
    """The same with Go1."""
    return _make("go1", settings)
