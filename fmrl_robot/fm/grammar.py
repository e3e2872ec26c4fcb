"""Generation that cannot leave a grammar or a JSON schema: xgrammar behind a few functions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm.capabilities import not_installed

if TYPE_CHECKING:
    import torch

_THREADS = 1
"""Planning must leave the cores to control."""
_COMPILED = 16
"""Grammars that are kept compiled for one model."""


class GrammarConstraint:
    """Compiles grammars for one tokenizer and hands out logits processors."""

    def __init__(self, tokenizer: Any, vocab_size: int, end_ids: Sequence[int]) -> None:
        """Read the vocabulary.

        Args:
            tokenizer: of transformers.
            vocab_size: width of the model's output layer, which may be padded beyond the words.
            end_ids: tokens that end an answer; allowed exactly where a sentence may end.
        """
        xgrammar = _xgrammar()
        self._info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=vocab_size, stop_token_ids=list(end_ids)
        )
        self._compiler = xgrammar.GrammarCompiler(self._info, max_threads=_THREADS)
        self._compiled = lru_cache(maxsize=_COMPILED)(self._compile)
        self._end_ids = frozenset(end_ids)

    def processor(
        self, grammar: str | None = None, schema: Mapping[str, Any] | None = None
    ) -> GrammarProcessor:
        """Return a fresh logits processor for one call of ``generate``.

        Args:
            grammar: GBNF, or None for ``schema``.
            schema: JSON schema.

        Raises:
            ConfigError: neither or both are given, or xgrammar cannot read what is.
        """
        if (grammar is None) == (schema is None):
            raise ConfigError("expected either a grammar or a schema, got both or neither")
        is_schema = grammar is None
        return GrammarProcessor(
            self._compiled(json.dumps(schema) if is_schema else grammar, is_schema)
        )

    def text(self, ids: Sequence[int]) -> str:
        """Join the bytes that the grammar read; a tokenizer may decode its spaces otherwise."""
        return b"".join(self._words[i] for i in ids if i not in self._end_ids).decode(
            errors="replace"
        )

    @cached_property
    def _words(self) -> list[bytes]:
        return self._info.decoded_vocab

    def _compile(self, text: str, is_schema: bool) -> Any:
        try:
            if not is_schema:
                return self._compiler.compile_grammar(text)
            # Free whitespace lets a model that has lost its way write spaces for ever.
            return self._compiler.compile_json_schema(text, any_whitespace=False)
        except (RuntimeError, ValueError) as error:
            kind = "a JSON schema" if is_schema else "a grammar in GBNF"
            raise ConfigError(
                f"expected {kind}, got {text[:120]!r}: {error}; correct it"
            ) from error


class GrammarProcessor:
    """Forbids every token by which a row of one generation would leave the grammar."""

    def __init__(self, compiled: Any) -> None:
        self._grammar = compiled
        self._live: dict[int, Any] = {}
        self._mask: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Mask ``scores`` (rows, vocabulary) in place, by what ``input_ids`` ended with."""
        import xgrammar

        if self._mask is None:
            rows = len(input_ids)
            self._live = {row: xgrammar.GrammarMatcher(self._grammar) for row in range(rows)}
            self._mask = xgrammar.allocate_token_bitmask(rows, scores.shape[-1])
        else:
            last = input_ids[:, -1].tolist()
            # What a row may not say was masked, so a refused token is the padding behind its end.
            self._live = {
                row: matcher
                for row, matcher in self._live.items()
                if matcher.accept_token(last[row]) and not matcher.is_terminated()
            }
        for row, matcher in self._live.items():
            matcher.fill_next_token_bitmask(self._mask, row)
        xgrammar.apply_token_bitmask_inplace(
            scores, self._mask.to(scores.device), indices=list(self._live)
        )
        return scores


def accepts(grammar: str, text: str) -> bool:
    """Whether ``text`` is a sentence of a GBNF grammar."""
    matcher = _xgrammar().GrammarMatcher(_compiled_for_bytes(grammar))
    return bool(matcher.accept_string(text) and matcher.is_completed())


@lru_cache(maxsize=_COMPILED)
def _compiled_for_bytes(grammar: str) -> Any:
    xgrammar = _xgrammar()
    vocabulary = [bytes([b]) for b in range(256)] + [b"</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256])
    return xgrammar.GrammarCompiler(info, max_threads=_THREADS).compile_grammar(grammar)


def _xgrammar() -> Any:
    try:
        import xgrammar
    except ImportError as error:
        raise not_installed("xgrammar for constrained generation") from error
    return xgrammar
