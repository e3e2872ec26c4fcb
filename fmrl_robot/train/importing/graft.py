"""Puts nodes round a network, so that it takes this project's observation and gives its action.

Weights stay as they are. Each number of the network's input is one number of ours, times a gain,
plus an offset (joints in another order, another default pose, other scales, history frame by
frame), and so is each number of our action one of the network's; hence one Gather, Mul and Add on
either side. Where the trainer clipped terms, a Max and a Min follow; where the network takes its
frames as rows, a Reshape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.train.importing import terms
from fmrl_robot.train.importing.source import Source, Term
from fmrl_robot.types import FloatArray

INSIDE = "imported/"
"""Before every name of the original."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Affine:
    """``clip(gain * x[pick] + offset, low, high)``, each of shape (n,)."""

    pick: Indices
    gain: FloatArray
    offset: FloatArray
    low: FloatArray
    high: FloatArray


def observation_map(source: Source, contract: PolicyContract) -> Affine:
    """From this project's observation to the network's."""
    starts = _starts(contract)
    scales = dict(zip(contract.observation_names, contract.observation_scales, strict=True))
    frames = [
        _frame(term, source, contract, starts[term.name] + frame * len(term.scale))
        for term, frame in source.frames
    ]
    ours = [scales[term.name] for term, _ in source.frames]
    return Affine(
        pick=np.concatenate([frame.pick for frame in frames]),
        gain=np.concatenate([f.gain / s for f, s in zip(frames, ours, strict=True)]),
        offset=np.concatenate([frame.offset for frame in frames]),
        low=np.concatenate([frame.low for frame in frames]),
        high=np.concatenate([frame.high for frame in frames]),
    )


def action_map(source: Source, contract: PolicyContract) -> Affine:
    """From the network's action to this project's."""
    pick = _order(source.action_joint_names, contract.joint_names)
    ours, theirs = np.array(contract.action_scale), source.action_scale[pick]
    default = _default(source, contract.joint_names)
    return Affine(
        pick=pick,
        gain=theirs / ours,
        offset=(default - np.array(contract.default_joint_pos)) / ours,
        low=np.full(len(pick), -np.inf),
        high=np.full(len(pick), np.inf),
    )


def graft(model: onnx.ModelProto, source: Source, contract: PolicyContract) -> onnx.ModelProto:
    """Return the model between both maps; its only input and output are this project's."""
    whole = compose.add_prefix(model, INSIDE)
    graph = whole.graph
    held = {tensor.name for tensor in graph.initializer}
    (inner,) = (value for value in graph.input if value.name not in held)
    (outer,) = (value.name for value in graph.output)
    before = _nodes(graph, "observation", inner.name, observation_map(source, contract))
    rows = [d.dim_value for d in inner.type.tensor_type.shape.dim]
    if len(rows) > 2:
        before[-1].output[0] = flat = f"{inner.name}.flat"
        before.append(_reshape(graph, flat, inner.name, rows))
    after = _nodes(graph, outer, "action", action_map(source, contract))
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    sizes = {"observation": contract.observation_size, "action": contract.num_actions}
    taken, given = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in sizes.items()
    )
    graph.input.append(taken)
    graph.output.append(given)
    return whole


def _nodes(graph: onnx.GraphProto, before: str, after: str, by: Affine) -> list[onnx.NodeProto]:
    clipped = bool(np.any(np.isfinite(np.concatenate([by.low, by.high]))))
    steps = [("Mul", by.gain), ("Add", by.offset)]
    steps += [("Max", by.low), ("Min", by.high)] if clipped else []
    pick = f"{after}.pick"
    graph.initializer.append(numpy_helper.from_array(by.pick, pick))
    nodes = [helper.make_node("Gather", [before, pick], [f"{after}.Gather"], axis=1)]
    for kind, values in steps:
        name = f"{after}.{kind}.by"
        graph.initializer.append(numpy_helper.from_array(_finite(values)[None], name))
        nodes.append(helper.make_node(kind, [nodes[-1].output[0], name], [f"{after}.{kind}"]))
    nodes[-1].output[0] = after
    return nodes


def _reshape(graph: onnx.GraphProto, before: str, after: str, rows: list[int]) -> onnx.NodeProto:
    shape = f"{after}.shape"
    graph.initializer.append(numpy_helper.from_array(np.array(rows, dtype=np.int64), shape))
    return helper.make_node("Reshape", [before, shape], [after])


def _finite(values: FloatArray) -> npt.NDArray[np.float32]:
    """As float32, without infinity: a file whose numbers are not finite is not taken here."""
    most = np.finfo(np.float32).max
    return np.clip(values, -most, most).astype(np.float32)


def _starts(contract: PolicyContract) -> dict[str, int]:
    """Where each term begins in this project's observation."""
    starts: dict[str, int] = {}
    start = 0
    for name, size, history in zip(
        contract.observation_names,
        contract.observation_sizes,
        contract.observation_history_lengths,
        strict=True,
    ):
        starts[name] = start
        start += size * history
    return starts


def _frame(term: Term, source: Source, contract: PolicyContract, start: int) -> Affine:
    """One frame of a term, from this project's numbers before their scale."""
    size = len(term.scale)
    pick, gain, offset = np.arange(size), np.ones(size), np.zeros(size)
    names = source.joint_names
    if term.name in (terms.POSITION, terms.VELOCITY):
        pick = _order(contract.joint_names, names)
    if term.name == terms.POSITION:
        offset = np.array(contract.default_joint_pos)[pick] - source.default_joint_pos
    if term.name == terms.ACTION:
        names = source.action_joint_names
        pick = _order(contract.joint_names, names)
        gain = np.array(contract.action_scale)[pick] / source.action_scale
        offset = np.array(contract.default_joint_pos)[pick] - _default(source, names)
        offset /= source.action_scale
    if term.name == terms.WINDOW:
        legs = _order(contract.leg_order, source.leg_order)
        pick = (legs[:, None] * loco.WINDOW + np.arange(loco.WINDOW)).reshape(-1)
    # A scale below 0 turns the bounds round.
    low, high = np.sort(np.outer(term.clip, term.scale), axis=0)
    return Affine(
        pick=start + pick, gain=gain * term.scale, offset=offset * term.scale, low=low, high=high
    )


def _order(have: tuple[str, ...], want: tuple[str, ...]) -> Indices:
    """Where in ``have`` each of ``want`` stands."""
    return np.array([have.index(name) for name in want], dtype=np.int64)


def _default(source: Source, names: tuple[str, ...]) -> FloatArray:
    return source.default_joint_pos[_order(source.joint_names, names)]
