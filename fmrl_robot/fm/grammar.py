"""Generation that cannot leave a grammar: xgrammar behind two functions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode


class GrammarConstraint:
    """Compiles GBNF for one tokenizer and hands out logits processors."""

    def __init__(self, tokenizer: Any, vocab_size: int) -> None:
        try:
            import xgrammar
        except ImportError as error:
            raise ConfigError(
                "expected xgrammar for constrained generation, found none; "
                "pip install 'fmrl_robot[fm]'",
                ErrorCode.CAPABILITY_MISSING,
            ) from error
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=vocab_size, stop_token_ids=[tokenizer.eos_token_id]
        )
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        self._compile = lru_cache(maxsize=16)(self._compiler.compile_grammar)

    def processor(self, grammar: str) -> Any:
        """Return a fresh logits processor for one generation."""
        import xgrammar.contrib.hf

        return xgrammar.contrib.hf.LogitsProcessor(self._compile(grammar))


def accepts(grammar: str, text: str) -> bool:
    """Whether ``text`` is a sentence of a GBNF grammar."""
    import xgrammar

    return bool(_matcher(grammar, xgrammar).accept_string(text) and _ends(grammar, text, xgrammar))


def _matcher(grammar: str, xgrammar: Any) -> Any:
    info = xgrammar.TokenizerInfo(
        [bytes([b]) for b in range(256)] + [b"</s>"], stop_token_ids=[256]
    )
    compiled = xgrammar.GrammarCompiler(info, max_threads=1).compile_grammar(grammar)
    return xgrammar.GrammarMatcher(compiled)


def _ends(grammar: str, text: str, xgrammar: Any) -> bool:
    matcher = _matcher(grammar, xgrammar)
    matcher.accept_string(text)
    return bool(matcher.accept_token(256))
