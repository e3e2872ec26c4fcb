"""Parameters of a learner laid end to end: one step of the optimiser and one message for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def in_a_row(parameters: Sequence[Tensor], more: int = 0) -> tuple[nn.Parameter, Tensor]:
    """Make parameters, and their gradients, views of one row each.

    Args:
        parameters: of any shapes, n numbers in all.
        more: numbers that stand behind the gradients, for what else is to be told in one message.

    Returns:
        weights (n,), for the optimiser, and the row of gradients with what stands behind,
        (n + more,).
    """
    weights = nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))
    message = torch.zeros(len(weights) + more, device=weights.device)
    weights.grad = message[: len(weights)]
    sizes = [p.numel() for p in parameters]
    parts = zip(weights.detach().split(sizes), weights.grad.split(sizes), strict=True)
    for parameter, (data, gradient) in zip(parameters, parts, strict=True):
        parameter.data, parameter.grad = data.view_as(parameter), gradient.view_as(parameter)
    return weights, message
