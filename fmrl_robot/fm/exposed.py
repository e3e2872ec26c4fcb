"""What a model shows of its inside for one batch: logits, hidden states, and which are padding.

``Exposed`` is of rows, each a prompt with one continuation; ``Choices`` of prompts, each with
several continuations that may share what they begin with.
"""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """Of prompts with several continuations each; gradients flow through every tensor.

    A *state* is a place at which a token is expected: the end of the prompt, or after a beginning
    that one or several continuations have in common. It is computed once, whoever shares it.
    """

    ids: torch.Tensor
    """Tokens of the continuations, int64, shape (prompts, continuations, tokens); padded behind."""
    mask: torch.Tensor
    """True where ``ids`` is no padding, bool, shape of ``ids``."""
    places: torch.Tensor
    """Number of the state at which each token is expected, int64, shape of ``ids``; 0 if padded."""
    logits: torch.Tensor
    """What the model expected at each state, shape (prompts, states, vocabulary)."""
    hidden: torch.Tensor
    """Last layer's states, shape (prompts, states, dim); ``hidden[:, 0]`` at the prompts' ends."""

    @property
    def token_logits(self) -> torch.Tensor:
        """Unnormalised score of each token, 0 where padded, shape of ``ids``."""
        return self._chosen(self.logits).masked_fill(~self.mask, 0.0)

    @property
    def token_logprobs(self) -> torch.Tensor:
        """Natural log-probability of each token, 0 where padded, shape of ``ids``."""
        normaliser = self.logits.logsumexp(dim=-1).gather(1, self.places.flatten(1))
        logprobs = self._chosen(self.logits) - normaliser.view_as(self.ids)
        return logprobs.masked_fill(~self.mask, 0.0)

    def before(self, values: torch.Tensor) -> torch.Tensor:
        """Lay what belongs to states, (prompts, states), out by tokens: at the state before each.

        Args:
            values: such as what a critic says of ``hidden``.

        Returns:
            Shape of ``ids``; 0 where padded.
        """
        picked = values.gather(1, self.places.flatten(1)).view_as(self.ids)
        return picked.masked_fill(~self.mask, 0.0)

    def _chosen(self, logits: torch.Tensor) -> torch.Tensor:
        prompts, _, vocabulary = logits.shape
        flat = (self.places * vocabulary + self.ids).flatten(1)
        return logits.reshape(prompts, -1).gather(1, flat).view_as(self.ids)
