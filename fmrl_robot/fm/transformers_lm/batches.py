"""Rows of different lengths in one tensor, and how many of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Row = TypeVar("Row")

MAX_TOKENS = 8192
"""Tokens of one forward pass, padding included; bounds memory, beyond it nothing gets faster."""
_MAX_LOGITS = 2**28
"""Numbers that one pass may put out: 1 GiB in float32."""


def token_limit(vocabulary: int) -> int:
    """How many tokens one pass may have whose logits are all wanted."""
    return max(1, min(MAX_TOKENS, _MAX_LOGITS // vocabulary))


def padded(
    rows: Sequence[Sequence[int]], pad: int, device: torch.device, *, left: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and which of them are no padding, int64 and bool, shape (rows, longest)."""
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.bool)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[i, place] = torch.tensor(row, dtype=torch.long)
        mask[i, place] = True
    return ids.to(device), mask.to(device)


def chunks(rows: Iterable[Row], length: Callable[[Row], int], limit: int) -> list[list[Row]]:
    """Group rows of similar length, each group of at most ``limit`` padded tokens or one row."""
    groups: list[list[Row]] = []
    for row in sorted(rows, key=length):
        # Sorted, so that this row is the longest of its group.
        if groups and (len(groups[-1]) + 1) * length(row) <= limit:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Place of each token among those of its row that are no padding, shape of ``mask``."""
    return (mask.long().cumsum(dim=-1) - 1).clamp(min=0)


def chosen_logprobs(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Natural log-probability of each id; logits (rows, tokens, vocabulary), ids (rows, tokens)."""
    logits = logits.float()
    chosen = logits.gather(-1, ids[:, :, None])[:, :, 0]
    return chosen - logits.logsumexp(dim=-1)
