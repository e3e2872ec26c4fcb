"""Rewards and success of the local skills: plain functions over tensors of ground truth.

Each returns for each environment a dense reward of order one a step and whether the skill's
termination condition holds now. Success at the end of the episode is what counts; nothing ends
earlier, so a policy also learns to keep what it reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes import peg as p

LIFT_M = 0.06
"""A grasp has succeeded when the cube is this much higher than it stood."""
OPEN_M, CLOSED_M = 0.145, 0.005
"""Drawer positions beyond which it counts as open and closed in training."""
PRESSED_M = 0.0105
RELEASED_FINGER_M = 0.030
DROP_M = 0.015
"""A thing let go higher than this above its goal was dropped."""
SEATED_M = 0.004
"""A peg's lower end is no higher above the socket's floor once it is in."""
PUSHED_M = 0.02
"""A pushed cube is no farther from its goal."""
RESTING_M_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What the simulator knows about n environments; the thing is a cube, or the peg."""

    tool: Tensor
    """Position of the tool, (n, 3)."""
    yaw_error: Tensor
    """rad, (n,)."""
    target: Tensor
    """True place of the tool, (n, 3)."""
    finger: Tensor
    """Finger position, (n,)."""
    closed: Tensor
    """Gripper told to close, (n,)."""
    thing: Tensor
    """Position of the thing's centre, (n, 3)."""
    speed: Tensor
    """Of the thing, m/s, (n,)."""
    upright: Tensor
    """Cosine of the angle between the thing's z axis and the vertical, (n,)."""
    goal: Tensor
    """Where the thing has to be (place, push, insert) or stood (grasp), (n, 3)."""
    support: Tensor
    """1 where the thing must rest on another cube, (n,)."""
    base: Tensor
    """Position of that other cube, (n, 3)."""
    dropped: Tensor
    """The thing was let go in the air, (n,)."""
    handle: Tensor
    """Where the target is now that the drawer may have moved, (n, 3)."""
    drawer: Tensor
    """Opening, m, (n,)."""
    button: Tensor
    """Depth, m, (n,)."""


Judged = tuple[Tensor, Tensor]


def _near(distance: Tensor, scale: float) -> Tensor:
    return 1.0 - torch.tanh(distance / scale)


def _length(vectors: Tensor) -> Tensor:
    return torch.linalg.norm(vectors, dim=1)


def grasp(truth: Truth) -> Judged:
    """Reach, close, lift."""
    distance = _length(truth.tool - truth.thing)
    held = truth.closed & (distance < 0.022) & ((truth.finger - f.CUBE_HALF_M).abs() < 0.006)
    lifted = ((truth.thing[:, 2] - truth.goal[:, 2]) / LIFT_M).clamp(0.0, 1.2)
    success = held & (lifted >= 1.0)
    early = truth.closed & (distance > 0.03)
    reward = (
        0.3 * _near(distance, 0.08)
        + 0.2 * _near(distance, 0.015)
        + 0.1 * _near(truth.yaw_error.abs(), 0.3)
        + held * (0.3 + lifted.clamp_max(1.0))
        + 0.7 * success
        - 0.2 * early
    )
    return reward, success


def place(truth: Truth) -> Judged:
    """Carry to the goal, let go there and not elsewhere, move away upwards."""
    error = truth.thing - truth.goal
    planar, height = _length(error[:, :2]), error[:, 2].abs()
    stacked = truth.support > 0.5
    there = torch.where(
        stacked, (planar < 0.014) & (height < 0.008), (planar < 0.022) & (height < 0.012)
    )
    away = truth.tool[:, 2] - truth.thing[:, 2]
    free = truth.finger > RELEASED_FINGER_M
    # A cube that fell into place did so by luck: only a set-down counts.
    resting = there & free & (truth.speed < RESTING_M_S) & ~truth.dropped
    success = resting & (away > 0.045)
    precise = 0.4 + 0.6 * torch.exp(-(planar / 0.008).square())
    base_moved = stacked * _length(truth.base[:, :2] - truth.goal[:, :2])
    reward = (
        0.3 * _near(_length(error), 0.08)
        + 0.3 * _near(_length(error), 0.015)
        + 0.05 * _near(truth.yaw_error.abs(), 0.3)
        + resting * precise * (0.4 + 0.6 * _risen(truth, 0.0) + 0.7 * success)
        - 0.4 * ((free & ~there) | truth.dropped)
        - 5.0 * base_moved.clamp_max(0.05)
    )
    return reward, success


def _risen(truth: Truth, held_at: float) -> Tensor:
    """How far the hand has left what it let go, 0 to 1; ``held_at`` above its centre it held it.

    Straight up: a hand that leaves sideways drags the thing along.
    """
    away = truth.tool[:, 2] - truth.thing[:, 2] - held_at
    beside = _length((truth.tool - truth.thing)[:, :2])
    return (away / 0.05).clamp(0.0, 1.0) * _near((beside - 0.01).clamp_min(0.0), 0.06)


def insert(truth: Truth) -> Judged:
    """Find the hole, go in, let go, move away upwards."""
    held_at = p.PEG_GRIP_M - p.PIN_LENGTH_M / 2
    error = truth.thing - truth.goal
    planar, height = _length(error[:, :2]), error[:, 2].clamp_min(0.0)
    depth = p.SOCKET_HEIGHT_M - p.SOCKET_FLOOR_M
    entered = (planar < p.HOLE_HALF_M) & (truth.upright > 0.97)
    inside = entered * (1.0 - height / depth).clamp(0.0, 1.0)
    seated = entered & (height < SEATED_M)
    free = truth.finger > RELEASED_FINGER_M
    left = truth.tool[:, 2] - truth.thing[:, 2] - held_at
    success = seated & free & (truth.speed < RESTING_M_S) & ~truth.dropped & (left > 0.03)
    reward = (
        0.2 * _near(planar, 0.04)
        + 0.2 * _near(planar, 0.004)
        + 0.1 * _near(truth.yaw_error.abs(), 0.2)
        + 0.1 * _near(height, 0.05)
        + 0.6 * inside
        + 0.3 * seated
        + (seated & free) * (0.3 + 0.5 * _risen(truth, held_at))
        + 0.5 * success
        - 0.4 * ((free & ~seated) | truth.dropped)
    )
    return reward, success


def push(truth: Truth) -> Judged:
    """Shove the thing to its goal, and leave it there."""
    error = _length((truth.thing - truth.goal)[:, :2])
    success = (error < PUSHED_M) & (truth.speed < RESTING_M_S)
    reward = (
        0.6 * _near(error, 0.1)
        + 0.4 * _near(error, 0.015)
        + 0.1 * _near((truth.tool - truth.target)[:, 2].abs(), 0.01)
        + 0.6 * success
    )
    return reward, success


def open_drawer(truth: Truth) -> Judged:
    """Straddle the handle, pull it out."""
    success = truth.drawer > OPEN_M
    distance = _length(truth.tool - truth.handle)
    reward = (
        0.25 * _near(distance, 0.08)
        + 0.15 * _near(distance, 0.02)
        + 1.2 * truth.drawer / f.DRAWER_TRAVEL_M
        + 0.6 * success
    )
    return reward, success


def close_drawer(truth: Truth) -> Judged:
    """Push the handle in."""
    success = truth.drawer < CLOSED_M
    distance = _length(truth.tool - truth.handle)
    # Level with the handle: deeper, the bar slips between the fingers and comes back with them.
    level = (truth.tool[:, 2] - truth.handle[:, 2]).abs()
    reward = (
        0.3 * _near((level - 0.005).clamp_min(0.0), 0.02)
        + 0.25 * _near((distance - 0.02).clamp_min(0.0), 0.08)
        + 1.2 * (1.0 - truth.drawer / f.DRAWER_TRAVEL_M)
        + 0.6 * success
    )
    return reward, success


def press(truth: Truth) -> Judged:
    """Push the button down; what follows costs nothing."""
    success = truth.button > PRESSED_M
    distance = _length(truth.tool - truth.target)
    reward = 0.3 * _near(distance, 0.06) + 0.7 * truth.button / f.BUTTON_TRAVEL_M + 0.7 * success
    return reward, success


REWARDS = {
    "grasp": grasp,
    "place": place,
    "insert": insert,
    "push": push,
    "open": open_drawer,
    "close": close_drawer,
    "press": press,
}
