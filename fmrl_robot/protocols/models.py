"""What can be asked of models, split by capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch

    from fmrl_robot.fm.exposed import Choices, Exposed
    from fmrl_robot.types import (
        Completion,
        ContinuationScores,
        FloatBatch,
        Image,
    )


class Generates(Protocol):
    """Text in, text out."""

    model_id: str

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        grammar: str | None = None,
        schema: Mapping[str, Any] | None = None,
        stop: Sequence[str] = (),
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        logprobs: bool = False,
        images: Sequence[Image] = (),
        role: str = "plan",
    ) -> tuple[Completion, ...]:
        """Complete ``prompt`` ``n`` times.

        Args:
            prompt: as plain text; a chat model is asked it as a user.
            n: how many samples.
            grammar: GBNF that the answer never leaves.
            schema: JSON schema that the answer fits; not together with ``grammar``.
            stop: the answer ends before the first of these strings.
            max_tokens: of each answer.
            temperature: 0 takes the likeliest token.
            top_p: share of probability that is sampled from.
            seed: of sampling.
            logprobs: whether to fill ``Completion.token_logprobs``, by the model's own
                distribution before temperature, grammar and top_p.
            images: RGB uint8 (height, width, 3) that the prompt is about; only for a model with
                ``Images``.
            role: what it is asked for, for the bill.

        Raises:
            Retryable: the answer was cut off or left what it was held to; asking again may help.
            Terminal: the model cannot be reached, or the question is too long for it.
            ConfigError: the model cannot do what was asked for.
        """
        ...


class Scores(Protocol):
    """Log-probabilities of given continuations.

    Pictures are part of a prompt, as in Generates; a model without ``Images`` refuses them.
    """

    model_id: str

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        images: Sequence[Sequence[Image]] = (),
        role: str = "score",
    ) -> list[ContinuationScores]:
        """Score the continuations of each prompt; neither batch nor padding changes a figure.

        Args:
            prompts: (prompts,)
            continuations: for each prompt its own.
            images: for each prompt its own, RGB uint8 (height, width, 3); empty for none at all.
            role: what it is asked for, for the bill.

        Raises:
            Terminal: a prompt with a continuation is longer than the model reads.
            ConfigError: CAPABILITY_MISSING, there are images and the model has no ``Images``.
        """
        ...


class Embeds(Protocol):
    """Unit vectors for texts."""

    model_id: str

    def embed_texts(self, texts: Sequence[str]) -> FloatBatch:
        """Shape (texts, dim)."""
        ...


class Sees(Embeds, Protocol):
    """Unit vectors for texts, images and clips in one space."""

    def embed_images(self, images: Sequence[Image]) -> FloatBatch:
        """RGB uint8 (height, width, 3) each; shape (images, dim)."""
        ...

    def embed_clips(self, clips: Sequence[Sequence[Image]]) -> FloatBatch:
        """Frames in order of time, each RGB uint8 (height, width, 3); shape (clips, dim)."""
        ...


class Exposes(Protocol):
    """Logits and hidden states, with gradients; shapes as torch's batch first.

    Pictures reach ``forward`` only within a prompt of ``read``: token ids alone hold the places of
    pictures and not the pictures. ``forward_embeddings`` takes none; what a caller's own tower
    makes of one goes in as embeddings, like anything else that is no word.
    """

    model_id: str

    def read(self, prompt: str, images: Sequence[Image] = ()) -> Any:
        """Read a prompt as ``Generates`` does, pictures included, for ``forward``.

        Args:
            prompt: as plain text.
            images: RGB uint8 (height, width, 3) that it is about.

        Raises:
            ConfigError: CAPABILITY_MISSING, there are images and the model has no ``Images``.
        """
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        ...

    def forward(self, rows: Sequence[tuple[Any, Sequence[int]]]) -> Exposed:
        """Run (prompt, continuation ids) through the model, gradients included.

        Args:
            rows: the prompt as ``read`` returned it, or as token ids of a text.

        Raises:
            ConfigError: token ids have a place for a picture, and there is none.
        """
        ...

    def forward_choices(self, questions: Sequence[tuple[Any, Sequence[Sequence[int]]]]) -> Choices:
        """Run prompts with several continuations each, gradients included.

        The figures are those of ``forward`` over every pair; a back end may compute once what
        continuations share.

        Args:
            questions: the prompt, as for ``forward``, and the ids of each of its continuations.
        """
        ...

    def embed_tokens(self, ids: torch.Tensor) -> torch.Tensor:
        """Input embeddings of token ids (rows, tokens), shape (rows, tokens, dim)."""
        ...

    def forward_embeddings(self, embeddings: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states for inputs that need not be words, shape (rows, tokens, dim).

        Args:
            embeddings: (rows, tokens, dim).
            mask: bool (rows, tokens), False where padded.
        """
        ...


class Tunes(Exposes, Protocol):
    """Learns: LoRA adapters or all weights, with the untouched model at hand."""

    def add_adapter(self, name: str, settings: Any = None) -> None:
        """Add a LoRA adapter (fm.tuning.LoraSettings) that starts without effect."""
        ...

    def adapter(self, name: str | None) -> AbstractContextManager[None]:
        """Answer with this adapter inside of the block; None: with the untouched model."""
        ...

    def trainable(self, mode: Literal["lora", "full"]) -> list[torch.nn.Parameter]:
        """Return what an optimiser may change, and let gradients flow to nothing else."""
        ...
