"""Writes an ONNX model with its contract."""

from __future__ import annotations

import os
from pathlib import Path

import onnx

from fmrl_robot.control.contract import PolicyContract


def write_model(model: onnx.ModelProto, contract: PolicyContract, file: Path, **more: str) -> None:
    """Write a model whose metadata are the contract and ``more``, whole or not at all."""
    del model.metadata_props[:]
    for key, value in {**contract.to_metadata(), **more}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    onnx.save(model, str(temporary))
    temporary.replace(file)
