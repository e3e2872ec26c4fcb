"""In which precision an embedded model learns on this processor."""

from __future__ import annotations

from typing import Any


def fast_dtype() -> Any:
    """Return ``torch.bfloat16`` where the processor multiplies it itself, else ``torch.float32``.

    A processor with AVX2 alone emulates it: a matrix product takes forty times as long there as in
    float32.
    """
    import torch

    able = torch.cpu.get_capabilities()
    native = any(able.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return torch.bfloat16 if native else torch.float32


def fast_math() -> Any:
    """Return the context in which a model of float32 weights learns and looks fastest."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=fast_dtype() == torch.bfloat16)
