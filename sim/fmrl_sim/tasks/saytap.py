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
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.settings import build
from fmrl_robot.types import FloatArray
from fmrl_sim.batched.actors import Actors, ActorsConfig, ActorsEnv, critic, policy
from fmrl_sim.batched.env import Task
from fmrl_sim.tasks import contact_gaits as gaits

CLEARANCE_M = 0.04
"""A swinging foot this high costs nothing."""
BANK_SIZE = 8192
"""Patterns from which robots draw."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Of the rewards (positive) and costs (negative), a control step."""

    velocity: float = 1.0
    velocity_fine: float = 2.5
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
class SaytapConfig(ActorsConfig):
    """The task's settings."""

    resample_steps: int = 150
    """Pattern and command are drawn anew after so many steps."""
    height_min_m: float = 0.16
    """Lower is a fall."""
    height_low_m: float = 0.26
    """Lower costs."""
    weights: Weights = field(default_factory=Weights)


class Walkers(Actors):
    """Quadrupeds with a pattern and a velocity to follow."""

    observations = loco.OBSERVATIONS

    def __init__(self, config: SaytapConfig) -> None:
        super().__init__(config)
        self.config = config
        n, device = self.count, self.device
        bank = gaits.draw_bank(np.random.default_rng(config.seed), BANK_SIZE)
        self._bank_kind = torch.as_tensor(bank.kind, device=device)
        self._bank_rows = torch.as_tensor(bank.rows, device=device)
        self._bank_length = torch.as_tensor(bank.length, device=device)
        self._still = torch.zeros(len(gaits.KINDS), dtype=torch.bool, device=device)
        self._still[list(gaits.STILL)] = True
        self._speeds = torch.tensor([-1.0, -0.5, 0.5, 1.0], device=device)
        self._window = torch.arange(loco.WINDOW, device=device)
        self._rows = torch.arange(n, device=device)
        self.kind = torch.zeros(n, dtype=torch.long, device=device)
        self.command = torch.zeros((n, 3), device=device)
        """Forward and sideways m/s, turn rad/s."""
        self._pattern = torch.ones((n, 4, gaits.MAX_LENGTH), dtype=torch.bool, device=device)
        self._length = torch.full((n,), gaits.MAX_LENGTH, device=device)
        self._column = torch.zeros(n, dtype=torch.long, device=device)
        self._compare()

    # --- world ------------------------------------------------------------------------------------

    def look(self) -> None:
        """See World."""
        super().look()
        self._column += 1
        self._compare()

    def _compare(self) -> None:
        """What was wanted of the step that has passed, and how far off it is."""
        self.wanted = self.wanted_at(-1)
        self.velocity_error = (self.velocity[:, :2] - self.command[:, :2]).square().sum(dim=1)
        self.not_bound = self.kind != gaits.BOUND

    def restart(self, ids: Tensor, spread: float | Tensor = 1.0) -> None:
        """Begin anew, with a new goal; see World."""
        super().restart(ids, spread)
        self.draw_goals(ids)

    def events(self) -> None:
        """Give new goals to whose time has come, and push a few."""
        due = (self.age % self.config.resample_steps == 0) & (self.age > 0)
        ids = due.nonzero().squeeze(1)
        if len(ids):
            self.draw_goals(ids)
        self.push()

    # --- goals ------------------------------------------------------------------------------------

    def wanted_at(self, offset: int = 0) -> Tensor:
        """Contacts wanted at the end of the coming step (offset -1: of the last), shape (n, 4)."""
        return self._pattern[self._rows, :, (self._column + offset) % self._length]

    def window(self) -> Tensor:
        """The next columns of the pattern, leg by leg, shape (n, 20)."""
        columns = (self._column[:, None] + self._window) % self._length[:, None]
        rows = self._pattern.gather(2, columns[:, None].expand(-1, 4, -1))
        return rows.reshape(self.count, -1).float()

    def set_goal(self, ids: np.ndarray, pattern: np.ndarray, command: FloatArray) -> None:
        """Give robots ``ids`` a pattern (4, length), from its first column, and a command (3,)."""
        at = torch.as_tensor(ids, device=self.device)
        rows = torch.as_tensor(pattern, device=self.device)
        self._pattern[at, :, : rows.shape[1]] = rows
        self._length[at], self._column[at] = rows.shape[1], 0
        self.command[at] = self._tensor(command)

    def draw_goals(self, ids: Tensor) -> None:
        """Draw pattern and command of robots ``ids``."""
        n = len(ids)

        def with_chance(p: float) -> Tensor:
            return self.uniform(0, 1, n) < p

        row = torch.randint(BANK_SIZE, (n,), generator=self.rng, device=self.device)
        kind = self._bank_kind[row]
        round_speed = self._speeds[(self.uniform(0, 4, n)).long().clamp_max(3)]
        vx = torch.where(with_chance(0.3), round_speed, self.uniform(-1.1, 1.1, n))
        vx = torch.where(with_chance(0.2), 0.0, vx)
        vy = torch.where(with_chance(0.15), self.uniform(-0.3, 0.3, n), 0.0)
        wz = torch.where(with_chance(0.35), self.uniform(-0.8, 0.8, n), 0.0)
        command = torch.stack([vx, vy, wz], dim=1) * ~self._still[kind][:, None]
        self.kind[ids], self.command[ids] = kind, command
        self._pattern[ids], self._length[ids] = self._bank_rows[row], self._bank_length[row]
        start = torch.randint(gaits.MAX_LENGTH, (n,), generator=self.rng, device=self.device)
        self._column[ids] = torch.where(with_chance(0.5), start, 0)

    def wishes(self) -> dict[str, Tensor]:
        """See Actors."""
        return {"velocity_command": self.command, "contact_window": self.window()}


def privileged(w: Walkers) -> Tensor:
    """What the critic is told."""
    kind = torch.nn.functional.one_hot(w.kind, len(gaits.KINDS)).float()
    return critic(*w.privileged(), kind)


# --- rewards and costs ----------------------------------------------------------------------------


def foot_height(w: Walkers) -> Tensor:
    """Feet that should swing and are low, feet that should stand and are high."""
    lift = (w.foot_height / CLEARANCE_M).clamp(0.0, 1.0)
    return torch.where(w.wanted, lift, 1.0 - lift).mean(dim=1)


REWARDS: dict[str, Callable[[Walkers], Tensor]] = {
    "velocity": lambda w: torch.exp(-4.0 * w.velocity_error),
    "velocity_fine": lambda w: torch.exp(-30.0 * w.velocity_error),
    "velocity_gap": lambda w: w.velocity_error.sqrt(),
    "yaw": lambda w: torch.exp(-4.0 * (w.omega[:, 2] - w.command[:, 2]).square()),
    "alive": lambda w: torch.ones(w.count, device=w.device),
    "contact": lambda w: (w.wanted != w.contacts).float().mean(dim=1),
    "foot_height": foot_height,
    "load": lambda w: (~w.wanted * w.load.clamp_max(1.0)).mean(dim=1),
    "action_rate": lambda w: (w.action - w.action_before).square().sum(dim=1),
    "roll_pitch": lambda w: w.omega[:, :2].square().sum(dim=1) * w.not_bound,
    "vertical": lambda w: w.velocity[:, 2].square() * w.not_bound,
    "struck": lambda w: w.struck,
    "hip": lambda w: w.action[:, ::3].abs().sum(dim=1),
    "low": lambda w: (w.config.height_low_m - w.height).clamp_min(0.0),
    "effort": lambda w: w.efforts.square().sum(dim=1),
}
"""Terms before their weights, (n,) each; bound is free of two, as in the paper."""


def fallen(w: Walkers) -> Tensor:
    """Robots whose base is too low or too tilted, shape (n,)."""
    return (w.height < w.config.height_min_m) | (w.gravity[:, 2] > -0.5)


def match(w: Walkers, kind: int) -> Tensor:
    """Share of feet that are where the pattern wants them, among patterns of one kind."""
    agree = (w.wanted == w.contacts).float().mean(dim=1)
    return agree[w.kind == kind].mean()


class SaytapEnv(ActorsEnv[Walkers]):
    """Many quadrupeds that follow patterns; implements VecEnv."""

    def __init__(self, config: SaytapConfig) -> None:
        self.config = config
        weights = asdict(config.weights)
        task = Task[Walkers](
            observations={"policy": policy, "critic": privileged},
            rewards=REWARDS,
            weights=weights,
            terminations={"fell": fallen},
            episode_steps=config.episode_steps,
            fall=weights.pop("fall"),
            reward_scale=config.reward_scale,
            events=Walkers.events,
            log={f"match/{k}": partial(match, kind=i) for i, k in enumerate(gaits.KINDS)},
        )
        super().__init__(Walkers(config), task)

    def contract(self) -> PolicyContract:
        """What the exported policy says about itself."""
        return policy_contract(self.world.robot)

    def evaluate(self, act: Callable[[FloatArray], FloatArray], **settings: Any) -> dict[str, Any]:
        """SayTap's 25 commands, as trained for and as the model is; see saytap_evaluation."""
        from fmrl_sim.tasks.saytap_evaluation import report

        return report(act, robot=self.world.robot.name, **settings)


def make_go2(**settings: Any) -> SaytapEnv:
    """Build the environment from fields of SaytapConfig."""
    return SaytapEnv(build(SaytapConfig, {"robot": "go2"} | settings, "the settings of go2-saytap"))


def make_go1(**settings: Any) -> SaytapEnv:
    """The same with Go1."""
    return SaytapEnv(build(SaytapConfig, {"robot": "go1"} | settings, "the settings of go1-saytap"))
