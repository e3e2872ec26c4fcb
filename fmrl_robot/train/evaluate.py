"""Evaluates an exported policy on its own task and writes what came out into file and card.

What is measured is the task's business: its class offers ``evaluate(act, **settings)`` and returns
plain values. What is measured *on* is always the exported file, asked as the controller asks it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort

from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_settings, writable_file
from fmrl_robot.registry import TASKS
from fmrl_robot.train.cards import rounded, write_card
from fmrl_robot.train.export import rewrite_contract
from fmrl_robot.train.trainer import CONFIG
from fmrl_robot.types import FloatArray

POLICY, CRITIC, CARD = "policy.onnx", "critic.onnx", "card.json"


class Evaluable(Protocol):
    """What a task has to offer beyond VecEnv for its policy to be shipped."""

    def contract(self) -> PolicyContract:
        """The contract of its policies."""
        ...

    def evaluate(self, act: OnnxPolicy, **settings: Any) -> dict[str, Any]:
        """Figures of a deterministic policy; ``summary`` among them is one flat dict."""
        ...


class OnnxPolicy:
    """The exported file as a function of many observations, asked one by one on one thread."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ConfigError(
                f"expected a policy at {file}, found none; run 'fmrl train' first",
                ErrorCode.POLICY_MISSING,
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.contract = PolicyContract.from_metadata(
            self._session.get_modelmeta().custom_metadata_map, file
        )

    def __call__(self, observations: FloatArray) -> FloatArray:
        """From (n, observations) to (n, actions)."""
        rows = observations.astype(np.float32)[:, None]
        actions = [np.asarray(self._session.run(None, {self._input: row})[0]) for row in rows]
        return np.concatenate(actions).astype(np.float64)


def evaluate(task: str, folder: Path, **settings: Any) -> dict[str, Any]:
    """Evaluate ``folder``'s policy, write card and metadata, return the card.

    Args:
        task: registered name.
        folder: holds policy.onnx and config.yaml.
        settings: passed to the task's ``evaluate``.

    Raises:
        ConfigError: the task is unknown, or policy or configuration is missing or refused,
            or the card cannot be written.
    """
    policy = OnnxPolicy(folder / POLICY)
    writable_file(folder / CARD)
    config = folder / CONFIG
    if not config.is_file():
        raise ConfigError(
            f"expected the training configuration at {config}, found none; it belongs to the policy"
        )
    env: Evaluable = TASKS.load(task)(num_envs=1)
    policy.contract.check(env.contract(), folder / POLICY)
    figures = rounded(env.evaluate(policy, **settings))
    sha = hashlib.sha256(config.read_bytes()).hexdigest()
    summary = figures.pop("summary")
    rewrite_contract(
        folder / POLICY, policy.contract, config_sha256=sha, evaluation=json.dumps(summary)
    )
    card = {
        "name": folder.name,
        "task": task,
        "robot": policy.contract.robot,
        "policy_sha256": hashlib.sha256((folder / POLICY).read_bytes()).hexdigest(),
        "config_sha256": sha,
        "training": read_settings(config).get("result", {}),
        "evaluation": {"summary": summary, **figures},
    }
    write_card(folder / CARD, card)
    return card
