"""Runs a policy file: checks its contract, builds its observations by name, asks the network.

One thread of onnxruntime: for networks of this size a second one costs more than it brings, and a
control loop shares its processor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]
)

from fmrl_robot.control.contract import PolicyContract, refusal
from fmrl_robot.control.foreign import with_own_choices
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray

_UNREADABLE: tuple[type[Exception], ...] = tuple(
    getattr(ort_errors, name)
    for name in ("InvalidProtobuf", "InvalidGraph", "InvalidArgument", "Fail", "NotImplemented")
)
"""What onnxruntime raises for a file that is no model it can run; they share no base."""


def open_policy(file: Path) -> ort.InferenceSession:
    """Open a policy file, in one thread.

    Raises:
        ConfigError: POLICY_MISSING, or POLICY_REFUSED where it is no model that can be run.
    """
    if not file.is_file():
        raise ConfigError(
            f"expected a policy at {file}, found none; train it with 'fmrl train' or name "
            "the folder of policies",
            ErrorCode.POLICY_MISSING,
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except _UNREADABLE as error:
        raise ConfigError(
            f"expected an ONNX file at {file}, got {error}; export it anew",
            ErrorCode.POLICY_REFUSED,
        ) from error


def terms_of(file: Path) -> tuple[str, ...]:
    """Names of the observation terms that a policy file states.

    Raises:
        ConfigError: POLICY_MISSING or POLICY_REFUSED.
    """
    metadata = open_policy(file).get_modelmeta().custom_metadata_map
    return PolicyContract.from_metadata(metadata, file).observation_names


class PolicyRunner:
    """One policy, with the history of its observations."""

    def __init__(
        self, file: Path, wanted: PolicyContract, *, trained_elsewhere: RobotSpec | None = None
    ) -> None:
        """Load and check.

        Args:
            file: the policy.
            wanted: what it has to state.
            trained_elsewhere: the robot, for a policy that may choose gains, history, period and
                latency for itself, within its bounds; None: it states what is wanted.

        Raises:
            ConfigError: POLICY_MISSING or POLICY_REFUSED, naming the field.
        """
        self._session = open_policy(file)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.contract = PolicyContract.from_metadata(metadata, file)
        if trained_elsewhere is not None:
            wanted = with_own_choices(wanted, self.contract, trained_elsewhere, file)
        self.contract.check(wanted, file)
        self._input = self._session.get_inputs()[0]
        for name, shape, size in (
            ("input shape", self._input.shape, self.contract.observation_size),
            ("output shape", self._session.get_outputs()[0].shape, self.contract.num_actions),
        ):
            if list(shape) != [1, size]:
                raise refusal(file, name, [1, size], list(shape))
        self._frames: dict[str, deque[FloatArray]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the history; the next observation fills it."""
        contract = self.contract
        pairs = zip(contract.observation_names, contract.observation_history_lengths, strict=True)
        self._frames = {name: deque(maxlen=int(length)) for name, length in pairs}

    def act(self, terms: Mapping[str, FloatArray]) -> FloatArray:
        """Return the action for observation terms by name, unscaled; shape (actions,)."""
        contract = self.contract
        parts: list[FloatArray] = []
        for name, scale in zip(
            contract.observation_names, contract.observation_scales, strict=True
        ):
            frames = self._frames[name]
            frames.append(terms[name] * scale)
            while len(frames) < (frames.maxlen or 1):
                frames.appendleft(frames[0])
            parts += frames
        observation = np.concatenate(parts, dtype=np.float32, casting="same_kind")[None]
        (action,) = self._session.run(None, {self._input.name: observation})
        return np.asarray(action, dtype=np.float64)[0]
