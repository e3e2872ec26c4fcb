"""An actor that commutes with a mirror: SayTap's double pass.

Its answer is ``(pi(s) + flip(pi(flip s))) / 2``. The symmetry is exact and travels with the
exported file, so that a robot whose left and right are exchanged does the mirrored thing without
any augmentation of the data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from rsl_rl.models import MLPModel
from torch import nn


class MirrorPass(nn.Module):
    """Averages a network's answer with the mirrored answer to the mirrored question."""

    observation_swap: torch.Tensor
    observation_sign: torch.Tensor
    action_swap: torch.Tensor
    action_sign: torch.Tensor

    def __init__(
        self,
        body: nn.Module,
        observation: tuple[np.ndarray, np.ndarray],
        action: tuple[np.ndarray, np.ndarray],
    ) -> None:
        super().__init__()
        self.body = body
        for name, (swap, sign) in (("observation", observation), ("action", action)):
            self.register_buffer(f"{name}_swap", torch.as_tensor(swap))
            self.register_buffer(f"{name}_sign", torch.as_tensor(sign, dtype=torch.float32))

    def __getitem__(self, index: int) -> Any:
        """Layers of the network, as initialisers of distributions address them."""
        return self.body[index]  # pyright: ignore[reportIndexIssue]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Act on observations (n, size); both passes run as one batch."""
        mirrored = x[:, self.observation_swap] * self.observation_sign
        plain, other = self.body(torch.cat([x, mirrored])).chunk(2)
        return 0.5 * (plain + other[:, self.action_swap] * self.action_sign)


class SymmetricMLPModel(MLPModel):
    """rsl_rl's MLP actor behind a MirrorPass; ``mirror`` holds lists of swaps and signs."""

    def __init__(self, *args: Any, mirror: dict[str, list[float]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mlp = MirrorPass(
            self.mlp,
            (np.array(mirror["observation_swap"]), np.array(mirror["observation_sign"])),
            (np.array(mirror["action_swap"]), np.array(mirror["action_sign"])),
        )
