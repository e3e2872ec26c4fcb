"""Physics on the CPU: ``mujoco.batch``, bit-identical to a loop of ``mj_step``."""

from __future__ import annotations

import warnings

import mujoco
import torch
from mujoco.batch import Batch

from fmrl_robot.types import FloatArray


class CpuEngine:
    """Implements Engine in float64."""

    def __init__(self, model: mujoco.MjModel, count: int, *, threads: int = 0) -> None:
        self.model, self.count, self.device = model, count, torch.device("cpu")
        self._batch = Batch(model, count, threads)

    def field(self, name: str) -> torch.Tensor:
        """See Engine."""
        with warnings.catch_warnings():
            # Outputs are read-only arrays, of which torch has no notion.
            warnings.simplefilter("ignore", UserWarning)
            return torch.from_numpy(self._batch.bind(name))

    def vary(self, name: str, values: FloatArray) -> None:
        """See Engine; any field may be varied."""
        self._batch.expand(name)[:] = values

    def set_const(self) -> None:
        """See Engine."""
        self._batch.set_const()

    def step(self, controls: torch.Tensor) -> None:
        """See Engine."""
        # One call for all of a period's steps: threads meet once, and a robot stays in the cache.
        self._batch.rollout(
            controls.shape[1], controls.numpy(), int(mujoco.mjtState.mjSTATE_CTRL), record=()
        )
