"""What a model shows of its inside for one batch: logits, hidden states, and which are padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposed:
    """Of rows of (prompt, continuation); gradients flow through every tensor."""

    ids: torch.Tensor
    """Tokens of the continuations, shape (rows, tokens); padded on the right."""
    mask: torch.Tensor
    """True where ``ids`` is no padding, bool, shape (rows, tokens)."""
    logits: torch.Tensor
    """What the model expected in the place of each token, shape (rows, tokens, vocabulary)."""
    hidden: torch.Tensor
    """Last layer's states, shape (rows, tokens + 1, dim): before each token, and after the last.

    ``hidden[:, 0]`` is the state at the last real token of the prompt; a row's state after its last
    token stands at the number of its tokens."""

    @property
    def token_logprobs(self) -> torch.Tensor:
        """Natural log-probability of each token, 0 where padded, shape (rows, tokens)."""
        chosen = self.logits.log_softmax(dim=-1).gather(-1, self.ids[:, :, None])[:, :, 0]
        return chosen.masked_fill(~self.mask, 0.0)
