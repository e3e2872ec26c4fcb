"""Reach a posture and keep it: stand up from any fall, or sit down; Go2 and Go1.

In: proprioception (42 numbers). Out: twelve joint offsets at 50 Hz. A robot that is to stand up
starts lying as it fell: dropped in any orientation with limp legs, until it came to rest. One that
is to sit starts standing. An episode ends with time only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import posture as pose
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.settings import build
from fmrl_robot.shares import share
from fmrl_robot.types import FloatArray
from fmrl_sim.batched.actors import Actors, ActorsConfig, ActorsEnv, critic, policy
from fmrl_sim.batched.env import Task
from fmrl_sim.batched.randomisation import NO_RANDOMISATION, Randomisation
from fmrl_sim.scenes.ground import PHYSICS_DT_S

DROP_M, DROP_S = 0.45, 1.5
"""Height of the base from which limp robots fall, and how long they may roll."""
HEIGHT_TOLERANCE_M = 0.05
"""A simulated robot's posture is judged by the height of its base too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Of the rewards (positive) and costs (negative), a control step."""

    gravity: float = 2.0
    gravity_fine: float = 1.0
    height: float = 1.0
    joints: float = 1.5
    reached: float = 1.0
    speed: float = -0.0003
    action_rate: float = -0.005
    effort: float = -0.0001


@dataclass(frozen=True, kw_only=True, slots=True)
class PostureConfig(ActorsConfig):
    """The task's settings."""

    posture: str
    """stand-up or sit."""
    episode_steps: int = 250
    from_goal: float = 0.0
    """Share of the episodes that begin near the posture itself, so that it is seen to be good."""
    weights: Weights = field(default_factory=Weights)
    randomisation: Randomisation = field(default_factory=lambda: Randomisation(push_m_s=0.0))


class Posers(Actors):
    """Quadrupeds with a posture to reach."""

    action_scale = pose.ACTION_SCALE
    observations = pose.OBSERVATIONS

    def __init__(self, config: PostureConfig) -> None:
        super().__init__(config)
        self.config = config
        self.goal = goal = pose.POSTURES[config.posture](self.robot)
        self._goal_gravity, self._goal_joints = (
            self._tensor(goal.gravity),
            self._tensor(goal.joints),
        )
        self._lying: Tensor | None = None
        if config.posture == "stand-up":
            self._lying = self._fall()
        self._compare()

    def _fall(self) -> Tensor:
        """Drop every robot limp and in any orientation; return how they lie, (n, nq)."""
        n = self.count
        everyone = torch.arange(n, device=self.device)
        super().restart(everyone)
        quaternion = torch.randn((n, 4), generator=self.rng, device=self.device)
        self.qpos[:, 2] = DROP_M
        self.qpos[:, 3:7] = (quaternion / quaternion.norm(dim=1, keepdim=True)).to(self.qpos.dtype)
        within = self.uniform(0, 1, n, 12)
        joints = self._lower + within * (self._upper - self._lower)
        self.qpos[:, self._q_at] = joints.to(self.qpos.dtype)
        for _ in range(round(DROP_S / self.control_dt_s)):
            # Servos that want to be where they are only damp.
            self.controls[:] = self.qpos[:, None, self._q_at]
            self.engine.step(self.controls)
            self.look()
        sound = ~self.broken
        lying = self.qpos[sound].clone()
        lying[:, :2] = 0.0
        return lying

    # --- world ------------------------------------------------------------------------------------

    def look(self) -> None:
        """See World."""
        super().look()
        self._compare()

    def _compare(self) -> None:
        """How far from the posture the robots are."""
        if not hasattr(self, "_goal_joints"):
            return
        self.gravity_error = (self.gravity - self._goal_gravity).norm(dim=1)
        self.height_error = (self.height - self.goal.height_m).abs()
        self.joint_error = (self.q - self._goal_joints).abs().mean(dim=1)
        self.reached = (
            (self.gravity_error < pose.GRAVITY_TOLERANCE)
            & (self.height_error < HEIGHT_TOLERANCE_M)
            & (self.joint_error < pose.JOINT_TOLERANCE_RAD)
            & (self.dq.abs().amax(dim=1) < pose.STILL_RAD_S)
        )

    def restart(self, ids: Tensor, spread: float | Tensor = 1.0) -> None:
        """Begin anew: lying as some robot fell, or standing; see World."""
        super().restart(ids, spread)
        if self._lying is not None:
            row = torch.randint(
                len(self._lying), (len(ids),), generator=self.rng, device=self.device
            )
            self.qpos[ids], self.qvel[ids] = self._lying[row], 0.0
            self._hold(ids)
        if self.config.from_goal:
            self._pose(ids[self.uniform(0, 1, len(ids)) < self.config.from_goal])
        self._compare()

    def _pose(self, ids: Tensor) -> None:
        """Put robots ``ids``, just started, near the posture."""
        yaw, n = self.yaw[ids], len(ids)
        half = torch.full((n,), -0.5 * self.goal.pitch, device=self.device)
        turn, tip = (torch.cos(yaw / 2), torch.sin(yaw / 2)), (torch.cos(half), torch.sin(half))
        # About z, then about the new y.
        parts = (turn[0] * tip[0], -turn[1] * tip[1], turn[0] * tip[1], turn[1] * tip[0])
        qpos = self.qpos[ids].float()
        qpos[:, 2] = self.goal.height_m + 0.02
        qpos[:, 3:7] = torch.stack(parts, dim=1)
        qpos[:, self._q_at] = self._goal_joints + self.uniform(-0.1, 0.1, n, 12)
        self.qpos[ids], self.qvel[ids] = qpos.to(self.qpos.dtype), 0.0
        self._hold(ids)

    def _hold(self, ids: Tensor) -> None:
        """Command robots ``ids`` to stay as they have been put."""
        self._targets[ids] = self.qpos[ids][:, None, self._q_at].float()
        self._look(ids)


def privileged(w: Posers) -> Tensor:
    """What the critic is told."""
    return critic(*w.privileged(), w.age[:, None] / w.config.episode_steps)


def _near(w: Posers) -> Tensor:
    """1 where the body is turned as wanted, 0 where it is far from it."""
    return torch.exp(-4.0 * w.gravity_error.square())


REWARDS: dict[str, Callable[[Posers], Tensor]] = {
    "gravity": lambda w: 1.0 - 0.5 * w.gravity_error,
    "gravity_fine": lambda w: torch.exp(-20.0 * w.gravity_error.square()),
    "height": lambda w: _near(w) * torch.exp(-100.0 * w.height_error.square()),
    "joints": lambda w: _near(w) * torch.exp(-4.0 * w.joint_error),
    "reached": lambda w: w.reached.float(),
    "speed": lambda w: w.dq.square().sum(dim=1),
    "action_rate": lambda w: (w.action - w.action_before).square().sum(dim=1),
    "effort": lambda w: w.efforts.square().sum(dim=1),
}
"""Terms before their weights, (n,) each."""


class PostureEnv(ActorsEnv[Posers]):
    """Many quadrupeds that reach a posture; implements VecEnv."""

    def __init__(self, config: PostureConfig) -> None:
        self.config = config
        task = Task[Posers](
            observations={"policy": policy, "critic": privileged},
            rewards=REWARDS,
            weights=asdict(config.weights),
            terminations={},
            episode_steps=config.episode_steps,
            fall=-1.0,
            reward_scale=config.reward_scale,
            log={"reached": lambda w: w.reached.float().mean()},
        )
        super().__init__(Posers(config), task)

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return pose.posture_contract(self.world.robot)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """Starts never trained from, on the model as it is and on varied ones; see evaluate."""
        robot, posture, varied = self.config.robot, self.config.posture, self.config.randomisation
        common: dict[str, Any] = {"robot": robot, "posture": posture, **settings}
        nominal = evaluate(act, physics_dt_s=PHYSICS_DT_S, **common)
        randomised = evaluate(act, randomisation=varied, **common)
        return {"summary": {"nominal": nominal, "randomised": randomised}}


def evaluate(
    act: Callable[[FloatArray], FloatArray],
    *,
    robot: str,
    posture: str,
    robots: int = 500,
    seconds: float = 6.0,
    randomisation: Randomisation = NO_RANDOMISATION,
    seed: int = 4321,
    threads: int = 2,
    physics_dt_s: float = 0.02 / 3,
) -> dict[str, Any]:
    """Start ``robots`` robots once each: how many reach the posture and keep it to the end."""
    world = Posers(
        PostureConfig(
            robot=robot,
            posture=posture,
            num_envs=robots,
            seed=seed,
            threads=threads,
            physics_dt_s=physics_dt_s,
            randomisation=randomisation,
        )
    )
    world.restart(torch.arange(robots))
    steps, kept_steps = (round(s / world.control_dt_s) for s in (seconds, pose.KEPT_S))
    kept = torch.zeros(robots, dtype=torch.long)
    first = torch.full((robots,), float("nan"))
    for step in range(steps):
        world.act(torch.as_tensor(act(policy(world).numpy().astype(np.float64))).float())
        kept = torch.where(world.reached, kept + 1, 0)
        new = world.reached & first.isnan()
        first[new] = (step + 1) * world.control_dt_s
    done = kept >= kept_steps
    return {
        "success": share(int(done.sum()), robots),
        "seconds_to_posture_p50": float(first[done].median()) if done.any() else None,
        "joint_error_rad": float(world.joint_error[done].mean()) if done.any() else None,
    }


def _make(robot: str, posture: str, settings: dict[str, Any]) -> PostureEnv:
    where = f"the settings of {robot}-{posture}"
    return PostureEnv(build(PostureConfig, {"robot": robot, "posture": posture} | settings, where))


def make_go2_stand_up(**settings: Any) -> PostureEnv:
    """Go2 stands up; build the environment from fields of PostureConfig."""
    return _make("go2", "stand-up", settings)


def make_go1_stand_up(**settings: Any) -> PostureEnv:
    """Go1 stands up."""
    return _make("go1", "stand-up", settings)


def make_go2_sit(**settings: Any) -> PostureEnv:
    """Go2 sits down."""
    return _make("go2", "sit", settings)


def make_go1_sit(**settings: Any) -> PostureEnv:
    """Go1 sits down."""
    return _make("go1", "sit", settings)
