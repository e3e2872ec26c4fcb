"""Writing answers: all samples of one prompt in one batch of ``transformers.generate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.grammar import GrammarConstraint
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.prompts import Prompt
from fmrl_robot.fm.transformers_lm.sampling import Recorder, StopStrings, seeded

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How an answer shall be; see Generates."""

    n: int = 1
    grammar: str | None = None
    schema: Mapping[str, Any] | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False

    def __post_init__(self) -> None:
        if self.n < 1 or self.max_tokens < 1:
            raise ConfigError(
                f"expected at least one sample and one token, got n={self.n} and "
                f"max_tokens={self.max_tokens}"
            )
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ConfigError(
                "expected a temperature of at least 0 and top_p in (0, 1], got "
                f"{self.temperature} and {self.top_p}"
            )
        if not 0 <= self.seed < 2**64:
            raise ConfigError(f"expected a seed from 0 to 2**64 - 1, got {self.seed}")
        if self.grammar is not None and self.schema is not None:
            raise ConfigError("expected a grammar or a schema, got both; give one")
        if any(not s for s in self.stop):
            raise ConfigError("expected stop strings, got an empty one; it would end every answer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One answer as tokens and as text."""

    text: str
    ids: tuple[int, ...]
    """Tokens written, with those of the end mark or of the stop string."""
    logprobs: tuple[float, ...]
    """Of each token, by the model's own distribution; empty unless asked for."""
    ended: bool
    """False where it was cut off."""


class Writer:
    """Asks the loaded model to go on from a prompt."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def write(self, prompt: Prompt, wanted: Wanted) -> list[Sample]:
        """Return ``wanted.n`` samples.

        Raises:
            Terminal: prompt and answer exceed what the model can read.
            ConfigError: the grammar or schema cannot be read.
        """
        import torch

        loaded = self._loaded
        prefix = len(prompt.ids)
        loaded.check_length(len(prompt.encoder_ids), prefix + wanted.max_tokens)
        sampled = wanted.temperature > 0
        recorder = Recorder() if wanted.logprobs else None
        held = wanted.grammar is not None or wanted.schema is not None
        processors: list[Any] = [recorder] if recorder else []
        if held:
            processors.append(self._constraint.processor(wanted.grammar, wanted.schema))
        stops = StopStrings(wanted.stop, loaded.tokenizer, prefix) if wanted.stop else None
        with (
            torch.inference_mode(),
            seeded(wanted.seed, loaded.device) if sampled else nullcontext(),
        ):
            sequences = loaded.model.generate(
                **self._inputs(prompt),
                generation_config=self._settings(wanted),
                logits_processor=processors,
                stopping_criteria=[stops] if stops else [],
            )
        logprobs = recorder.finish(sequences).tolist() if recorder else [[]] * len(sequences)
        samples = [
            self._sample(ids, own, wanted, stops, held)
            for ids, own in zip(sequences[:, prefix:].tolist(), logprobs, strict=True)
        ]
        # The likeliest answer is the same however often it is asked for.
        return samples if sampled else samples * wanted.n

    @cached_property
    def _constraint(self) -> GrammarConstraint:
        loaded = self._loaded
        if not loaded.end_ids:
            raise ConfigError(
                f"expected an end mark for constrained generation, {loaded.model_id!r} has none",
                ErrorCode.CAPABILITY_MISSING,
            )
        return GrammarConstraint(loaded.tokenizer, loaded.vocabulary, loaded.end_ids)

    def _settings(self, wanted: Wanted) -> Any:
        from transformers import GenerationConfig

        options: dict[str, Any] = {"do_sample": False}
        if wanted.temperature > 0:
            options = {
                "do_sample": True, "temperature": wanted.temperature, "top_k": 0,
                "top_p": wanted.top_p, "num_return_sequences": wanted.n,
            }  # fmt: skip
        if self._loaded.compiled:
            options["cache_implementation"] = "static"
        return GenerationConfig(max_new_tokens=wanted.max_tokens, num_beams=1, **options)

    def _inputs(self, prompt: Prompt) -> dict[str, torch.Tensor]:
        import torch

        device = self._loaded.device
        read = torch.tensor([prompt.encoder_ids or prompt.ids], device=device)
        inputs = {"input_ids": read, "attention_mask": torch.ones_like(read)}
        if self._loaded.seq2seq:
            inputs["decoder_input_ids"] = torch.tensor([prompt.ids], device=device)
        return inputs | self._loaded.to_device(prompt.pictures)

    def _sample(
        self, ids: list[int], logprobs: list[float], wanted: Wanted, stops: StopStrings | None,
        held: bool,
    ) -> Sample:  # fmt: skip
        """Cut the padding behind a row's end, and the stop string off its text."""
        ends = frozenset(self._loaded.end_ids)
        length = next((i + 1 for i, token in enumerate(ids) if token in ends), len(ids))
        ended = bool(ids) and ids[length - 1] in ends
        text = self._text(ids[:length], held)
        place = stops.found(text) if stops else None
        if stops and place is not None:
            length, ended, text = self._stopped(ids[:length], stops, held), True, text[:place]
        return Sample(
            text=text, ids=tuple(ids[:length]), logprobs=tuple(logprobs[:length]), ended=ended
        )

    def _stopped(self, ids: list[int], stops: StopStrings, held: bool) -> int:
        """How many tokens it takes until a stop string stands in the text."""
        counts = range(1, len(ids))
        found = (n for n in counts if stops.found(self._text(ids[:n], held)) is not None)
        return next(found, len(ids))

    def _text(self, ids: Sequence[int], held: bool) -> str:
        if held:
            return self._constraint.text(ids)
        return self._loaded.tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
