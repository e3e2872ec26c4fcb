"""Scripted demonstrators of the local skills: plain functions of the policy's own observations.

They are where imitation starts and nowhere else: slow and a little clumsy, they show a policy which
order of moves brings reward at all; reinforcement learning then does better.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fmrl_robot.control.local_skill import ACTION_SCALE

Terms = dict[str, Tensor]
_GAIN = 6.0
"""1/s, from an offset to a velocity."""
_CLOSED_AROUND_M, _OPEN_M = 0.0225, 0.0275
_SEARCH_M = 0.006
"""Radius of the circle on which a peg looks for its hole."""
_PRESSING_M = -0.003
"""Lead of the commanded tool over the measured one, along z, at which it presses enough."""
_OPEN, _CLOSE, _KEEP = 1.3, -1.3, 0.0


def _approach(terms: Terms, hover_m: float, aligned_m: float) -> tuple[Tensor, Tensor]:
    """Align above the target, then go down to it; returns actions and who is aligned."""
    offset = terms["target_offset"]
    aligned = torch.linalg.norm(offset[:, :2], dim=1) < aligned_m
    action = offset.new_zeros((len(offset), 5))
    action[:, :2] = (offset[:, :2] * _GAIN / ACTION_SCALE[0]).clamp(-1.0, 1.0)
    height = torch.where(aligned, offset[:, 2], (offset[:, 2] + hover_m).clamp_max(0.1))
    action[:, 2] = (height * _GAIN / ACTION_SCALE[2]).clamp(-0.8, 0.8)
    action[:, 3] = (3.0 * terms["target_yaw_error"][:, 0] / ACTION_SCALE[3]).clamp(-1.0, 1.0)
    return action, aligned


def _row(action: Tensor, *values: float) -> Tensor:
    return action.new_tensor(values)


def grasp(terms: Terms) -> Tensor:
    """Down around the cube, close, lift; open again where nothing is between the fingers."""
    action, aligned = _approach(terms, 0.035, 0.010)
    finger = terms["finger_position"][:, 0]
    height = terms["target_offset"][:, 2].abs()
    # Also where something stops the hand a little higher, as the front of a drawer does.
    stopped = (height < 0.02) & (terms["tool_velocity"][:, 2].abs() < 0.01)
    close = aligned & ((height < 0.008) | stopped)
    closing = finger < 0.031
    held = (finger < _CLOSED_AROUND_M) & (finger > 0.012)
    action[:, 4] = _OPEN
    action[close | closing, 4] = _CLOSE
    action[closing, :4] = 0.0
    action[held, 2] = 0.8
    action[finger <= 0.012] = _row(action, 0.0, 0.0, 0.3, 0.0, _OPEN)
    return action


def place(terms: Terms) -> Tensor:
    """Over the goal, set down, let go, up."""
    action, _ = _approach(terms, 0.03, 0.008)
    return _let_go(terms, action, 0.007, 0.006)


def insert(terms: Terms) -> Tensor:
    """Over the hole, down; on its rim circle around where it should be; let go at the bottom."""
    action, _ = _approach(terms, 0.065, 0.006)
    offset = terms["target_offset"]
    height = -offset[:, 2]
    near = height < 0.055
    # Gently, so that a peg on the rim slides along it.
    gentle = torch.where(terms["command_lead"][:, 2] < _PRESSING_M, 0.0, -0.25)
    action[:, 2] = torch.where(near, gentle, action[:, 2].clamp(-0.5, 0.8))
    stuck = near & (height > 0.008) & (terms["tool_velocity"][:, 2] > -0.02)
    radius = torch.linalg.norm(offset[:, :2], dim=1).clamp_min(1e-4)
    out = -offset[:, :2] / radius[:, None]
    around = torch.stack([-out[:, 1], out[:, 0]], dim=1)
    circle = 0.05 * around + _GAIN * (_SEARCH_M - radius)[:, None] * out
    action[:, :2] = torch.where(stuck[:, None], circle / ACTION_SCALE[0], action[:, :2])
    return _let_go(terms, action, 0.018, 0.009)


def _let_go(terms: Terms, action: Tensor, planar_m: float, height_m: float) -> Tensor:
    """Open where the target is reached, then leave straight up."""
    offset, finger = terms["target_offset"], terms["finger_position"][:, 0]
    low = offset[:, 2].abs()
    there = (torch.linalg.norm(offset[:, :2], dim=1) < planar_m) & (low < height_m)
    opening = there | ((terms["last_action"][:, 4] > 0.8) & (low < 0.03))
    free = finger > _OPEN_M
    action[:, 4] = torch.where(opening | free, _OPEN, -0.4)
    action[opening & ~free, :4] = 0.0
    action[free] = _row(action, 0.0, 0.0, 0.8, 0.0, _OPEN)
    return action


def push(terms: Terms) -> Tensor:
    """Onto the line, at the cube's height, then along x of the heading frame to its end."""
    action, _ = _approach(terms, 0.0, 1.0)
    offset = terms["target_offset"]
    on_line = (offset[:, 1].abs() < 0.006) & (offset[:, 2].abs() < 0.010)
    action[:, 0] = torch.where(on_line, action[:, 0].clamp(-0.3, 0.5), 0.0)
    action[:, 4] = _KEEP
    return action


def open_drawer(terms: Terms) -> Tensor:
    """Down over the handle, pull along y of the heading frame."""
    action, _ = _approach(terms, 0.035, 0.012)
    offset = terms["target_offset"]
    pulled = -offset[:, 1]
    engaged = (offset[:, 2].abs() < 0.015) & (offset[:, 0].abs() < 0.03) & (pulled > -0.015)
    pull = ((0.17 - pulled) * _GAIN / ACTION_SCALE[1]).clamp(0.0, 0.7)
    sink = (offset[:, 2] * _GAIN / ACTION_SCALE[2]).clamp(-0.5, 0.5)
    action[:, 1] = torch.where(engaged, pull, action[:, 1])
    action[:, 2] = torch.where(engaged, sink, action[:, 2])
    action[:, 4] = _OPEN
    return action


def close_drawer(terms: Terms) -> Tensor:
    """Down to the handle's height before it, push against y of the heading frame."""
    action, _ = _approach(terms, 0.0, 1.0)
    low = terms["target_offset"][:, 2].abs() < 0.015
    action[:, 1] = torch.where(low, -0.7, 0.0)
    action[:, 4] = _KEEP
    return action


def press(terms: Terms) -> Tensor:
    """Over the button, down through its travel."""
    action, aligned = _approach(terms, 0.03, 0.015)
    deeper = (terms["target_offset"][:, 2] - 0.03) * _GAIN / ACTION_SCALE[2]
    action[:, 2] = torch.where(aligned, deeper.clamp(-0.6, 0.6), action[:, 2])
    action[:, 4] = _KEEP
    return action


DEMONSTRATORS = {
    "grasp": grasp,
    "place": place,
    "insert": insert,
    "push": push,
    "open": open_drawer,
    "close": close_drawer,
    "press": press,
}
