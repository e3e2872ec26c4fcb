"""Scripted demonstrators of the local skills: plain functions of the policy's own observations.

They are where imitation starts and nowhere else: slow and a little clumsy, they show a policy which
order of moves brings reward at all; reinforcement learning then does better.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.control.local_skill import ACTION_SCALE
from fmrl_robot.types import BoolArray, FloatArray

Terms = dict[str, FloatArray]
_GAIN = 6.0
"""1/s, from an offset to a velocity."""
_CLOSED_AROUND_M, _OPEN_M = 0.0225, 0.0275
_OPEN, _CLOSE, _KEEP = 1.3, -1.3, 0.0


def _approach(terms: Terms, hover_m: float, aligned_m: float) -> tuple[FloatArray, BoolArray]:
    """Align above the target, then go down to it; returns actions and who is aligned."""
    offset = terms["target_offset"]
    planar = np.linalg.norm(offset[:, :2], axis=1)
    aligned = planar < aligned_m
    action = np.zeros((len(offset), 5))
    action[:, :2] = np.clip(offset[:, :2] * _GAIN / ACTION_SCALE[0], -1.0, 1.0)
    height = np.where(aligned, offset[:, 2], np.minimum(offset[:, 2] + hover_m, 0.1))
    action[:, 2] = np.clip(height * _GAIN / ACTION_SCALE[2], -0.8, 0.8)
    action[:, 3] = np.clip(3.0 * terms["target_yaw_error"][:, 0] / ACTION_SCALE[3], -1.0, 1.0)
    return action, aligned


def grasp(terms: Terms) -> FloatArray:
    """Down around the cube, close, lift; open again where nothing is between the fingers."""
    action, aligned = _approach(terms, 0.035, 0.010)
    finger = terms["finger_position"][:, 0]
    close = aligned & (np.abs(terms["target_offset"][:, 2]) < 0.008)
    closing = finger < 0.031
    held = (finger < _CLOSED_AROUND_M) & (finger > 0.012)
    action[:, 4] = _OPEN
    action[close | closing, 4] = _CLOSE
    action[closing, :4] = 0.0
    action[held, 2] = 0.8
    missed = finger <= 0.012
    action[missed] = [0.0, 0.0, 0.3, 0.0, _OPEN]
    return action


def place(terms: Terms) -> FloatArray:
    """Over the goal, set down, let go, up."""
    action, _ = _approach(terms, 0.03, 0.008)
    offset, finger = terms["target_offset"], terms["finger_position"][:, 0]
    low = np.abs(offset[:, 2])
    there = (np.linalg.norm(offset[:, :2], axis=1) < 0.007) & (low < 0.006)
    opening = there | ((terms["last_action"][:, 4] > 0.8) & (low < 0.03))
    free = finger > _OPEN_M
    action[:, 4] = np.where(opening | free, _OPEN, -0.4)
    action[opening & ~free, :4] = 0.0
    action[free] = [0.0, 0.0, 0.8, 0.0, _OPEN]
    return action


def open_drawer(terms: Terms) -> FloatArray:
    """Down over the handle, pull along y of the heading frame."""
    action, _ = _approach(terms, 0.035, 0.012)
    offset = terms["target_offset"]
    pulled = -offset[:, 1]
    engaged = (np.abs(offset[:, 2]) < 0.015) & (np.abs(offset[:, 0]) < 0.03) & (pulled > -0.015)
    action[engaged, 1] = np.clip((0.17 - pulled[engaged]) * _GAIN / ACTION_SCALE[1], 0.0, 0.7)
    action[engaged, 2] = np.clip(offset[engaged, 2] * _GAIN / ACTION_SCALE[2], -0.5, 0.5)
    action[:, 4] = _OPEN
    return action


def close_drawer(terms: Terms) -> FloatArray:
    """Down to the handle's height before it, push against y of the heading frame."""
    action, _ = _approach(terms, 0.0, 1.0)
    low = np.abs(terms["target_offset"][:, 2]) < 0.015
    action[:, 1] = np.where(low, -0.7, 0.0)
    action[:, 4] = _KEEP
    return action


def press(terms: Terms) -> FloatArray:
    """Over the button, down through its travel."""
    action, aligned = _approach(terms, 0.03, 0.015)
    deeper = (terms["target_offset"][:, 2] - 0.03) * _GAIN / ACTION_SCALE[2]
    action[aligned, 2] = np.clip(deeper[aligned], -0.6, 0.6)
    action[:, 4] = _KEEP
    return action


DEMONSTRATORS = {
    "grasp": grasp,
    "place": place,
    "open": open_drawer,
    "close": close_drawer,
    "press": press,
}
