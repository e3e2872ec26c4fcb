"""What a quadruped that walks on rough ground is rewarded for and what costs it; (n,) each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fmrl_sim.tasks.velocity import Rovers

CLEARANCE_M = 0.1
"""A swinging foot this high above the highest ground near it costs nothing."""
AIR_S = 0.1
"""Steps whose feet are in the air for longer are rewarded, shorter ones cost."""
TILTED = -0.5
"""Vertical part of gravity in the base's frame above which a robot has fallen: 60 degrees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Of the rewards (positive) and costs (negative), a control step."""

    velocity: float = 2.0
    velocity_fine: float = 1.0
    velocity_gap: float = -1.6
    yaw: float = 1.0
    alive: float = 1.0
    diagonal: float = 0.5
    air: float = 8.0
    clearance: float = -1.5
    slip: float = -0.2
    still: float = -1.0
    vertical: float = -1.0
    roll_pitch: float = -0.1
    tilt: float = -4.0
    low: float = -8.0
    hip: float = -0.05
    pose: float = -0.1
    action_rate: float = -0.008
    effort: float = -0.0002
    struck: float = -0.5
    fall: float = -30.0


def diagonal(w: Rovers) -> Tensor:
    """Diagonal legs together, the two pairs in turn."""
    fl, fr, rl, rr = w.contacts.unbind(dim=1)
    return w.moving * ((fl == rr).float() + (fr == rl) + 2.0 * (fl != fr)) / 4


def low_swing(w: Rovers) -> Tensor:
    """Feet that swing low, the more the faster."""
    short = (1.0 - w.clearance() / CLEARANCE_M).clamp(0.0, 2.0)
    return (~w.contacts * short * w.foot_speed).mean(dim=1)


def unrest(w: Rovers) -> Tensor:
    """Who is to stand, and has feet in the air or joints away from the stance."""
    off = (w.q - w.stance).abs().mean(dim=1)
    return ~w.moving * ((~w.contacts).float().mean(dim=1) + off)


REWARDS: dict[str, Callable[[Rovers], Tensor]] = {
    "velocity": lambda w: torch.exp(-4.0 * w.velocity_error),
    "velocity_fine": lambda w: torch.exp(-20.0 * w.velocity_error),
    "velocity_gap": lambda w: w.velocity_error.sqrt(),
    "yaw": lambda w: torch.exp(-4.0 * (w.omega[:, 2] - w.command[:, 2]).square()),
    "alive": lambda w: torch.ones(w.count, device=w.device),
    "diagonal": diagonal,
    "air": lambda w: w.moving * ((w.landed.clamp_max(0.35) - AIR_S) * (w.landed > 0)).sum(dim=1),
    "clearance": low_swing,
    "slip": lambda w: (w.contacts * w.foot_speed).sum(dim=1),
    "still": unrest,
    "vertical": lambda w: w.velocity[:, 2].square(),
    "roll_pitch": lambda w: w.omega[:, :2].square().sum(dim=1),
    "tilt": lambda w: (w.gravity[:, :2] - w.upright()).square().sum(dim=1),
    "low": lambda w: (w.config.height_low_m - w.height).clamp_min(0.0),
    "hip": lambda w: w.action[:, ::3].abs().sum(dim=1),
    "pose": lambda w: (w.q - w.stance).square().sum(dim=1),
    "action_rate": lambda w: (w.action - w.action_before).square().sum(dim=1),
    "effort": lambda w: w.efforts.square().sum(dim=1),
    "struck": lambda w: w.struck,
}
"""Terms before their weights, (n,) each."""


def fallen(w: Rovers) -> Tensor:
    """Robots that lie on their trunk or are tilted too far, (n,)."""
    return w.trunk_touches | (w.gravity[:, 2] > TILTED)
