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
    actor = actor.cpu().eval()
    seen = torch.zeros(1, contract.observation_size)
    _check(actor, seen, contract.num_actions)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".traced.{file.name}.{os.getpid()}")
    torch.onnx.export(
        actor,
        (seen,),
        str(temporary),
        opset_version=OPSET,
        input_names=["observation"],
        output_names=["action"],
        dynamo=False,
    )
    write_model(onnx.load(str(temporary)), contract, file)
    temporary.unlink()


@torch.no_grad()
def _check(actor: nn.Module, seen: torch.Tensor, actions: int) -> None:
    try:
        found = tuple(actor(seen).shape)
    except RuntimeError as error:
        found = error
    if found != (1, actions):
        raise ConfigError(
            f"expected an actor from {seen.shape[1]} observations to {actions} actions, got "
            f"{found}; the task's contract and its observations disagree",
            ErrorCode.POLICY_REFUSED,
        )


def rewrite_contract(file: Path, contract: PolicyContract, **changes: str) -> PolicyContract:
    """Replace fields of the contract in an existing file; return the new contract."""
    changed = replace(contract, **changes)
    write_model(onnx.load(str(file)), changed, file)
    return changed
