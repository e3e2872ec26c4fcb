"""Linear layers on the fastest matrix product that the processor has.

On a CPU torch multiplies float32 matrices by MKL, which uses half the vector width of processors
that are not Intel's; oneDNN, which torch carries too, uses all of it (a Zen 5 core with 1,536 rows:
107 and 230 GFLOP/s). Both add in float32; they differ in the order of additions alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

_PRODUCT: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
"""oneDNN's x @ weight.T + bias; None where torch was built without it."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``F.linear``: from x (..., inputs) to (..., outputs), with gradients."""
    if _PRODUCT is None or x.device.type != "cpu" or x.dtype != torch.float32:
        return F.linear(x, weight, bias)
    if x.dim() == 2:  # no views: what works in place on the answer would be slow
        return _OneDnn.apply(x, weight, bias)
    return _OneDnn.apply(x.flatten(0, -2), weight, bias).unflatten(0, x.shape[:-1])


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return _PRODUCT(x, weight, bias, "none", [], "")


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """left.T @ right; the product copies its transposed first factor: the smaller one here."""
    if left.shape[1] <= right.shape[1]:
        return _product(left.t(), right.t())
    return _product(right.t(), left.t()).t()


class _OneDnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if of_x else None,
            _outer(gradient, x) if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )
