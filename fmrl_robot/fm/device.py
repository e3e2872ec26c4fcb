"""Where a model computes, in which precision, and how much of the machine it takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fmrl_robot.errors import ConfigError, ErrorCode

if TYPE_CHECKING:
    import torch

ENV_DEVICE = "FMRL_DEVICE"
"""Environment variable with the device of models that are loaded by name alone."""
MAX_THREADS = 2
"""Planning must leave the cores to control."""
_DTYPES = ("float32", "bfloat16", "float16")


def leave_cores_to_control() -> None:
    """Let torch compute on few threads that sleep while they wait.

    Threads that spin take from control what their number leaves it, and on a busy machine each of
    the many small steps of an answer waits for one that is not scheduled: a plan took thirty times
    as long. OpenMP reads this setting when torch is imported first; later only the number counts.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))


def choose_device(device: str | None) -> torch.device:
    """Return the device asked for, else that of ``FMRL_DEVICE``, else the processor.

    Raises:
        ConfigError: it is no device, or this machine or this torch has none such.
    """
    import torch

    name = device or os.environ.get(ENV_DEVICE, "") or "cpu"
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"expected a device such as cpu or cuda, got {name!r}") from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"expected a GPU for device {name!r}, torch finds none; use cpu",
            ErrorCode.CAPABILITY_MISSING,
        )
    return chosen


def choose_dtype(dtype: str | None, device: torch.device) -> torch.dtype:
    """Return the precision asked for, else float32 on a processor and bfloat16 on a GPU.

    Raises:
        ConfigError: it is none of the known ones.
    """
    import torch

    name = dtype or ("float32" if device.type == "cpu" else "bfloat16")
    if name not in _DTYPES:
        raise ConfigError(f"expected one of {', '.join(_DTYPES)}, got dtype {name!r}")
    return getattr(torch, name)
