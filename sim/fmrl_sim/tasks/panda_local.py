"""The Panda's local skills: each one task, begun near its region, on any engine.

What the policy does not know (where exactly the target is, how heavy and how slippery the things
are) is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.local_policy import local_contract
from fmrl_robot.errors import ConfigError
from fmrl_robot.motion.servo import wrap, yaw_of
from fmrl_robot.robots import PANDA
from fmrl_robot.settings import Count, build
from fmrl_robot.types import FloatArray, Image
from fmrl_sim.batched.arms import Arms
from fmrl_sim.batched.env import BatchedEnv, Task
from fmrl_sim.tasks.panda_demos import DEMONSTRATORS
from fmrl_sim.tasks.panda_eval import report
from fmrl_sim.tasks.panda_model import BASE, NEEDS, free_bodies, local_model
from fmrl_sim.tasks.panda_rewards import DROP_M, REWARDS, Truth
from fmrl_sim.tasks.panda_starts import draw_starts
from fmrl_sim.tasks.panda_view import TableView


@dataclass(frozen=True, kw_only=True, slots=True)
class PandaLocalConfig:
    """How one local skill is trained."""

    skill: str = "grasp"
    engine: str = "cpu"
    num_envs: Count = 512
    seed: int = 0
    threads: int = 1
    pool: int = 4096
    """Number of distinct starts."""
    physics_dt_s: float = 0.004
    position_noise_m: float = 0.004
    """Standard deviation of the target's estimate along each axis; constant in an episode."""
    yaw_noise_rad: float = 0.05
    hand_spread_m: float = 0.010
    """Standard deviation of where the hand begins, along x and y."""
    randomise: bool = True
    """Draw mass and friction of what is moved for each environment."""
    action_cost: float = 0.01
    rate_cost: float = 0.02
    scatter_episodes: bool = True
    """Begin the first episodes at different ages, so that resets do not come all at once."""


class LocalArms(Arms):
    """Arms at one local skill, each with its own table."""

    def __init__(self, config: PandaLocalConfig) -> None:
        if config.skill not in ls.SKILLS:
            raise ConfigError(f"expected a skill of {sorted(ls.SKILLS)}, got {config.skill!r}")
        self.config = config
        model = local_model(config.skill, config.physics_dt_s)
        super().__init__(
            PANDA,
            model,
            ls.SKILLS[config.skill],
            config.num_envs,
            engine=config.engine,
            threads=config.threads,
            seed=config.seed,
        )
        rng = np.random.default_rng(config.seed)
        starts = draw_starts(model, config.skill, config.pool, rng, config.hand_spread_m)
        self._pool = {name: self.tensor(getattr(starts, name)) for name in starts.__slots__}
        self._thing = NEEDS[config.skill][0] if free_bodies(model) else ""
        noise = [config.position_noise_m] * 3 + [config.yaw_noise_rad]
        self._noise = self.tensor(noise)
        n = config.num_envs
        self.row = torch.zeros(n, dtype=torch.long, device=self.device)
        self.dropped = torch.zeros(n, dtype=torch.bool, device=self.device)
        self.estimate = torch.zeros((n, 4), device=self.device)
        """Of the target, as the controller would have it."""
        if config.randomise:
            self._vary(rng)
        self.look()

    def _vary(self, rng: np.random.Generator) -> None:
        """Draw mass and friction of the free bodies, and friction of the pads."""
        model, n = self.model, self.count
        mass, inertia, friction = (
            np.repeat(np.asarray(getattr(model, name))[None], n, axis=0)
            for name in ("body_mass", "body_inertia", "geom_friction")
        )
        for name in free_bodies(model):
            body, geom = model.body(name).id, model.geom(name).id
            factor = rng.uniform(0.6, 1.6, n)
            mass[:, body] *= factor
            inertia[:, body] *= factor[:, None]
            friction[:, geom, 0] *= rng.uniform(0.65, 1.2, n)
        for finger in ("left_finger", "right_finger"):
            friction[:, model.geom(f"{finger}_pad").id, 0] = rng.uniform(0.9, 1.6, n)
        self.engine.vary("body_mass", mass)
        self.engine.vary("body_inertia", inertia)
        self.engine.vary("geom_friction", friction)
        self.engine.set_const()

    def restart(self, ids: Tensor) -> None:
        """Begin anew at starts drawn from the pool; see World."""
        rows = torch.randint(self.config.pool, (len(ids),), generator=self.rng, device=self.device)
        pool, dtype = self._pool, self.qpos.dtype
        self.row[ids], self.dropped[ids] = rows, False
        self._mocap_pos[ids] = pool["mocap_pos"][rows].to(dtype)
        self._mocap_quat[ids] = pool["mocap_quat"][rows].to(dtype)
        self.put(ids, pool["qpos"][rows], pool["q"][rows])
        noise = torch.randn((len(ids), 4), generator=self.rng, device=self.device)
        self.estimate[ids] = pool["target"][rows] + noise * self._noise
        self.look()

    def look(self) -> None:
        """Read the present state, and judge it by what only the simulator knows."""
        super().look()
        self.truth = self._truth()
        self.shaped, self.success = REWARDS[self.skill.name](self.truth)

    def _free(self, name: str) -> tuple[Tensor, Tensor, Tensor]:
        """Of a free body, if it is here.

        Returns:
            position (n, 3), speed (n,) and the cosine of its angle to the vertical (n,).
        """
        if not name or name not in free_bodies(self.model):
            still = torch.zeros(self.count, device=self.device)
            return torch.zeros((self.count, 3), device=self.device), still, still + 1.0
        joint = self.model.joint(name)
        at, dof = int(joint.qposadr[0]), int(joint.dofadr[0])
        pose = self.qpos[:, at : at + 7].float()
        upright = (1.0 - 2.0 * pose[:, 4:6].square().sum(dim=1)).abs()
        speed = torch.linalg.norm(self.qvel[:, dof : dof + 3].float(), dim=1)
        return pose[:, :3], speed, upright

    def _slide(self, name: str, qpos: Tensor) -> Tensor:
        """Position of a sliding joint in ``qpos`` (n, nq), if it is here."""
        if name not in {self.model.joint(i).name for i in range(self.model.njnt)}:
            return torch.zeros(self.count, device=self.device)
        return qpos[:, int(self.model.joint(name).qposadr[0])].float()

    def _truth(self) -> Truth:
        start = {key: values[self.row] for key, values in self._pool.items()}
        target, goal = start["target"], start["goal"]
        drawer = self._slide("drawer_slide", self.qpos)
        front = target[:, 3] - np.pi / 2
        out = torch.stack([front.cos(), front.sin(), torch.zeros_like(front)], dim=1)
        pulled = drawer - self._slide("drawer_slide", start["qpos"])
        thing, speed, upright = self._free(self._thing)
        self.dropped = self.dropped | (~self.closed & (thing[:, 2] - goal[:, 2] > DROP_M))
        return Truth(
            tool=self.position,
            yaw_error=wrap(target[:, 3] - yaw_of(self.rotation)),
            target=target[:, :3],
            handle=target[:, :3] - pulled[:, None] * out,
            finger=self.q[:, 7],
            closed=self.closed,
            thing=thing,
            speed=speed,
            upright=upright,
            dropped=self.dropped,
            goal=goal,
            support=start["support"],
            base=self._free(BASE)[0],
            drawer=drawer,
            button=self._slide("button_slide", self.qpos),
        )

    def true_target(self) -> Tensor:
        """Position and heading of where the tool belongs, (n, 4)."""
        return self._pool["target"][self.row]

    def terms(self, target: Tensor | None = None) -> dict[str, Tensor]:
        """The present observations by name, unscaled; ``target`` (n, 4) is estimated if None."""
        told = self.estimate if target is None else target
        return ls.observation_terms(self.tool(), self.q, self.dq, self.q_command, told, self.action)

    def fixtures(self, world: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (nmocap, 3) and orientations (nmocap, 4) of what stands fast in a world."""
        return self._mocap_pos[world].cpu().numpy(), self._mocap_quat[world].cpu().numpy()


def policy(w: LocalArms) -> Tensor:
    """What the running controller will have, (n, 18)."""
    return ls.scaled(w.terms()).nan_to_num()


def critic(w: LocalArms) -> Tensor:
    """The same, and what only a simulator knows."""
    truth, heading = w.truth, w.tool().heading()
    away = (truth.thing - truth.tool, truth.target - truth.tool, truth.goal - truth.thing)
    scalars = (
        w.closed,
        10.0 * truth.drawer,
        80.0 * truth.button,
        truth.support,
        truth.dropped,
        w.age / w.skill.steps,
    )
    known = [policy(w), *(10.0 * ls.into(heading, v) for v in away)]
    known += [values[:, None].float() for values in scalars]
    return torch.cat(known, dim=1).nan_to_num().clamp(-5.0, 5.0)


REWARDS_AND_COSTS: dict[str, Callable[[LocalArms], Tensor]] = {
    "skill": lambda w: w.shaped,
    "action": lambda w: w.action[:, :4].square().sum(dim=1),
    "rate": lambda w: (w.action - w.action_before)[:, :4].square().sum(dim=1),
}
"""Terms before their weights, (n,) each."""


class PandaLocalEnv(BatchedEnv[LocalArms]):
    """Many arms at one local skill; implements VecEnv."""

    arms = LocalArms
    sees: Mapping[str, Callable[[Any], Tensor]] = {"policy": policy, "critic": critic}

    def __init__(self, config: PandaLocalConfig) -> None:
        self.config = config
        world = self.arms(config)
        task = Task[LocalArms](
            observations=self.sees,
            rewards=REWARDS_AND_COSTS,
            weights={"skill": 1.0, "action": -config.action_cost, "rate": -config.rate_cost},
            terminations={},
            episode_steps=world.skill.steps,
            fall=-1.0,
            success=lambda w: w.success,
            scatter=config.scatter_episodes,
        )
        super().__init__(world, task)
        self._view: TableView | None = None

    def render(self, env: int = 0, size: tuple[int, int] = (640, 480)) -> Image:
        """RGB picture of one table, shape (height, width, 3); ``size`` is width and height."""
        if self._view is None:
            self._view = TableView(self.world, *size)
        return self._view(env, "front")

    def demonstrate(self) -> Tensor:
        """What a scripted demonstrator would do now, (num_envs, 5)."""
        return DEMONSTRATORS[self.world.skill.name](self.world.terms())

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return local_contract(PANDA)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """Success over fresh starts; see panda_eval."""
        return report(act, self, **settings)


def make(skill: str, **overrides: Any) -> PandaLocalEnv:
    """Build the environment of ``skill``; ``overrides`` are fields of PandaLocalConfig."""
    where = f"the settings of panda-{skill}"
    return PandaLocalEnv(build(PandaLocalConfig, {"skill": skill, **overrides}, where))


make_grasp = partial(make, "grasp")
make_place = partial(make, "place")
make_insert = partial(make, "insert")
make_push = partial(make, "push")
make_open = partial(make, "open")
make_close = partial(make, "close")
make_press = partial(make, "press")
