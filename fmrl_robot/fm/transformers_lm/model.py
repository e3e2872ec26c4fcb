"""One language model: Generates, Scores, Exposes and Tunes, with answers kept in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fmrl_robot.errors import Retryable
from fmrl_robot.fm.questions import image_digest
from fmrl_robot.fm.taught import Taught
from fmrl_robot.fm.transformers_lm import exposing, scoring
from fmrl_robot.fm.transformers_lm.adapters import Adapters
from fmrl_robot.fm.transformers_lm.generation import Sample, Wanted, Writer
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.prompts import Prompt, PromptReader
from fmrl_robot.fm.usage import AnswerCache, prompt_sha256
from fmrl_robot.types import Completion, ContinuationScores, Usage

if TYPE_CHECKING:
    import torch

    from fmrl_robot.fm.exposed import Choices, Exposed
    from fmrl_robot.fm.tuning import LoraSettings
    from fmrl_robot.types import Image


class TransformersLM:
    """A causal, encoder-decoder or vision-language model; see the protocols for what it offers."""

    def __init__(self, loaded: Loaded) -> None:
        self.model_id = loaded.model_id
        self._loaded = loaded
        self._reader = PromptReader(loaded)
        self._writer = Writer(loaded)
        self._adapters = Adapters(loaded)
        self._answers = AnswerCache()

    @property
    def module(self) -> torch.nn.Module:
        """The torch module that answers now."""
        return self._loaded.model

    @property
    def tokenizer(self) -> Any:
        """Of what the model writes."""
        return self._loaded.tokenizer

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Tokens that end an answer."""
        return self._loaded.end_ids

    @property
    def short_prompts(self) -> bool:
        """Whether this is a model trained on this project's own short prompts."""
        return self._loaded.short_prompts

    @property
    def taught(self) -> Taught | None:
        """The language that its card names; None: any."""
        return self._loaded.taught

    @property
    def sees_images(self) -> bool:
        """Whether prompts may come with pictures."""
        return self._loaded.sees_images

    # --- Generates --------------------------------------------------------------------------------

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
        """Complete ``prompt`` ``n`` times; see Generates.

        Raises:
            Retryable: an answer was cut off at ``max_tokens``.
            Terminal: prompt and answer exceed what the model can read.
            ConfigError: the grammar or schema cannot be read, or there are images and the model
                sees none.
        """
        wanted = Wanted(
            n=n, grammar=grammar, schema=schema, stop=tuple(stop), max_tokens=max_tokens,
            temperature=temperature, top_p=top_p, seed=seed if temperature else 0,
            logprobs=logprobs,
        )  # fmt: skip
        pictures = tuple(map(image_digest, images))
        key = (prompt, repr(wanted), pictures, self._adapters.state)
        # Weights that learn give other answers tomorrow.
        found = None if self._adapters.learning else self._answers.get(key)
        if found is None:
            found = self._ask(prompt, images, wanted, role)
            if not self._adapters.learning:
                self._answers.put(key, found)
        return tuple(replace(c, usage=replace(c.usage, role=role)) for c in found)

    def _ask(
        self, prompt: str, images: Sequence[Image], wanted: Wanted, role: str
    ) -> tuple[Completion, ...]:
        start = time.monotonic()
        read = self._reader.read(prompt, images)
        samples = self._writer.write(read, wanted)
        usage = Usage(
            role=role,
            model=self.model_id,
            prompt_sha256=prompt_sha256(prompt),
            seed=wanted.seed,
            prompt_tokens=read.tokens,
            completion_tokens=sum(len(s.ids) for s in {id(s): s for s in samples}.values()),
            latency_s=time.monotonic() - start,
        )
        _check_ends(samples, wanted, usage)
        return tuple(
            Completion(text=s.text, usage=usage, token_logprobs=s.logprobs, token_ids=s.ids)
            for s in samples
        )

    # --- Scores -----------------------------------------------------------------------------------

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        images: Sequence[Sequence[Image]] = (),
        role: str = "score",
    ) -> list[ContinuationScores]:
        """Score the continuations of each prompt; see Scores.

        Args:
            prompts: (prompts,)
            continuations: for each prompt its own; tokens are those of the prompt and those of the
                continuation, each by itself.
            images: for each prompt its own, RGB uint8 (height, width, 3); empty for none at all.
            role: what it is asked for, for the bill.

        Raises:
            Terminal: a prompt with a continuation exceeds what the model can read.
            ConfigError: there are images and the model sees none.
        """
        start = time.monotonic()
        pictures = images or [()] * len(prompts)
        read = [self._reader.read(p, i) for p, i in zip(prompts, pictures, strict=True)]
        tails = [[self._reader.encode(c) for c in several] for several in continuations]
        found = scoring.score(self._loaded, read, tails)
        share_s = (time.monotonic() - start) / max(len(prompts), 1)
        return [
            ContinuationScores(
                token_logprobs=tuple(figures),
                words=tuple(len(c.split()) for c in several),
                usage=Usage(
                    role=role,
                    model=self.model_id,
                    prompt_sha256=prompt_sha256(prompt),
                    prompt_tokens=question.tokens,
                    completion_tokens=sum(map(len, figures)),
                    latency_s=share_s,
                ),
            )
            for prompt, several, question, figures in zip(
                prompts, continuations, read, found, strict=True
            )
        ]

    # --- Exposes ----------------------------------------------------------------------------------

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens; of continuations."""
        return self._reader.encode(text)

    def encode_prompt(self, text: str) -> list[int]:
        """Token ids of a text as ``generate`` and ``score`` read it when it is the prompt."""
        return self._reader.encode_prompt(text)

    def read(self, prompt: str, images: Sequence[Image] = ()) -> Prompt:
        """Read a prompt once, pictures included, for ``forward``.

        Raises:
            ConfigError: there are images and the model sees none.
        """
        return self._reader.read(prompt, images)

    def forward(self, rows: Sequence[tuple[Sequence[int] | Prompt, Sequence[int]]]) -> Exposed:
        """Run (prompt, continuation ids) through the model, gradients included; see Exposes.

        Args:
            rows: the prompt as ids of ``encode_prompt`` or as what ``read`` returned. Of an
                encoder-decoder the state before the first token is that at the start mark.

        Raises:
            Terminal: a row exceeds what the model can read.
            ConfigError: ids have a place for a picture; give what ``read`` returned.
            ValueError: there are no rows.
        """
        prompts = [p if isinstance(p, Prompt) else self._reader.from_ids(p) for p, _ in rows]
        return exposing.forward(self._loaded, prompts, [ids for _, ids in rows])

    def forward_choices(
        self, questions: Sequence[tuple[Sequence[int] | Prompt, Sequence[Sequence[int]]]]
    ) -> Choices:
        """Run prompts with several continuations each, gradients included; see Exposes.

        Where the model allows it (a decoder alone that attends to everything before a token), the
        prompt and what continuations begin with are computed once.

        Args:
            questions: the prompt, as for ``forward``, and the ids of its continuations.

        Raises:
            Terminal: a prompt with a continuation exceeds what the model can read.
            ValueError: there are no prompts, or one has no continuations.
        """
        prompts = [p if isinstance(p, Prompt) else self._reader.from_ids(p) for p, _ in questions]
        return exposing.forward_choices(self._loaded, prompts, [c for _, c in questions])

    def embed_tokens(self, ids: torch.Tensor) -> torch.Tensor:
        """Input embeddings of token ids (rows, tokens), shape (rows, tokens, dim)."""
        return exposing.embed_tokens(self._loaded, ids)

    def forward_embeddings(self, embeddings: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states for inputs that need not be words; see Exposes.

        Of an encoder-decoder they are the encoder's; pad on its right, for its positions may be
        those of the array.
        """
        return exposing.forward_embeddings(self._loaded, embeddings, mask)

    # --- Tunes ------------------------------------------------------------------------------------

    def add_adapter(self, name: str, settings: LoraSettings | None = None) -> None:
        """Add a LoRA adapter that starts without effect; it answers outside of ``adapter`` blocks.

        Raises:
            ConfigError: peft is not installed, the name is taken or the model has no such layers.
        """
        self._adapters.add(name, settings)

    def adapter(self, name: str | None) -> AbstractContextManager[None]:
        """Answer with this adapter inside of the block; None: with the untouched model.

        Blocks nest, and leave everything as they found it, also by an exception.

        Raises:
            ConfigError: there is no such adapter.
        """
        return self._adapters.use(name)

    def trainable(self, mode: Literal["lora", "full"]) -> list[torch.nn.Parameter]:
        """Return what an optimiser may change, and let gradients flow to nothing else.

        ``lora`` means the adapter that answers now. With ``full`` a copy of the model is kept, for
        ``adapter(None)`` to answer with.

        Raises:
            ConfigError: the mode is unknown, or there is no adapter to learn.
        """
        return self._adapters.trainable(mode)

    def training_mode(self) -> AbstractContextManager[None]:
        """Let dropout act inside of the block; outside of it every figure can be repeated."""
        return self._adapters.training_mode()

    def save_adapter(self, name: str, folder: Path | str) -> None:
        """Write an adapter to a folder, as peft does, in safetensors.

        Raises:
            ConfigError: there is no such adapter.
        """
        self._adapters.save(name, Path(folder))

    def load_adapter(self, name: str, folder: Path | str) -> None:
        """Read an adapter from a folder; it answers outside of ``adapter`` blocks.

        Raises:
            ConfigError: there is none, it does not fit the model, or the name is taken.
        """
        self._adapters.load(name, Path(folder))


def _check_ends(samples: Sequence[Sample], wanted: Wanted, usage: Usage) -> None:
    cut = [s for s in samples if not s.ended]
    if cut:
        error = Retryable(
            f"expected answers that end, {len(cut)} of {len(samples)} answers did not end within "
            f"{wanted.max_tokens} tokens: {cut[0].text[:80]!r}; answer more briefly, or allow more "
            "tokens"
        )
        error.usage = usage
        raise error
