"""Observation terms by the names that other projects give them.

Names are those of mjlab's velocity task (``base_ang_vel``, ``joint_pos``, ``actions``, ``command``)
and of Isaac Lab's and Unitree's exports (``joint_pos_rel``, ``last_action``,
``velocity_commands``). In all of them joint positions are relative to the default pose and the last
action is the network's own output, as they are here; angles are in rad, velocities in rad/s and m/s
in the base's frame, gravity is a unit vector in the base's frame.
"""

from __future__ import annotations

from fmrl_robot.control import locomotion as loco
from fmrl_robot.train.importing.refusal import refused

SPEED = loco.LINEAR_VELOCITY
SIZES = {SPEED: 3, **{name: size for name, size, _ in loco.OBSERVATIONS}}
"""Numbers in one frame of each term that the quadruped's controller measures or is told."""
POSITION, VELOCITY, ACTION = "joint_position", "joint_velocity", "last_action"
COMMAND, WINDOW = "velocity_command", "contact_window"

_ALIASES = {
    "base_lin_vel": SPEED,
    "base_ang_vel": "base_angular_velocity",
    "joint_pos": POSITION,
    "joint_pos_rel": POSITION,
    "joint_vel": VELOCITY,
    "joint_vel_rel": VELOCITY,
    "actions": ACTION,
    "command": COMMAND,
    "velocity_commands": COMMAND,
    "generated_commands": COMMAND,
}
_UNMEASURED = {
    "base_pos_z": "no sensor of the robot measures the height of its base",
    "height_scan": "no sensor of the controller's measures the ground around the robot",
    "foot_contact": "contacts are not among what policies are shown here",
}
_COMMANDS = {
    "twist": COMMAND,
    "base_velocity": COMMAND,
    COMMAND: COMMAND,
    WINDOW: WINDOW,
}


def term_of(name: str) -> str:
    """This project's name of an observation term.

    Raises:
        ConfigError: POLICY_REFUSED; it is unknown, or nothing here can measure it.
    """
    ours = _ALIASES.get(name, name)
    if ours in SIZES:
        return ours
    known = f"terms among {', '.join(sorted({*_ALIASES, *SIZES}))}"
    if name in _UNMEASURED:
        todo = f"{_UNMEASURED[name]}: train without this term and export anew"
        raise refused("observation_names", known, name, todo)
    todo = "give it one of these names in the side file if it means the same, else train without it"
    raise refused("observation_names", known, name, todo)


def command_of(name: str) -> str:
    """This project's name of a command.

    Raises:
        ConfigError: POLICY_REFUSED; no sub-goal here carries it.
    """
    if name not in _COMMANDS:
        todo = (
            "no sub-goal carries another command, such as a recorded motion; if it is a velocity "
            f"(vx, vy, wz), write command_names: [{COMMAND}] in the side file"
        )
        raise refused("command_names", f"names among {', '.join(_COMMANDS)}", name, todo)
    return _COMMANDS[name]
