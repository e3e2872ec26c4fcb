"""Ways to spoil a run on purpose, so that whoever judges runs can be shown failures.

They act between gate and motors, as a jammed arm or a worn gripper would; the gate stays in place.
The third kind of failure, handling the wrong object, needs no hook: ask for another object.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import JointCommand

if TYPE_CHECKING:
    from fmrl_sim.body import MujocoBody

FaultKind = Literal["freeze", "drop"]
LIFTED_M = 0.10
"""Height of the held cube from which the worn gripper lets go."""


class Fault:
    """Turns the command that the gate let through into the one that is carried out."""

    def __init__(self, kind: FaultKind) -> None:
        if kind not in ("freeze", "drop"):
            raise ConfigError(f"expected a fault of freeze, drop; got {kind!r}")
        self._kind = kind
        self._open = False

    def reset(self) -> None:
        """Begin a new episode, whole again."""
        self._open = False

    def apply(self, command: JointCommand, body: MujocoBody) -> JointCommand:
        """``freeze``: stay. ``drop``: once a cube has been lifted, the gripper stays open."""
        if self._kind == "freeze":
            still = np.zeros(body.robot.num_joints)
            return replace(
                command,
                names=body.robot.joint_names,
                position=body.initial_q,
                velocity=still,
                effort=still,
                kp=body.robot.kp,
                kd=body.robot.kd,
            )
        held = [p.args[0] for p in body.facts() if p.name == "held"]
        self._open |= any(body.data.body(cube).xpos[2] > LIFTED_M for cube in held)
        if not self._open:
            return command
        position = command.position.copy()
        position[-1] = body.robot.upper[-1]
        return replace(command, position=position)
