"""SayTap's low-level task: follow a foot-contact pattern and a velocity with one policy.

Reference: Tang et al., "SayTap: Language to Quadrupedal Locomotion" (CoRL 2023).
In: contact window of five columns, velocity command, proprioception (65 numbers).
Out: twelve offsets of joint targets at 50 Hz.

Differs from the paper: more kinds of pattern (see :mod:`fmrl_sim.tasks.contact_gaits`); turning and
sideways commands; the contact cost weighs 3 and is joined by a cost on the height of each foot (a
foot that should swing is still low, one that should stand is still high), and by one on the
weight that a foot still carries when it should swing: both tell the learner the way before the
contact itself changes; a sharper and a linear velocity term besides the paper's,
whose slope vanishes far from the command; costs on a low base and on effort; a bonus for staying up
that outweighs every cost, without which falling at once is the best way to bound (measured: 25 M
steps and no bound); Go2 instead of A1. The yaw reward's printed weight of -0.5 is read as +0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.quadruped import policy_contract
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.batch_env import QuadrupedBatch, Randomisation
from fmrl_sim.tasks import contact_gaits as gaits

if TYPE_CHECKING:
    from fmrl_robot.protocols import FloatBatch

CLEARANCE_M = 0.04
"""A swinging foot this high costs nothing."""
_NOISE = {
    "base_angular_velocity": 0.15,
    "projected_gravity": 0.03,
    "joint_position": 0.01,
    "joint_velocity": 1.0,
}
"""Half width of the uniform noise on each observation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Of the rewards (positive) and costs (negative), a control step."""

    velocity: float = 1.0
    velocity_fine: float = 1.5
    velocity_gap: float = -1.6
    yaw: float = 0.5
    alive: float = 3.0
    contact: float = -3.0
    foot_height: float = -1.5
    load: float = -2.0
    action_rate: float = -0.005
    roll_pitch: float = -0.05
    vertical: float = -2.0
    struck: float = -1.0
    hip: float = -0.03
    low: float = -4.0
    effort: float = -0.0001
    fall: float = -50.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Go2SaytapConfig:
    """The task's settings."""

    robot: str = "go2"
    num_envs: int = 512
    seed: int = 0
    threads: int = 2
    physics_dt_s: float = 0.02 / 3
    episode_steps: int = 1000
    resample_steps: int = 150
    """Pattern and command are drawn anew after so many steps."""
    reward_scale: float = 0.1
    """Keeps returns near 10, where the critic learns fast."""
    height_min_m: float = 0.16
    """Lower is a fall."""
    height_low_m: float = 0.26
    """Lower costs."""
    weights: Weights = field(default_factory=Weights)
    randomisation: Randomisation = field(default_factory=Randomisation)


class Go2SaytapEnv:
    """Many quadrupeds that follow patterns; implements VecEnv."""

    num_actions = 12

    def __init__(self, config: Go2SaytapConfig | None = None) -> None:
        self.config = config = config or Go2SaytapConfig()
        self.num_envs, self.max_episode_length = config.num_envs, config.episode_steps
        self.robot = find_robot(config.robot)
        self.control_dt_s = self.robot.policy_dt_s
        self._rng = np.random.default_rng(config.seed)
        self.body = QuadrupedBatch(
            self.robot,
            config.num_envs,
            threads=config.threads,
            randomisation=config.randomisation,
            rng=self._rng,
            physics_dt_s=config.physics_dt_s,
        )
        n = config.num_envs
        self.kind = np.zeros(n, dtype=np.int64)
        self.command = np.zeros((n, 3))
        self._pattern = np.ones((n, 4, gaits.MAX_LENGTH), dtype=np.bool_)
        self._length = np.full(n, gaits.MAX_LENGTH)
        self._column = np.zeros(n, dtype=np.int64)
        self._action, self._age = np.zeros((n, 12)), np.zeros(n, dtype=np.int64)
        self._rows = np.arange(n)

    # --- VecEnv -----------------------------------------------------------------------------------

    def reset(self) -> dict[str, FloatBatch]:
        """Start every robot anew, at different ages so that resets do not come all at once."""
        self._restart(self._rows)
        self._age = self._rng.integers(0, self.max_episode_length, self.num_envs)
        return self.observe()

    def step(
        self, actions: FloatBatch
    ) -> tuple[dict[str, FloatBatch], FloatBatch, BoolArray, dict[str, Any]]:
        """Act for 20 ms; robots that fell or ran out of time start anew."""
        before, body = self._action, self.body
        self.advance(actions.astype(np.float64))
        broken, scale = body.broken, self.config.reward_scale
        terms = self._rewards(self._action, before)
        wanted, contacts = self.wanted(-1), body.contacts
        fell = broken | self.fallen()
        w = self.config.weights
        reward = np.sum([*terms.values()], axis=0) + w.fall * fell
        reward = np.where(broken, w.fall, np.clip(reward, w.fall, 10.0))

        time_out = (self._age >= self.max_episode_length) & ~fell
        done = fell | time_out
        log = {f"reward/{k}": float(np.mean(v[~broken])) for k, v in terms.items()}
        log["fell"] = float(fell.mean())
        agree = (wanted == contacts).mean(axis=1)
        for kind, name in enumerate(gaits.KINDS):
            if (those := self.kind == kind).any():
                log[f"match/{name}"] = float(agree[those].mean())
        due = np.flatnonzero((self._age % self.config.resample_steps == 0) & ~done)
        if len(due):
            self._draw_goals(due)
        if done.any():
            self._restart(np.flatnonzero(done))
        extras: dict[str, Any] = {"time_outs": time_out, "log": log}
        return self.observe(), (scale * reward).astype(np.float32), done, extras

    def mirror(self) -> dict[str, list[float]]:
        """Swaps and signs that reflect observations and actions left to right."""
        (o_swap, o_sign), (a_swap, a_sign) = loco.mirror_observation(), loco.mirror_action()
        return {
            "observation_swap": o_swap.tolist(),
            "observation_sign": o_sign.tolist(),
            "action_swap": a_swap.tolist(),
            "action_sign": a_sign.tolist(),
        }

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return policy_contract(self.robot)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """SayTap's 25 commands, as trained for and as the model is; see go2_evaluation."""
        from fmrl_sim.tasks.go2_evaluation import report

        return report(act, robot=self.robot.name, **settings)

    # --- goals ------------------------------------------------------------------------------------

    def advance(self, actions: FloatArray) -> None:
        """Act for one control period, without judging and without resets."""
        self._action = action = np.clip(np.nan_to_num(actions), -8.0, 8.0)
        robot = self.robot
        self.body.advance(loco.joint_targets(action, robot.default, robot.lower, robot.upper))
        self._age, self._column = self._age + 1, self._column + 1

    def fallen(self) -> BoolArray:
        """Robots whose base is too low or too tilted, shape (n,)."""
        qpos = self.body.qpos
        upright = -loco.projected_gravity(qpos[:, 3:7])[:, 2]
        return (qpos[:, 2] < self.config.height_min_m) | (upright < 0.5)

    def wanted(self, offset: int = 0) -> BoolArray:
        """Contacts wanted at the end of the coming step (offset -1: of the last), shape (n, 4)."""
        return self._pattern[self._rows, :, (self._column + offset) % self._length]

    def set_goal(self, ids: np.ndarray, pattern: BoolArray, command: FloatArray) -> None:
        """Give robots ``ids`` a pattern (4, length), from its first column, and a command (3,)."""
        self._pattern[ids, :, : pattern.shape[1]] = pattern
        self._length[ids], self._column[ids] = pattern.shape[1], 0
        self.command[ids] = command

    def _draw_goals(self, ids: np.ndarray) -> None:
        rng, n = self._rng, len(ids)
        kinds = gaits.draw_kind(rng, n)
        vx = rng.uniform(-1.1, 1.1, n)
        vx = np.where(rng.random(n) < 0.3, rng.choice([-1.0, -0.5, 0.5, 1.0], n), vx)
        vx = np.where(rng.random(n) < 0.2, 0.0, vx)
        vy = np.where(rng.random(n) < 0.15, rng.uniform(-0.3, 0.3, n), 0.0)
        wz = np.where(rng.random(n) < 0.35, rng.uniform(-0.8, 0.8, n), 0.0)
        command = np.stack([vx, vy, wz], axis=1)
        command[np.isin(kinds, gaits.STILL)] = 0.0
        for i, kind, goal in zip(ids, kinds, command, strict=True):
            self.kind[i] = kind
            self.set_goal(i, gaits.draw(rng, int(kind)), goal)
        start = rng.integers(0, gaits.MAX_LENGTH, n)
        self._column[ids] = np.where(rng.random(n) < 0.5, start, 0)

    def _restart(self, ids: np.ndarray) -> None:
        self.body.restart(ids)
        self._action[ids], self._age[ids] = 0.0, 0
        self._draw_goals(ids)

    # --- what is seen and rewarded ----------------------------------------------------------------

    def observe(self) -> dict[str, FloatBatch]:
        """Observations of the policy (n, 65) and of the critic, which sees more."""
        body = self.body
        columns = (self._column[:, None] + np.arange(loco.WINDOW)) % self._length[:, None]
        window = self._pattern[self._rows[:, None], :, columns]
        terms = {
            "base_angular_velocity": body.qvel[:, 3:6],
            "projected_gravity": loco.projected_gravity(body.qpos[:, 3:7]),
            "velocity_command": self.command,
            "joint_position": body.q - self.robot.default,
            "joint_velocity": body.dq,
            "last_action": self._action,
            "contact_window": window.transpose(0, 2, 1).reshape(self.num_envs, -1).astype(float),
        }
        clean = loco.observe(terms)
        privileged = np.concatenate(
            [
                clean,
                2.0 * body.heading_velocity(),
                5.0 * (body.qpos[:, 2:3] - self.robot.base_height_m),
                body.contacts,
                10.0 * body.foot_height,
                body.friction[:, None],
                np.eye(len(gaits.KINDS))[self.kind],
            ],
            axis=1,
        )
        scale = self.config.randomisation.noise
        if scale:
            for name, width in _NOISE.items():
                term = terms[name]
                terms[name] = term + scale * width * self._rng.uniform(-1, 1, term.shape)
        return {
            "policy": loco.observe(terms).astype(np.float32),
            "critic": np.clip(privileged, -20, 20).astype(np.float32),
        }

    def _rewards(self, action: FloatArray, before: FloatArray) -> dict[str, FloatArray]:
        w, body, goal = self.config.weights, self.body, self.command
        velocity, omega = body.heading_velocity(), body.qvel[:, 3:6]
        error = np.square(velocity[:, :2] - goal[:, :2]).sum(axis=1)
        wanted, contacts = self.wanted(-1), body.contacts
        lift = np.clip(body.foot_height / CLEARANCE_M, 0.0, 1.0)
        not_bound = self.kind != gaits.BOUND
        return {
            "velocity": w.velocity * np.exp(-4.0 * error),
            "velocity_fine": w.velocity_fine * np.exp(-30.0 * error),
            "velocity_gap": w.velocity_gap * np.sqrt(error),
            "yaw": w.yaw * np.exp(-4.0 * np.square(omega[:, 2] - goal[:, 2])),
            "alive": np.full(self.num_envs, w.alive),
            "contact": w.contact * (wanted != contacts).mean(axis=1),
            "foot_height": w.foot_height * np.where(wanted, lift, 1.0 - lift).mean(axis=1),
            "load": w.load * (~wanted * np.minimum(body.load, 1.0)).mean(axis=1),
            "action_rate": w.action_rate * np.square(action - before).sum(axis=1),
            "roll_pitch": w.roll_pitch * np.square(omega[:, :2]).sum(axis=1) * not_bound,
            "vertical": w.vertical * np.square(velocity[:, 2]) * not_bound,
            "struck": w.struck * body.struck,
            "hip": w.hip * np.abs(action[:, ::3]).sum(axis=1),
            "low": w.low * np.maximum(0.0, self.config.height_low_m - body.qpos[:, 2]),
            "effort": w.effort * np.square(body.efforts).sum(axis=1),
        }


def make(**settings: Any) -> Go2SaytapEnv:
    """Build the environment from fields of Go2SaytapConfig."""
    return Go2SaytapEnv(Go2SaytapConfig(**settings))
