"""How a LoRA adapter is shaped; what every back end that Tunes agrees on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LoraSettings:
    """Low-rank updates of some linear layers (Hu et al., LoRA, ICLR 2022)."""

    rank: int = 8
    alpha: float = 16.0
    """The update is scaled by ``alpha / rank``."""
    dropout: float = 0.0
    """Share of the update's inputs that are dropped while the model is in training mode."""
    targets: tuple[str, ...] = ()
    """Last part of the names of the layers to change; empty: attention's queries and values."""
