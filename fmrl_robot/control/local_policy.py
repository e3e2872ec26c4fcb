"""An arm's local policies from their files, under the contract that every policy keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.contract import PolicyContract, contract_for
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray


def local_contract(spec: RobotSpec) -> PolicyContract:
    """Return what a local policy of this arm has to state."""
    terms = zip(ls.OBSERVATION_NAMES, ls.OBSERVATION_SIZES, ls.OBSERVATION_SCALES, strict=True)
    return contract_for(
        spec,
        observations=tuple(terms),
        action_scale=ls.ACTION_SCALE,
        command_names=("target_offset", "target_yaw_error"),
        max_action_delay_ms=0.0,
    )


WRIST_PX = 48
"""Edge of the wrist camera's picture, as a policy that sees takes it."""
WRIST_IMAGE = "wrist_image"
"""Term of its observation: RGB from 0 to 1, channel by channel, row by row."""
FELT = ls.OBSERVATION_NAMES[2:]
"""Terms that need no estimate of the target."""


def wrist_contract(spec: RobotSpec) -> PolicyContract:
    """Return what a policy has to state that sees the target itself, and is told nothing of it."""
    sizes = dict(zip(ls.OBSERVATION_NAMES, ls.OBSERVATION_SIZES, strict=True))
    scales = dict(zip(ls.OBSERVATION_NAMES, ls.OBSERVATION_SCALES, strict=True))
    picture = (WRIST_IMAGE, 3 * WRIST_PX**2, 1.0)
    return contract_for(
        spec,
        observations=(picture, *((name, sizes[name], scales[name]) for name in FELT)),
        action_scale=ls.ACTION_SCALE,
        command_names=(),
        max_action_delay_ms=0.0,
    )


class LocalPolicy:
    """One local skill's network."""

    def __init__(self, spec: RobotSpec, skill: ls.LocalSkill, folder: Path) -> None:
        """Load and check ``folder/<robot>-<skill>/policy.onnx``.

        Raises:
            ConfigError: POLICY_MISSING or POLICY_REFUSED, naming the field.
        """
        self.skill = skill
        file = folder / f"{spec.name}-{skill.name}" / "policy.onnx"
        self._runner = PolicyRunner(file, local_contract(spec))

    def __call__(self, terms: dict[str, FloatArray]) -> FloatArray:
        """Return actions (n, 5) for observation terms by name, each of shape (n, size)."""
        rows = len(next(iter(terms.values())))
        return np.stack(
            [self._runner.act({name: t[i] for name, t in terms.items()}) for i in range(rows)]
        )
