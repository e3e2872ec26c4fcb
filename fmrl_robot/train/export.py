"""From a trained actor to one ONNX file that carries its contract.

The exporter that traces (``dynamo=False``) is used on purpose: it leaves one file, where the other
puts the weights into a second one beside it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from torch import nn

from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.onnx_file import write_model

OPSET = 18


def export_policy(actor: nn.Module, contract: PolicyContract, file: Path) -> None:
    """Write a plain actor, from observations to mean actions, whole or not at all.

    Raises:
        ConfigError: the actor's sizes contradict the contract.
    """
    expected = (contract.observation_size, contract.num_actions)
    layers = [layer for layer in actor.modules() if isinstance(layer, nn.Linear)]
    found = (layers[0].in_features, layers[-1].out_features)
    if found != expected:
        raise ConfigError(
            f"expected an actor with (inputs, outputs) = {expected}, got {found!r}; "
            "the task's contract and its observations disagree",
            ErrorCode.POLICY_REFUSED,
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".traced.{file.name}.{os.getpid()}")
    torch.onnx.export(
        actor.cpu().eval(),
        (torch.zeros(1, found[0]),),
        str(temporary),
        opset_version=OPSET,
        input_names=["observation"],
        output_names=["action"],
        dynamo=False,
    )
    write_model(onnx.load(str(temporary)), contract, file)
    temporary.unlink()


def rewrite_contract(file: Path, contract: PolicyContract, **changes: str) -> PolicyContract:
    """Replace fields of the contract in an existing file; return the new contract."""
    changed = replace(contract, **changes)
    write_model(onnx.load(str(file)), changed, file)
    return changed
