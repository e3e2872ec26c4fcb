"""Physics on a GPU: ``mujoco_warp`` in float32, its steps captured in one CUDA graph."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import torch
import warp as wp

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import FloatArray

MAX_CONTACTS = 24
"""Room for contacts in each world, on average over all of them."""
MAX_CONSTRAINTS = 120
"""Room for constraints in each world."""


_DERIVED = ("body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0")
"""What follows from varied masses and inertias, and so differs from world to world too."""


class WarpEngine:
    """Implements Engine in float32."""

    def __init__(
        self,
        model: mujoco.MjModel,
        count: int,
        *,
        substeps: int,
        varied: Collection[str] = (),
        device: str = "cuda",
    ) -> None:
        wp.config.quiet = True
        self.model, self.count, self.device = model, count, torch.device(device)
        self._warp_device = wp.get_device(device)
        with wp.ScopedDevice(self._warp_device):
            # mujoco_warp never restarts a diverged world, and so does not know the flag against it.
            plain = copy.copy(model)
            plain.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
            self._model: Any = mjw.put_model(plain, dict.fromkeys((*varied, *_DERIVED), count))
            data = mujoco.MjData(model)
            mujoco.mj_kinematics(model, data)
            self._data: Any = mjw.put_data(
                model, data, nworld=count, nconmax=MAX_CONTACTS, njmax=MAX_CONSTRAINTS
            )
            self._controls = wp.zeros((substeps, count, model.nu), dtype=wp.float32)
        self._inputs = wp.to_torch(self._controls)
        self._rows: list[Any] = [self._controls[k] for k in range(substeps)]
        self._graph: Any = None

    def field(self, name: str) -> torch.Tensor:
        """See Engine."""
        return wp.to_torch(getattr(self._data, name))

    def vary(self, name: str, values: FloatArray) -> None:
        """See Engine."""
        target = wp.to_torch(getattr(self._model, name))
        if len(target) != self.count:
            raise ConfigError(f"expected {name} among the engine's varied fields; name it there")
        target.copy_(torch.as_tensor(np.asarray(values, dtype=np.float32)).view(target.shape))

    def set_const(self) -> None:
        """See Engine."""
        with wp.ScopedDevice(self._warp_device):
            mjw.set_const(self._model, self._data)

    def step(self, controls: torch.Tensor) -> None:
        """See Engine."""
        self._inputs.copy_(controls.transpose(0, 1))
        with wp.ScopedDevice(self._warp_device):
            if self._graph is not None:
                wp.capture_launch(self._graph)
            elif self._warp_device.is_cuda:
                self._substeps()  # compiles what the capture needs
                with wp.ScopedCapture() as capture:
                    self._substeps()
                self._graph = capture.graph
            else:
                self._substeps()

    def _substeps(self) -> None:
        for row in self._rows:
            wp.copy(self._data.ctrl, row)
            mjw.step(self._model, self._data)
