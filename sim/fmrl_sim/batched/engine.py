"""Many copies of one model stepped together; states are torch tensors on the engine's device.

Tasks are written against :class:`Engine` alone, so that one definition runs on ``mujoco.batch``
(CPU) and on ``mujoco_warp`` (GPU, or the CPU for tests).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fmrl_robot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    import mujoco
    import torch

    from fmrl_robot.types import FloatArray

STATES = ("qpos", "qvel", "ctrl", "time", "qacc_warmstart", "mocap_pos", "mocap_quat")
"""What a task may write; everything else is an output."""


class Engine(Protocol):
    """Physics of ``count`` worlds."""

    model: mujoco.MjModel
    count: int
    device: torch.device

    def field(self, name: str) -> torch.Tensor:
        """A live view of an MjData field, shape (count, ...).

        Those of STATES can be written. The others are outputs: of the state before the last
        physics step, as after ``mj_step``, so a world whose state was written has old ones until it
        is stepped.
        """
        ...

    def vary(self, name: str, values: FloatArray) -> None:
        """Give each world its own values (count, ...) of a field named in ``varied``."""
        ...

    def set_const(self) -> None:
        """Let the constants that follow from masses and inertias follow what was varied."""
        ...

    def step(self, controls: torch.Tensor) -> None:
        """One physics step for each column of ``controls`` (count, substeps, nu)."""
        ...


def make_engine(
    kind: str,
    model: mujoco.MjModel,
    count: int,
    *,
    substeps: int,
    varied: Collection[str] = (),
    threads: int = 0,
) -> Engine:
    """Build an engine.

    Args:
        kind: ``cpu`` (mujoco.batch), ``warp:cpu``, ``warp:cuda`` or ``warp:cuda:N``.
        model: of every world.
        count: worlds.
        substeps: physics steps of each call of ``step``.
        varied: model fields in which worlds will differ.
        threads: of the CPU engine; 0: one a core.

    Raises:
        ConfigError: no such engine.
    """
    name, _, device = kind.partition(":")
    if name == "cpu":
        from fmrl_sim.batched.cpu import CpuEngine

        return CpuEngine(model, count, threads=threads)
    if name == "warp":
        from fmrl_sim.batched.warp import WarpEngine

        return WarpEngine(model, count, substeps=substeps, varied=varied, device=device or "cuda")
    raise ConfigError(f"expected an engine cpu, warp:cpu or warp:cuda, got {kind!r}")
