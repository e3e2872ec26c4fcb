"""From a trained actor, and its critic, to ONNX files that carry the contract.

The exporter that traces (``dynamo=False``) is used on purpose: it leaves one file, where the other
puts the weights into a second one beside it.
"""

from __future__ import annotations

import json
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
    write_model(_traced(actor, seen, file, "action"), contract, file)


def export_critic(
    critic: nn.Module, inputs: int, contract: PolicyContract, file: Path, **told: float | str
) -> None:
    """Write a plain critic, from what it reads to a value, beside the actor that it judges.

    Args:
        critic: from (1, inputs) to (1, 1).
        inputs: numbers that it reads; more than the actor's where it was told more in training.
        contract: of the actor.
        file: to write.
        told: what else has to be known to use it, such as ``gamma``; metadata besides the contract.

    Raises:
        ConfigError: the critic's sizes are others.
    """
    critic = critic.cpu().eval()
    seen = torch.zeros(1, inputs)
    _check(critic, seen, 1)
    more = {"role": "critic", "critic_observation_size": inputs, **told}
    model = _traced(critic, seen, file, "value")
    write_model(model, contract, file, **{k: json.dumps(v) for k, v in more.items()})


def _traced(network: nn.Module, seen: torch.Tensor, file: Path, output: str) -> onnx.ModelProto:
    """The network as ONNX, by way of a file beside ``file``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".traced.{file.name}.{os.getpid()}")
    torch.onnx.export(
        network,
        (seen,),
        str(temporary),
        opset_version=OPSET,
        input_names=["observation"],
        output_names=[output],
        dynamo=False,
    )
    model = onnx.load(str(temporary))
    temporary.unlink()
    return model


@torch.no_grad()
def _check(actor: nn.Module, seen: torch.Tensor, actions: int) -> None:
    try:
        found = tuple(actor(seen).shape)
    except RuntimeError as error:
        found = error
    if found != (1, actions):
        raise ConfigError(
            f"expected a network from {seen.shape[1]} observations to {actions} numbers, got "
            f"{found}; the task's contract and its observations disagree",
            ErrorCode.POLICY_REFUSED,
        )


def rewrite_contract(file: Path, contract: PolicyContract, **changes: str) -> PolicyContract:
    """Replace fields of the contract in an existing file; return the new contract."""
    changed = replace(contract, **changes)
    write_model(onnx.load(str(file)), changed, file)
    return changed
