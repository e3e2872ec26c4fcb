"""The policy contract: what an ONNX file must say about itself before it may move a robot.

Joint order, gains, scales and rates that differ between training and running are the classic silent
failure of learned control. So a file carries them as metadata, one JSON value a key, and is refused
before the first command where a key is missing or contradicts the RobotSpec.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import RobotSpec

EXPORT_ANEW = "export the policy anew for this robot"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyContract:
    """Everything that training and running have to agree on; every field is a metadata key."""

    robot: str
    joint_names: tuple[str, ...]
    """In the order of observations and actions."""
    joint_stiffness: tuple[float, ...]
    joint_damping: tuple[float, ...]
    default_joint_pos: tuple[float, ...]
    action_scale: tuple[float, ...]
    """One for each action."""
    observation_names: tuple[str, ...]
    observation_sizes: tuple[int, ...]
    """Of one frame of each term."""
    observation_scales: tuple[float, ...]
    """One for each term."""
    observation_history_lengths: tuple[int, ...]
    """Frames of each term, oldest first."""
    command_names: tuple[str, ...]
    """The terms that come from a sub-goal."""
    control_dt: float
    """Period of decisions in s."""
    quaternion_order: str
    leg_order: tuple[str, ...]
    """Empty for an arm."""
    max_action_delay_ms: float
    """Greatest latency that the policy was trained with."""
    config_sha256: str = ""
    """Of the training configuration that lies beside the file."""
    evaluation: str = ""
    """JSON of the figures of the card."""

    @property
    def observation_size(self) -> int:
        """Length of the network's input."""
        pairs = zip(self.observation_sizes, self.observation_history_lengths, strict=True)
        return sum(size * length for size, length in pairs)

    @property
    def num_actions(self) -> int:
        """Length of the network's output."""
        return len(self.action_scale)

    def to_metadata(self) -> dict[str, str]:
        """Write as ONNX metadata."""
        return {f.name: json.dumps(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], file: Path) -> PolicyContract:
        """Read ONNX metadata.

        Raises:
            ConfigError: POLICY_REFUSED; a key is missing or is not JSON of the right kind.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in metadata:
                raise refusal(file, field.name, "a value", "nothing")
            text = metadata[field.name]
            try:
                value = json.loads(text)
            except json.JSONDecodeError as error:
                raise refusal(file, field.name, "JSON", text) from error
            wanted: type | tuple[type, ...] = (list,)
            if not str(field.type).startswith("tuple"):
                wanted = (int, float) if field.type == "float" else str
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise refusal(file, field.name, str(field.type), value)
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def check(self, wanted: PolicyContract, file: Path) -> None:
        """Refuse where this differs from ``wanted`` in anything but hash and evaluation.

        Raises:
            ConfigError: POLICY_REFUSED; the message names the field, what was expected and found.
        """
        for field in fields(self):
            if field.name in ("config_sha256", "evaluation"):
                continue
            mine, theirs = getattr(self, field.name), getattr(wanted, field.name)
            if not _same(mine, theirs):
                raise refusal(file, field.name, theirs, mine)


def contract_for(
    spec: RobotSpec,
    *,
    observations: Sequence[tuple[str, int, float]],
    action_scale: Sequence[float],
    command_names: Sequence[str],
    max_action_delay_ms: float,
    histories: Sequence[int] | None = None,
) -> PolicyContract:
    """The contract that a policy of this robot has to state.

    Args:
        spec: the robot.
        observations: name, size of one frame and scale of each term, in order.
        action_scale: one for each action.
        command_names: the terms that come from a sub-goal.
        max_action_delay_ms: greatest latency trained with.
        histories: frames of each term; None: one.
    """
    return PolicyContract(
        robot=spec.name,
        joint_names=spec.joint_names,
        joint_stiffness=tuple(spec.kp.tolist()),
        joint_damping=tuple(spec.kd.tolist()),
        default_joint_pos=tuple(spec.default.tolist()),
        action_scale=tuple(action_scale),
        observation_names=tuple(name for name, _, _ in observations),
        observation_sizes=tuple(size for _, size, _ in observations),
        observation_scales=tuple(scale for _, _, scale in observations),
        observation_history_lengths=tuple(histories or [1] * len(observations)),
        command_names=tuple(command_names),
        control_dt=spec.policy_dt_s,
        quaternion_order="wxyz",
        leg_order=tuple(leg.value for leg in spec.legs),
        max_action_delay_ms=max_action_delay_ms,
    )


def refusal(
    file: Path, field: str, expected: object, got: object, todo: str = EXPORT_ANEW
) -> ConfigError:
    """The error for one field."""
    return ConfigError(
        f"expected {field} = {expected!r} in the metadata of {file}, got {got!r}; {todo}",
        ErrorCode.POLICY_REFUSED,
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) or isinstance(other, tuple):
        ones, others = (list(v) if isinstance(v, tuple) else [v] for v in (one, other))
        return len(ones) == len(others) and all(map(_same, ones, others))
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    try:
        return bool(np.isclose(float(one), float(other), rtol=1e-6, atol=1e-9))
    except (TypeError, ValueError):
        return False
