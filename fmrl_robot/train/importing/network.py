"""Opens an ONNX file from elsewhere and looks whether it can be a policy at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.importing.refusal import refused
from fmrl_robot.train.importing.source import Source


def read_network(file: Path) -> onnx.ModelProto:
    """Load a model, with weights that lie in a file beside it.

    Raises:
        ConfigError: POLICY_MISSING, or POLICY_REFUSED: it is no ONNX, its weights are missing or
            not finite, or it has not one input and one output of fixed size.
    """
    if not file.is_file():
        raise ConfigError(
            f"expected an ONNX file at {file}, found none; name the exported file",
            ErrorCode.POLICY_MISSING,
        )
    try:
        model = onnx.load(str(file))
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, OSError, ValueError) as error:
        todo = "export it anew; weights in a file of their own have to lie beside it"
        raise refused("the file", "a whole ONNX model", f"{file.name}: {error}", todo) from None
    for name, tensor in _tensors(model.graph):
        if not np.all(np.isfinite(tensor)):
            todo = "the training diverged: export an earlier checkpoint"
            raise refused(f"weights {name}", "finite numbers", "NaN or infinity", todo)
    return model


def check_sizes(model: onnx.ModelProto, source: Source) -> None:
    """Refuse a network whose input or output is not what the terms and joints add up to.

    Raises:
        ConfigError: POLICY_REFUSED.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    terms = ", ".join(f"{t.said} {len(t.scale)} x {t.history}" for t in source.terms)
    for what, values, size, why in (
        ("input", inputs, source.observation_size, terms),
        ("output", list(model.graph.output), len(source.action_joint_names), "one for each joint"),
    ):
        if len(values) != 1:
            todo = (
                "export the actor alone: a network with memory, or one that returns a recorded "
                "motion, is no function of the observation"
            )
            raise refused(f"{what}s of the network", "one", [v.name for v in values], todo)
        tensor = values[0].type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim]
        fits = [[1, size]]
        if what == "input" and source.by_frame:
            history = source.terms[0].history
            fits.append([1, history, size // history])
        if shape not in fits or tensor.elem_type != onnx.TensorProto.FLOAT:
            kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
            todo = "correct the terms in the side file, or export with a fixed batch of one"
            raise refused(
                f"{what} of the network",
                f"FLOAT {' or '.join(map(str, fits))} ({why})",
                f"{kind} {shape}",
                todo,
            )


def _tensors(graph: onnx.GraphProto) -> Iterator[tuple[str, np.ndarray]]:
    """Every number that the file holds, in branches too."""
    for tensor in graph.initializer:
        yield tensor.name, numpy_helper.to_array(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node.output[0], numpy_helper.to_array(attribute.t)
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
