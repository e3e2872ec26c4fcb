"""What an arm's local policies see and do, written once for training and for the running robot.

PSL's local policies start near a region and look only at what the robot will really have:
proprioception and one estimate of the target, latched when the region was reached (the hand hides
it from the cameras afterwards). Everything is expressed in the *heading frame*: the base frame
turned by the tool's heading, its origin at the tool. So one policy serves the whole table.

All functions take a leading batch axis; training calls them with hundreds of arms, the controller
with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from fmrl_robot.motion.servo import resolved_rate, wrap, yaw_of
from fmrl_robot.types import BoolArray, FloatArray

OBSERVATION_NAMES = (
    "target_offset",
    "target_yaw_error",
    "tool_velocity",
    "tool_tilt",
    "finger_position",
    "command_lead",
    "last_action",
)
"""Terms of the observation, in order; all but the fingers in the heading frame."""
OBSERVATION_SIZES = (3, 1, 3, 2, 1, 3, 5)
OBSERVATION_SCALES = (10.0, 2.0, 5.0, 5.0, 25.0, 20.0, 1.0)
OBSERVATION_SIZE = sum(OBSERVATION_SIZES)
NUM_ACTIONS = 5
"""Velocity of the tool (3), turn about the vertical, gripper."""
ACTION_SCALE = (0.25, 0.25, 0.25, 1.2, 1.0)
"""m/s, m/s, m/s, rad/s, and the gripper's switch, at an action of one."""
GRIPPER_SWITCH = 0.8
"""The gripper opens above this action, closes below its negative and else stays as it was."""
LEASH_RAD = 0.04
"""A commanded joint leads the measured one by no more than this, so that contact stays soft."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalSkill:
    """The fixed facts of one local policy."""

    name: str
    steps: int
    """Policy steps of an episode; at run time the longest time before the skill has failed."""
    open_m: float = 0.035
    """Finger position while open."""
    starts_closed: bool = False
    grips: bool = True
    """Whether the gripper moves at all."""
    releases: bool = False
    """Whether it lets go of what it holds when it is over."""


SKILLS = MappingProxyType(
    {
        "grasp": LocalSkill(name="grasp", steps=50),
        "place": LocalSkill(name="place", steps=50, starts_closed=True, releases=True),
        "open": LocalSkill(name="open", steps=60, open_m=0.04, releases=True),
        "close": LocalSkill(name="close", steps=60, starts_closed=True, grips=False),
        "press": LocalSkill(name="press", steps=40, starts_closed=True, grips=False),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolState:
    """Kinematics of n tools in the base frame."""

    position: FloatArray
    """Shape (n, 3)."""
    rotation: FloatArray
    """Shape (n, 3, 3)."""
    jacobian: FloatArray
    """Linear over angular, shape (n, 6, 7)."""

    def heading(self) -> FloatArray:
        """Rotation from the heading frame to the base frame, shape (n, 3, 3)."""
        yaw = yaw_of(self.rotation)
        heading = np.zeros((len(yaw), 3, 3))
        heading[:, 0, 0] = heading[:, 1, 1] = np.cos(yaw)
        heading[:, 1, 0] = np.sin(yaw)
        heading[:, 0, 1] = -heading[:, 1, 0]
        heading[:, 2, 2] = 1.0
        return heading


def _into(heading: FloatArray, vectors: FloatArray) -> FloatArray:
    return np.einsum("nji,nj->ni", heading, vectors)


def observation_terms(
    tool: ToolState,
    q: FloatArray,
    dq: FloatArray,
    q_command: FloatArray,
    target: FloatArray,
    last_action: FloatArray,
) -> dict[str, FloatArray]:
    """Return the terms of n observations by name, unscaled, each of shape (n, size).

    Args:
        tool: kinematics at ``q``.
        q: measured joints, fingers last, shape (n, 8).
        dq: measured joint velocities, shape (n, 8).
        q_command: last commanded joints, shape (n, 8).
        target: position and heading of where the tool belongs, in the base frame, shape (n, 4).
        last_action: shape (n, 5).
    """
    heading = tool.heading()
    linear = tool.jacobian[:, :3]
    values = (
        _into(heading, target[:, :3] - tool.position),
        wrap(target[:, 3] - yaw_of(tool.rotation))[:, None],
        _into(heading, np.einsum("nij,nj->ni", linear, dq[:, :7])),
        _into(heading, tool.rotation[:, :, 2])[:, :2],
        q[:, 7:],
        _into(heading, np.einsum("nij,nj->ni", linear, (q_command - q)[:, :7])),
        last_action,
    )
    return dict(zip(OBSERVATION_NAMES, values, strict=True))


def scaled(terms: dict[str, FloatArray]) -> FloatArray:
    """Return observations (n, OBSERVATION_SIZE), as the network takes them."""
    pairs = zip(OBSERVATION_SCALES, OBSERVATION_NAMES, strict=True)
    return np.concatenate([scale * terms[name] for scale, name in pairs], axis=1)


def joint_velocity(tool: ToolState, action: FloatArray) -> FloatArray:
    """Return the joint velocities (n, 7) that an action (n, 5) asks for."""
    wanted = np.clip(action, -1.0, 1.0) * np.array(ACTION_SCALE)
    velocity = np.einsum("nij,nj->ni", tool.heading(), wanted[:, :3])
    return resolved_rate(tool.jacobian, tool.rotation, velocity, wanted[:, 3])


def gripper_closed(skill: LocalSkill, action: FloatArray, closed: BoolArray) -> BoolArray:
    """Return whether each gripper is to be closed, given whether it was, shape (n,)."""
    if not skill.grips:
        return closed
    switch = np.clip(action[:, 4], -1.0, 1.0)
    return np.where(
        switch > GRIPPER_SWITCH, False, np.where(switch < -GRIPPER_SWITCH, True, closed)
    )


def advance(
    q_command: FloatArray,
    q: FloatArray,
    velocity: FloatArray,
    dt_s: float,
    lower: FloatArray,
    upper: FloatArray,
    step: FloatArray,
) -> FloatArray:
    """Return the next arm targets (n, 7), within the gate's step, the leash and the limits."""
    change = np.clip(velocity * dt_s, -0.95 * step[:7], 0.95 * step[:7])
    wanted = np.clip(q_command + change, q - LEASH_RAD, q + LEASH_RAD)
    moved = q_command + np.clip(wanted - q_command, -0.95 * step[:7], 0.95 * step[:7])
    return np.clip(moved, lower[:7], upper[:7])
