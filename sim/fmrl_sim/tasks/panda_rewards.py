"""Rewards and success of the local skills: plain functions over arrays of ground truth.

Each returns per environment a dense reward of order one a step and whether the skill's termination
condition holds now. Success at the end of the episode is what counts; nothing ends earlier, so a
policy also learns to keep what it reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.scenes import furniture as f

LIFT_M = 0.06
"""A grasp has succeeded when the cube is this much higher than it stood."""
OPEN_M, CLOSED_M = 0.145, 0.005
"""Drawer positions beyond which it counts as open and closed in training."""
PRESSED_M = 0.0105
RELEASED_FINGER_M = 0.030
DROP_M = 0.015
"""A cube let go higher than this above its goal was dropped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What the simulator knows about n environments."""

    tool: FloatArray
    """Position of the tool, shape (n, 3)."""
    yaw_error: FloatArray
    """rad, shape (n,)."""
    target: FloatArray
    """True place of the tool, shape (n, 3)."""
    finger: FloatArray
    """Finger position, shape (n,)."""
    closed: BoolArray
    """Gripper told to close, shape (n,)."""
    cube: FloatArray
    """Position of the cube, shape (n, 3)."""
    cube_speed: FloatArray
    """Linear speed, m/s, shape (n,)."""
    goal: FloatArray
    """Where the cube has to be (place) or stood (grasp), shape (n, 3)."""
    support: FloatArray
    """1 where the cube must rest on another cube, shape (n,)."""
    base: FloatArray
    """Position of that other cube, shape (n, 3)."""
    dropped: BoolArray
    """The cube was let go in the air, shape (n,)."""
    handle: FloatArray
    """Where the target is now that the drawer may have moved, shape (n, 3)."""
    drawer: FloatArray
    """Opening, m, shape (n,)."""
    button: FloatArray
    """Depth, m, shape (n,)."""


Judged = tuple[FloatArray, BoolArray]


def _near(distance: FloatArray, scale: float) -> FloatArray:
    return 1.0 - np.tanh(distance / scale)


def grasp(truth: Truth) -> Judged:
    """Reach, close, lift."""
    distance = np.linalg.norm(truth.tool - truth.cube, axis=1)
    held = truth.closed & (distance < 0.022) & (np.abs(truth.finger - f.CUBE_HALF_M) < 0.006)
    lifted = np.clip((truth.cube[:, 2] - truth.goal[:, 2]) / LIFT_M, 0.0, 1.2)
    success = held & (lifted >= 1.0)
    early = truth.closed & (distance > 0.03)
    reward = (
        0.3 * _near(distance, 0.08)
        + 0.2 * _near(distance, 0.015)
        + 0.1 * _near(np.abs(truth.yaw_error), 0.3)
        + held * (0.3 + np.minimum(lifted, 1.0))
        + 0.7 * success
        - 0.2 * early
    )
    return reward, success


def place(truth: Truth) -> Judged:
    """Carry to the goal, let go there and not elsewhere, move away upwards."""
    error = truth.cube - truth.goal
    planar, height = np.linalg.norm(error[:, :2], axis=1), np.abs(error[:, 2])
    stacked = truth.support > 0.5
    there = (planar < np.where(stacked, 0.014, 0.022)) & (height < np.where(stacked, 0.008, 0.012))
    away = truth.tool[:, 2] - truth.cube[:, 2]
    free = truth.finger > RELEASED_FINGER_M
    # A cube that fell into place did so by luck: only a set-down counts.
    resting = there & free & (truth.cube_speed < 0.05) & ~truth.dropped
    success = resting & (away > 0.045)
    # Straight up: a hand that leaves sideways drags the cube along.
    beside = np.linalg.norm((truth.tool - truth.cube)[:, :2], axis=1)
    risen = np.clip(away / 0.05, 0.0, 1.0) * _near(np.maximum(beside - 0.01, 0.0), 0.06)
    precise = 0.4 + 0.6 * np.exp(-np.square(planar / 0.008))
    base_moved = stacked * np.linalg.norm(truth.base[:, :2] - truth.goal[:, :2], axis=1)
    reward = (
        0.3 * _near(np.linalg.norm(error, axis=1), 0.08)
        + 0.3 * _near(np.linalg.norm(error, axis=1), 0.015)
        + 0.05 * _near(np.abs(truth.yaw_error), 0.3)
        + resting * precise * (0.4 + 0.6 * risen + 0.7 * success)
        - 0.4 * ((free & ~there) | truth.dropped)
        - 5.0 * np.minimum(base_moved, 0.05)
    )
    return reward, success


def open_drawer(truth: Truth) -> Judged:
    """Straddle the handle, pull it out."""
    success = truth.drawer > OPEN_M
    distance = np.linalg.norm(truth.tool - truth.handle, axis=1)
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
    distance = np.linalg.norm(truth.tool - truth.handle, axis=1)
    # Level with the handle: deeper, the bar slips between the fingers and comes back with them.
    level = np.abs(truth.tool[:, 2] - truth.handle[:, 2])
    reward = (
        0.3 * _near(np.maximum(level - 0.005, 0.0), 0.02)
        + 0.25 * _near(np.maximum(distance - 0.02, 0.0), 0.08)
        + 1.2 * (1.0 - truth.drawer / f.DRAWER_TRAVEL_M)
        + 0.6 * success
    )
    return reward, success


def press(truth: Truth) -> Judged:
    """Push the button down; what follows costs nothing."""
    success = truth.button > PRESSED_M
    distance = np.linalg.norm(truth.tool - truth.target, axis=1)
    reward = 0.3 * _near(distance, 0.06) + 0.7 * truth.button / f.BUTTON_TRAVEL_M + 0.7 * success
    return reward, success


REWARDS = {
    "grasp": grasp,
    "place": place,
    "open": open_drawer,
    "close": close_drawer,
    "press": press,
}
