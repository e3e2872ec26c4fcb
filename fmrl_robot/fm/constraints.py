"""What an answer is held to, checked here whatever the server promised.

Servers that constrain generation rarely fail it; many take the wish and overlook it in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.fm.strict_json import loads
from fmrl_robot.fm.undressing import readings, undressed

_SHOWN = 500
"""Characters of a refused answer that the model gets to see again."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A grammar or a JSON schema."""

    grammar: str | None = None
    schema: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.grammar is not None and self.schema is not None:
            raise ConfigError("expected a grammar or a JSON schema, got both; give one")

    def __bool__(self) -> bool:
        return self.grammar is not None or self.schema is not None

    @property
    def kind(self) -> str:
        """``grammar`` or ``schema``."""
        return "grammar" if self.grammar is not None else "schema"

    @property
    def text(self) -> str:
        """The rule as a model is told it."""
        if self.grammar is not None:
            return (
                "Answer with one sentence of this grammar (GBNF, it begins at root), without any "
                f"other word:\n{self.grammar}"
            )
        return (
            "Answer with one JSON value that fits this JSON schema, without any other word:\n"
            f"{json.dumps(self.schema)}"
        )

    def read(self, text: str) -> tuple[str, str]:
        """Take the answer out of what models put around it unasked.

        Returns:
            The first reading that keeps this rule, and an empty text; or the answer undressed and
            what is wrong with it.

        Raises:
            ConfigError: see ``problem``.
        """
        if not self:
            return text, ""
        for reading in readings(text, words=self.grammar is not None):
            if not self.problem(reading):
                return reading, ""
        bare = undressed(text)
        return bare, self.problem(bare)

    def problem(self, text: str) -> str:
        """Say what is wrong with an answer; empty where nothing is.

        Raises:
            ConfigError: the grammar or the schema itself cannot be read.
        """
        if self.grammar is not None:
            return self._off_grammar(self.grammar, text)
        return "" if self.schema is None else self._off_schema(self.schema, text)

    @staticmethod
    def _off_grammar(grammar: str, text: str) -> str:
        try:
            held = accepts(grammar, text)
        except RuntimeError as error:
            raise ConfigError(f"expected a grammar in GBNF, could not read it: {error}") from error
        return "" if held else "it is no sentence of the grammar"

    @staticmethod
    def _off_schema(schema: Mapping[str, Any], text: str) -> str:
        try:
            from jsonschema import Draft202012Validator, SchemaError
            from jsonschema.exceptions import best_match
        except ImportError as error:
            raise not_installed("jsonschema to check answers") from error
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ConfigError(f"expected a JSON schema, got another: {error.message}") from error
        try:
            value = loads(text)
        except ValueError as error:
            return f"it is no JSON: {error}"
        worst = best_match(Draft202012Validator(schema).iter_errors(value))
        return "" if worst is None else f"at {worst.json_path}: {worst.message}"


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the first of several stop strings begins, None where there is none."""
    return min((i for s in stop if (i := text.find(s)) >= 0), default=None)


def repair_prompt(prompt: str, rule: Rule, answer: str, problem: str) -> str:
    """Ask once more, with what was wrong."""
    return (
        f"{prompt}\n\nYour last answer was:\n{answer[:_SHOWN]}\n"
        f"It was refused: {problem}.\n{rule.text}"
    )
