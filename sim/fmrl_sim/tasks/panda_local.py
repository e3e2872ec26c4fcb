"""The Panda's local skills as one batched environment on ``mujoco.batch``.

The loop is the running controller's: a decision holds for three, then two, then three ticks of the
50 Hz command period (20 Hz on average), joint targets move within the gate's step, and the servos
are the RobotSpec's. What the policy does not know (where exactly the target is, how heavy and how
slippery the cube) is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch

from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.local_policy import local_contract
from fmrl_robot.errors import ConfigError
from fmrl_robot.motion.servo import wrap, yaw_of
from fmrl_robot.robots import PANDA
from fmrl_robot.settings import Count, build
from fmrl_robot.types import FloatArray
from fmrl_sim.tasks.panda_demos import DEMONSTRATORS
from fmrl_sim.tasks.panda_model import BASE, CUBE, local_model
from fmrl_sim.tasks.panda_rewards import DROP_M, REWARDS, Truth
from fmrl_sim.tasks.panda_starts import draw_starts

_LEAD = PANDA.kd / PANDA.kp
"""A servo told ``q* + (kd/kp) dq*`` answers a velocity target too, s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PandaLocalConfig:
    """How one local skill is trained."""

    skill: str = "grasp"
    num_envs: Count = 512
    seed: int = 0
    threads: int = 1
    pool: int = 4096
    """Number of distinct starts."""
    physics_dt_s: float = 0.004
    position_noise_m: float = 0.004
    """Standard deviation of the target's estimate along each axis; constant in an episode."""
    yaw_noise_rad: float = 0.05
    randomise: bool = True
    """Draw mass and friction of the cubes for each environment."""
    action_cost: float = 0.01
    rate_cost: float = 0.02
    scatter_episodes: bool = True
    """Begin the first episodes at different ages, so that resets do not come all at once."""


class PandaLocalEnv:
    """Many arms at one local skill; implements VecEnv."""

    num_actions = ls.NUM_ACTIONS
    control_dt_s = PANDA.policy_dt_s

    def __init__(self, config: PandaLocalConfig | None = None) -> None:
        self.config = config = config or PandaLocalConfig()
        if config.skill not in ls.SKILLS:
            raise ConfigError(f"expected a skill of {sorted(ls.SKILLS)}, got {config.skill!r}")
        self.num_envs = config.num_envs
        self.skill = ls.SKILLS[config.skill]
        self.max_episode_length = self.skill.steps
        self._judge = REWARDS[config.skill]
        self._rng = np.random.default_rng(config.seed)
        model = local_model(config.physics_dt_s)
        self.model = model
        self._starts = draw_starts(model, config.skill, config.pool, self._rng)
        self._substeps = round(PANDA.command_dt_s / config.physics_dt_s)
        self._batch = Batch(model, config.num_envs, config.threads)
        self._bind()
        self._address(model)
        n = config.num_envs
        self._age = np.zeros(n, dtype=np.int64)
        self._ticks = 3
        self._q_command = np.zeros((n, 8))
        self._closed = np.zeros(n, dtype=np.bool_)
        self._last_action = np.zeros((n, ls.NUM_ACTIONS))
        self._row = np.zeros(n, dtype=np.int64)
        self._dropped = np.zeros(n, dtype=np.bool_)
        self._estimate = np.zeros((n, 4))
        if config.randomise:
            self._draw_physics(model)

    def _bind(self) -> None:
        batch = self._batch
        self._qpos, self._qvel = batch.bind("qpos"), batch.bind("qvel")
        self._ctrl, self._time = batch.bind("ctrl"), batch.bind("time")
        self._mocap_pos, self._mocap_quat = batch.bind("mocap_pos"), batch.bind("mocap_quat")
        self._warmstart = batch.bind("qacc_warmstart")
        self._site_pos, self._site_mat = batch.bind("site_xpos"), batch.bind("site_xmat")

    def _address(self, model: mujoco.MjModel) -> None:
        joints = [model.joint(name) for name in PANDA.model_joints]
        self._q_at = np.array([j.qposadr[0] for j in joints])
        self._dq_at = np.array([j.dofadr[0] for j in joints])
        self._tcp, self._hand = model.site("tcp").id, model.body("hand").id
        self._cube_at = model.joint(CUBE).qposadr[0]
        self._cube_dof = model.joint(CUBE).dofadr[0]
        self._base_at = model.joint(BASE).qposadr[0]
        self._drawer_at = model.joint("drawer_slide").qposadr[0]
        self._button_at = model.joint("button_slide").qposadr[0]

    def _draw_physics(self, model: mujoco.MjModel) -> None:
        mass, inertia = self._batch.expand("body_mass"), self._batch.expand("body_inertia")
        friction = self._batch.expand("geom_friction")
        for name in (CUBE, BASE):
            body, geom = model.body(name).id, model.geom(name).id
            factor = self._rng.uniform(0.6, 1.6, self.num_envs)
            mass[:, body] *= factor
            inertia[:, body] *= factor[:, None]
            friction[:, geom, 0] = self._rng.uniform(0.6, 1.1, self.num_envs)
        for finger in ("left_finger_pad", "right_finger_pad"):
            friction[:, model.geom(finger).id, 0] = self._rng.uniform(0.9, 1.6, self.num_envs)
        self._batch.set_const()

    # --- VecEnv ------------------------------------------------------------------------------

    def reset(self) -> dict[str, torch.Tensor]:
        """Start every environment anew."""
        self._restart(np.arange(self.num_envs))
        if self.config.scatter_episodes:
            self._age = self._rng.integers(0, self.max_episode_length, self.num_envs)
        return self._observe(self._measure()[0])

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Hold ``actions`` for one policy step; environments that end start anew at once."""
        action = np.clip(np.nan_to_num(actions.numpy().astype(np.float64)), -1.0, 1.0)
        tool, _ = self._measure()
        velocity = ls.joint_velocity(tool, action)
        self._closed = ls.gripper_closed(self.skill, action, self._closed)
        for tick in range(self._ticks):
            self._tick(velocity, last=tick == self._ticks - 1)
        self._ticks = 5 - self._ticks
        self._age += 1

        tool, truth = self._measure()
        reward, success = self._judge(truth)
        rate = np.square(action - self._last_action)[:, :4].sum(axis=1)
        cost = self.config.action_cost * np.square(action[:, :4]).sum(axis=1)
        self._last_action = action
        broken = ~np.isfinite(self._qpos).all(axis=1) | (np.abs(self._qvel).max(axis=1) > 200.0)
        reward = np.where(broken, -1.0, reward - cost - self.config.rate_cost * rate)
        time_out = self._age >= self.max_episode_length
        done = time_out | broken
        extras: dict[str, Any] = {
            "time_outs": torch.from_numpy(time_out & ~broken),
            "success": torch.from_numpy(success),
        }
        if done.any():
            extras["log"] = {
                "success": float(success[done].mean()),
                "broken": float(broken.mean()),
            }
            self._restart(np.flatnonzero(done))
            tool, _ = self._measure()
        rewards = torch.from_numpy(reward.astype(np.float32))
        return self._observe(tool), rewards, torch.from_numpy(done), extras

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return local_contract(PANDA)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """Success over fresh starts; see panda_eval."""
        from fmrl_sim.tasks.panda_eval import report

        return report(act, self.skill.name, **settings)

    # --- inside ------------------------------------------------------------------------------

    def _tick(self, velocity: FloatArray, last: bool) -> None:
        before = self._q_command[:, :7].copy()
        self._q_command[:, :7] = ls.advance(
            before,
            self._qpos[:, self._q_at[:7]],
            velocity,
            PANDA.command_dt_s,
            PANDA.lower,
            PANDA.upper,
            PANDA.step,
        )
        self._q_command[:, 7] = np.where(self._closed, 0.0, self.skill.open_m)
        moving = (self._q_command[:, :7] - before) / PANDA.command_dt_s
        self._ctrl[:, :7] = self._q_command[:, :7] + _LEAD[:7] * moving
        self._ctrl[:, 7] = self._q_command[:, 7]
        stage = mujoco.mjtStage.mjSTAGE_POS if last else mujoco.mjtStage.mjSTAGE_NONE
        self._batch.step(nstep=self._substeps, stage=int(stage))

    def _restart(self, ids: np.ndarray) -> None:
        rows = self._rng.integers(0, self.config.pool, len(ids))
        starts = self._starts
        self._row[ids] = rows
        self._qpos[ids], self._qvel[ids] = starts.qpos[rows], 0.0
        self._mocap_pos[ids], self._mocap_quat[ids] = (
            starts.mocap_pos[rows],
            starts.mocap_quat[rows],
        )
        self._warmstart[ids], self._time[ids] = 0.0, 0.0
        self._q_command[ids] = starts.q[rows]
        self._closed[ids] = self.skill.starts_closed
        self._ctrl[ids] = starts.q[rows]
        self._last_action[ids], self._age[ids] = 0.0, 0
        self._dropped[ids] = False
        noise = np.full(4, self.config.position_noise_m)
        noise[3] = self.config.yaw_noise_rad
        self._estimate[ids] = (
            starts.target[rows] + self._rng.normal(0.0, 1.0, (len(ids), 4)) * noise
        )
        self._batch.forward(ids, stage=int(mujoco.mjtStage.mjSTAGE_POS))

    def _measure(self) -> tuple[ls.ToolState, Truth]:
        position = self._site_pos[:, self._tcp].copy()
        rotation = self._site_mat[:, self._tcp].reshape(-1, 3, 3).copy()
        linear, angular = self._batch.jac(self._hand, position)
        jacobian = np.concatenate([linear, angular], axis=1)[:, :, self._dq_at[:7]]
        tool = ls.ToolState(position=position, rotation=rotation, jacobian=jacobian)
        rows, qpos = self._row, self._qpos
        yaw = yaw_of(rotation)
        target = self._starts.target[rows]
        pulled = qpos[:, self._drawer_at] - self._starts.qpos[rows, self._drawer_at]
        front = target[:, 3] - np.pi / 2
        out = np.stack([np.cos(front), np.sin(front), np.zeros_like(front)], axis=1)
        cube, goal = qpos[:, self._cube_at : self._cube_at + 3].copy(), self._starts.goal[rows]
        self._dropped |= ~self._closed & (cube[:, 2] - goal[:, 2] > DROP_M)
        truth = Truth(
            tool=position,
            yaw_error=wrap(target[:, 3] - yaw),
            target=target[:, :3],
            handle=target[:, :3] - pulled[:, None] * out,
            finger=qpos[:, self._q_at[7]].copy(),
            closed=self._closed.copy(),
            cube=cube,
            dropped=self._dropped.copy(),
            cube_speed=np.linalg.norm(self._qvel[:, self._cube_dof : self._cube_dof + 3], axis=1),
            goal=goal,
            support=self._starts.support[rows],
            base=qpos[:, self._base_at : self._base_at + 3].copy(),
            drawer=qpos[:, self._drawer_at].copy(),
            button=qpos[:, self._button_at].copy(),
        )
        self._truth = truth
        return tool, truth

    def terms(self, tool: ls.ToolState | None = None) -> dict[str, FloatArray]:
        """Return the present observations by name, unscaled."""
        return ls.observation_terms(
            tool or self._measure()[0],
            self._qpos[:, self._q_at],
            self._qvel[:, self._dq_at],
            self._q_command,
            self._estimate,
            self._last_action,
        )

    def demonstrate(self) -> torch.Tensor:
        """What a scripted demonstrator would do now, shape (num_envs, 5)."""
        wanted = DEMONSTRATORS[self.skill.name](self.terms())
        return torch.from_numpy(wanted.astype(np.float32))

    def _observe(self, tool: ls.ToolState) -> dict[str, torch.Tensor]:
        policy = ls.scaled(self.terms(tool))
        truth, heading = self._truth, tool.heading()
        away = [truth.cube - truth.tool, truth.target - truth.tool, truth.goal - truth.cube]
        turned = [10.0 * np.einsum("nji,nj->ni", heading, v) for v in away]
        scalars = [
            self._closed[:, None],
            10.0 * truth.drawer[:, None],
            80.0 * truth.button[:, None],
            truth.support[:, None],
            truth.dropped[:, None],
            (self._age / self.max_episode_length)[:, None],
        ]
        critic = np.clip(np.concatenate([policy, *turned, *scalars], axis=1), -5.0, 5.0)
        return {
            "policy": torch.from_numpy(np.nan_to_num(policy).astype(np.float32)),
            "critic": torch.from_numpy(np.nan_to_num(critic).astype(np.float32)),
        }


def make(skill: str, **overrides: Any) -> PandaLocalEnv:
    """Build the environment of ``skill``; ``overrides`` are fields of PandaLocalConfig."""
    where = f"the settings of panda-{skill}"
    return PandaLocalEnv(build(PandaLocalConfig, {"skill": skill, **overrides}, where))


make_grasp = partial(make, "grasp")
make_place = partial(make, "place")
make_open = partial(make, "open")
make_close = partial(make, "close")
make_press = partial(make, "press")
