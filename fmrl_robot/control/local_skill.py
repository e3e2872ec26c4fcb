"""What an arm's local policies see and do, written once for training and for the running robot.

PSL's local policies start near a region and look only at what the robot will really have:
proprioception and one estimate of the target, latched when the region was reached (the hand hides
it from the cameras afterwards). Everything is expressed in the *heading frame*: the base frame
turned by the tool's heading, its origin at the tool. So one policy serves the whole table.

All functions take arrays of any library (numpy here, torch in training) with a leading batch axis;
training calls them with thousands of arms, the controller with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from array_api_compat import array_namespace

from fmrl_robot.motion.servo import Array, resolved_rate, wrap, yaw_of

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
        "insert": LocalSkill(name="insert", steps=70, starts_closed=True, releases=True),
        "push": LocalSkill(name="push", steps=70, open_m=0.012, grips=False),
        "open": LocalSkill(name="open", steps=60, open_m=0.04, releases=True),
        "close": LocalSkill(name="close", steps=60, starts_closed=True, grips=False),
        "press": LocalSkill(name="press", steps=40, starts_closed=True, grips=False),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolState:
    """Kinematics of n tools in the base frame."""

    position: Array
    """Shape (n, 3)."""
    rotation: Array
    """Shape (n, 3, 3)."""
    jacobian: Array
    """Linear over angular, shape (n, 6, 7)."""

    def heading(self) -> Array:
        """Rotation from the heading frame to the base frame, shape (n, 3, 3)."""
        xp: Any = array_namespace(self.rotation)
        yaw = yaw_of(self.rotation)
        c, s, zero, one = xp.cos(yaw), xp.sin(yaw), xp.zeros_like(yaw), xp.ones_like(yaw)
        flat = xp.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1)
        return xp.reshape(flat, (-1, 3, 3))


def into(heading: Array, vectors: Array) -> Array:
    """Turn vectors (n, 3) of the base frame into the heading frame."""
    xp: Any = array_namespace(heading)
    return (xp.matrix_transpose(heading) @ vectors[:, :, None])[:, :, 0]


def observation_terms(
    tool: ToolState,
    q: Array,
    dq: Array,
    q_command: Array,
    target: Array,
    last_action: Array,
) -> dict[str, Array]:
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
    linear = into(heading, target[:, :3] - tool.position)
    moving = (tool.jacobian[:, :3] @ dq[:, :7, None])[:, :, 0]
    leading = (tool.jacobian[:, :3] @ (q_command - q)[:, :7, None])[:, :, 0]
    values = (
        linear,
        wrap(target[:, 3] - yaw_of(tool.rotation))[:, None],
        into(heading, moving),
        into(heading, tool.rotation[:, :, 2])[:, :2],
        q[:, 7:],
        into(heading, leading),
        last_action,
    )
    return dict(zip(OBSERVATION_NAMES, values, strict=True))


def scaled(terms: dict[str, Array]) -> Array:
    """Return observations (n, OBSERVATION_SIZE), as the network takes them."""
    pairs = zip(OBSERVATION_SCALES, OBSERVATION_NAMES, strict=True)
    rows = [scale * terms[name] for scale, name in pairs]
    xp: Any = array_namespace(*rows)
    return xp.concat(rows, axis=1)


def joint_velocity(tool: ToolState, action: Array) -> Array:
    """Return the joint velocities (n, 7) that an action (n, 5) asks for."""
    xp: Any = array_namespace(action)
    wanted = xp.clip(action, -1.0, 1.0) * xp.asarray(
        ACTION_SCALE, dtype=action.dtype, device=action.device
    )
    velocity = (tool.heading() @ wanted[:, :3, None])[:, :, 0]
    return resolved_rate(tool.jacobian, tool.rotation, velocity, wanted[:, 3])


def gripper_closed(skill: LocalSkill, action: Array, closed: Array) -> Array:
    """Return whether each gripper is to be closed, given whether it was, shape (n,)."""
    if not skill.grips:
        return closed
    switch = action[:, 4]
    return (closed & (switch <= GRIPPER_SWITCH)) | (switch < -GRIPPER_SWITCH)


def advance(
    q_command: Array,
    q: Array,
    velocity: Array,
    dt_s: float,
    lower: Array,
    upper: Array,
    step: Array,
) -> Array:
    """Return the next arm targets (n, 7), within the gate's step, the leash and the limits."""
    xp: Any = array_namespace(q_command)
    most = 0.95 * step[:7]
    wanted = xp.clip(
        q_command + xp.clip(velocity * dt_s, -most, most), q - LEASH_RAD, q + LEASH_RAD
    )
    return xp.clip(q_command + xp.clip(wanted - q_command, -most, most), lower[:7], upper[:7])
