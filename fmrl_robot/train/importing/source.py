"""A policy from elsewhere, as it is: its joints, poses, scales and terms in its own order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.posture import posture_contract
from fmrl_robot.control.velocity import SPEED_OBSERVATIONS, velocity_contract
from fmrl_robot.errors import apart
from fmrl_robot.robots import RobotSpec
from fmrl_robot.train.importing import terms
from fmrl_robot.train.importing.inputs import Term, by_frame, read_terms
from fmrl_robot.train.importing.refusal import refused
from fmrl_robot.train.importing.statement import Statement
from fmrl_robot.types import FloatArray


def speed_contract(spec: RobotSpec) -> PolicyContract:
    """That of a velocity policy which is told the speed of its base."""
    return velocity_contract(spec, SPEED_OBSERVATIONS)


FAMILIES: tuple[Callable[[RobotSpec], PolicyContract], ...] = (
    posture_contract,
    velocity_contract,
    speed_contract,
    policy_contract,
)
"""Contracts that a quadruped's controller runs, from those with the fewest terms on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What the network takes and gives, in its own orders."""

    joint_names: tuple[str, ...]
    """Order of poses, gains and observed joints."""
    action_joint_names: tuple[str, ...]
    """Order of actions and of their scales."""
    joint_stiffness: FloatArray
    """N m / rad, shape (n,)."""
    joint_damping: FloatArray
    """N m s / rad, shape (n,)."""
    default_joint_pos: FloatArray
    """rad, shape (n,): what joint positions and action targets are relative to."""
    action_scale: FloatArray
    """rad for an action of 1, shape (n,)."""
    terms: tuple[Term, ...]
    """In the order of the network's input."""
    by_frame: bool
    """All terms of one moment stand together, else all frames of one term do; oldest first."""
    leg_order: tuple[str, ...]
    """Of the contact window."""
    control_dt: float
    """s."""
    max_action_delay_ms: float

    @property
    def observation_size(self) -> int:
        """Length of the network's input."""
        return sum(len(term.scale) * term.history for term in self.terms)

    @property
    def frames(self) -> list[tuple[Term, int]]:
        """Terms and which of their frames, in the order of the network's input."""
        placed = [(term, frame) for term in self.terms for frame in range(term.history)]
        return sorted(placed, key=lambda pair: pair[1]) if self.by_frame else placed

    def of_joint(self, values: FloatArray, name: str) -> float:
        """The value of ``joint_names``'s joint of that name."""
        return float(values[self.joint_names.index(name)])


def read_source(said: Statement, spec: RobotSpec) -> Source:
    """Read and check what a file and its side file say, before the network is looked at.

    Raises:
        ConfigError: POLICY_REFUSED; a value is missing, malformed, or not for this robot.
    """
    if spec.kind != "quadruped" or spec.num_joints != terms.SIZES[terms.POSITION]:
        raise refused("robot", "a quadruped with twelve joints", spec.name, "name another --robot")
    if "robot" in said and said.names("robot") != (spec.name,):
        raise said.refused("robot", spec.name, said.raw("robot"))
    joints = _joints(said, "joint_names", spec, None)
    found = read_terms(said, spec)
    return _within_limits(
        Source(
            joint_names=joints,
            action_joint_names=_joints(said, "action_joint_names", spec, list(joints)),
            joint_stiffness=said.numbers("joint_stiffness", len(joints)),
            joint_damping=said.numbers("joint_damping", len(joints)),
            default_joint_pos=said.numbers("default_joint_pos", len(joints), shared=False),
            action_scale=said.numbers("action_scale", len(joints)),
            terms=found,
            by_frame=by_frame(said, found),
            leg_order=_legs(said, spec),
            control_dt=float(said.numbers("control_dt", 1, spec.policy_dt_s)[0]),
            max_action_delay_ms=float(
                said.numbers("max_action_delay_ms", 1, FAMILIES[0](spec).max_action_delay_ms)[0]
            ),
        ),
        said,
        spec,
    )


def contract_of(source: Source, spec: RobotSpec) -> PolicyContract:
    """This project's contract for what the policy does, with the choices that are its own."""
    named = {term.name: term for term in source.terms}
    bases = [make(spec) for make in FAMILIES]
    base = next((b for b in bases if set(named) <= set(b.observation_names)), None)
    if base is None:
        todo = "no controller shows a policy both: train without one of them and export anew"
        both = f"{terms.SPEED} or {terms.WINDOW}, not both"
        raise refused("observation_names", both, tuple(named), todo)
    return replace(
        base,
        joint_stiffness=_ours(source, source.joint_stiffness, spec),
        joint_damping=_ours(source, source.joint_damping, spec),
        observation_history_lengths=tuple(
            named[name].history if name in named else 1 for name in base.observation_names
        ),
        control_dt=source.control_dt,
        max_action_delay_ms=source.max_action_delay_ms,
    )


def _ours(source: Source, values: FloatArray, spec: RobotSpec) -> tuple[float, ...]:
    return tuple(source.of_joint(values, name) for name in spec.joint_names)


def _joints(
    said: Statement, key: str, spec: RobotSpec, default: list[str] | None
) -> tuple[str, ...]:
    names = said.names(key, default)
    if more := [name for name in names if name not in spec.joint_names]:
        raise said.refused(key, f"joints of {spec.name} ({', '.join(spec.joint_names)})", more[0])
    if missing := [name for name in spec.joint_names if name not in names]:
        raise said.refused(key, f"every joint of {spec.name}, {missing[0]} too", list(names))
    return names


def _within_limits(source: Source, said: Statement, spec: RobotSpec) -> Source:
    for name, low, high in zip(spec.joint_names, spec.lower, spec.upper, strict=True):
        value = source.of_joint(source.default_joint_pos, name)
        if not low <= value <= high:
            _, least, most = apart(value, low, high)
            raise said.refused("default_joint_pos", f"{name} within [{least}, {most}] rad", value)
    if not np.all(source.action_scale > 0):
        raise said.refused("action_scale", "numbers above 0", source.action_scale.tolist())
    return source


def _legs(said: Statement, spec: RobotSpec) -> tuple[str, ...]:
    wanted = [leg.value for leg in spec.legs]
    legs = said.names("leg_order", wanted)
    if sorted(legs) != sorted(wanted):
        raise said.refused("leg_order", f"the legs {', '.join(wanted)}", list(legs))
    return legs
