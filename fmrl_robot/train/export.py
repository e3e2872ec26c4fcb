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
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    torch.onnx.export(
        actor.cpu().eval(),
        (torch.zeros(1, found[0]),),
        str(temporary),
        opset_version=OPSET,
        input_names=["observation"],
        output_names=["action"],
        dynamo=False,
    )
    _write(onnx.load(str(temporary)), contract, temporary)
    temporary.replace(file)


def rewrite_contract(file: Path, contract: PolicyContract, **changes: str) -> PolicyContract:
    """Replace fields of the contract in an existing file; return the new contract."""
    changed = replace(contract, **changes)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    _write(onnx.load(str(file)), changed, temporary)
    temporary.replace(file)
    return changed


def _write(model: onnx.ModelProto, contract: PolicyContract, file: Path) -> None:
    del model.metadata_props[:]
    for key, value in contract.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
