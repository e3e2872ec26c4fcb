"""What training keeps, as safetensors: no file of ours runs code when it is read.

A state is tensors, numbers, text and None in lists and dictionaries. Its tensors are named by
their place (``learner/networks/actor.0.weight``); all else is one JSON text in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save, save_file
from torch import Tensor

from fmrl_robot.errors import ConfigError
from fmrl_robot.files import replacing

STATE = "state"
"""The metadata's key."""
TENSOR, ITEMS = "$tensor", "$items"
"""Mark a tensor's name, and a dictionary's pairs where its keys are not all text."""


def write_state(state: Any, file: Path) -> None:
    """Write a state beside ``file`` and rename it, so that a kill leaves the last one whole.

    Raises:
        ConfigError: there was no room, or no permission; the last one stays.
    """
    text, tensors = _apart(state)
    with replacing(file) as beside:
        try:
            save_file(tensors, beside, metadata={STATE: text})
        except SafetensorError as error:  # which is no OSError, for those of the system too
            raise OSError(str(error)) from error


def read_state(file: Path, device: torch.device | str = "cpu") -> Any:
    """Read what ``write_state`` wrote; tensors that were not on the CPU go to ``device``.

    Tuples come back as lists.

    Raises:
        ConfigError: the file is not one of those.
    """
    with _opened(file) as (plain, found):
        tensors = {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118
        return _whole(plain, tensors, device)


def read_plain(file: Path) -> Any:
    """Read a state with names in the place of tensors: what it is, without loading it.

    Raises:
        ConfigError: the file is not one of those.
    """
    with _opened(file) as (plain, _):
        return plain


@contextmanager
def _opened(file: Path) -> Generator[tuple[Any, Any]]:
    """Give the state with names in the place of tensors, and where those are."""
    try:
        with safe_open(file, "pt") as found:
            yield json.loads((found.metadata() or {})[STATE]), found
    except (SafetensorError, KeyError, ValueError) as error:
        raise ConfigError(
            f"expected a state of this library (safetensors) at {file}, got {error}; "
            "train anew, or copy it again"
        ) from error


def packed(state: Any) -> tuple[bytes, bytes]:
    """A state as the two messages that ``unpacked`` reads."""
    text, tensors = _apart(state)
    return text.encode(), save(tensors)


def unpacked(text: bytes, tensors: bytes) -> Any:
    """A state, on the CPU, out of two messages."""
    return _whole(json.loads(text), load(tensors), "cpu")


def _apart(state: Any) -> tuple[str, dict[str, Tensor]]:
    tensors: dict[str, Tensor] = {}
    return json.dumps(_plain(state, "", tensors)), tensors


def _plain(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """The value with names where tensors were."""
    if isinstance(value, Tensor):
        # A copy: parameters may be views of one piece of memory.
        tensors[name] = value.detach().clone(memory_format=torch.contiguous_format)
        return {TENSOR: name, "on": value.device.type}
    if isinstance(value, list | tuple):
        return [_plain(v, f"{name}/{i}".lstrip("/"), tensors) for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        parts = {k: _plain(v, f"{name}/{k}".lstrip("/"), tensors) for k, v in value.items()}
        return parts if all(isinstance(k, str) for k in parts) else {ITEMS: list(parts.items())}
    return value


def _whole(value: Any, tensors: Mapping[str, Tensor], device: torch.device | str) -> Any:
    """The reverse of ``_plain``."""
    if isinstance(value, list):
        return [_whole(v, tensors, device) for v in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        tensor = tensors[value[TENSOR]]
        return tensor if value["on"] == "cpu" else tensor.to(device)
    pairs = value.get(ITEMS, value.items())
    return {k: _whole(v, tensors, device) for k, v in pairs}
