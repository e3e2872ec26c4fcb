"""A question as the body of a chat completion, without the fields that a server does not take."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import cv2

from fmrl_robot.fm.constraints import Rule
from fmrl_robot.fm.image_batch import check_images
from fmrl_robot.fm.openai_settings import ServerSettings
from fmrl_robot.types import Image

MAX_STOPS = 4
"""More stop strings are refused by some servers; the answer is cut here in any case."""

DROPPABLE = {
    "max_tokens": r"max_tokens\b.*max_completion_tokens",
    "stream_options": r"stream_options",
    "temperature": r"temperature",
    "top_p": r"top_p",
    "seed": r"seed",
    "n": r"[`'\"]n[`'\"]",
    "stop": r"[`'\"]stop[`'\"]",
    "logprobs": r"logprobs",
    "images": r"image|multimodal|mmproj|vision",
    "grammar": r"grammar|structured_outputs|ebnf",
    "response_format": r"response_format|json_schema|schema",
    "chat_template_kwargs": r"chat_template_kwargs|enable_thinking",
    "reasoning_effort": r"reasoning|thinking",
}
"""Fields that can be left out, with how a server's refusal names them. What is left out is made up
for here (stop, grammar, schema, samples), estimated (usage), or said to be missing."""

THINKING = ("chat_template_kwargs", "reasoning_effort")
"""Fields that say how much a model is to think; a server needs to take one of them."""

PER_RULE = ("grammar", "response_format")
"""Fields that may be refused for one grammar or schema and taken for the next."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """One question; see Generates for what the fields mean."""

    prompt: str
    rule: Rule
    n: int = 1
    stop: Sequence[str] = ()
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False
    images: Sequence[Image] = ()
    thinking: bool | None = None
    """Whether the chat template is to let it think; None says nothing of it."""
    effort: str = ""
    """How much it is to think; empty says nothing of it."""

    def fields(self) -> tuple[str, ...]:
        """The fields of DROPPABLE that this question would use."""
        used = {
            "max_tokens": True,
            "stream_options": True,
            "temperature": True,
            "top_p": self.top_p != 1.0,
            "seed": self.temperature > 0,
            "n": self.n > 1,
            "stop": bool(self.stop),
            "logprobs": self.logprobs,
            "images": len(self.images) > 0,
            "grammar": self.rule.grammar is not None,
            "response_format": self.rule.schema is not None,
            "chat_template_kwargs": self.thinking is not None,
            "reasoning_effort": bool(self.effort),
        }
        return tuple(name for name, wanted in used.items() if wanted)

    def refused(self, field: str) -> str:
        """Under which name a server's refusal of a field is remembered."""
        if field not in PER_RULE:
            return field
        return f"{field} {hashlib.sha256(self.rule.text.encode()).hexdigest()[:8]}"

    def taken(self, lacking: Collection[str]) -> tuple[str, ...]:
        """Of these fields the ones that a server takes, which lacks some."""
        return tuple(f for f in self.fields() if self.refused(f) not in lacking)

    def body(
        self, model: str, lacking: Collection[str], settings: ServerSettings
    ) -> dict[str, Any]:
        """Write the arguments of ``chat.completions.create``."""
        taken = self.taken(lacking)
        body: dict[str, Any] = {"model": model, "messages": self._messages(), "stream": True}
        body["max_tokens" if "max_tokens" in taken else "max_completion_tokens"] = self.max_tokens
        values: dict[str, Any] = {
            "stream_options": {"include_usage": True},
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "n": self.n,
            "stop": list(self.stop)[:MAX_STOPS],
            "logprobs": True,
            "reasoning_effort": self.effort,
        }
        body |= {name: value for name, value in values.items() if name in taken}
        if "response_format" in taken and settings.schema == "auto":
            described = {"name": "answer", "schema": dict(self.rule.schema or {}), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        further = self._grammar_forms(settings) if "grammar" in taken else {}
        if "chat_template_kwargs" in taken:
            # One template asks for the one name, another for the other.
            further["chat_template_kwargs"] = {
                "enable_thinking": self.thinking, "thinking": self.thinking
            }  # fmt: skip
        return body | {"extra_body": further} if further else body

    def _grammar_forms(self, settings: ServerSettings) -> dict[str, Any]:
        forms: dict[str, Any] = {}
        if settings.grammar in ("auto", "llama.cpp"):
            forms["grammar"] = self.rule.grammar
        if settings.grammar in ("auto", "vllm"):
            forms["structured_outputs"] = {"grammar": self.rule.grammar}
        return forms

    def _messages(self) -> list[dict[str, Any]]:
        if not len(self.images):
            return [{"role": "user", "content": self.prompt}]
        parts = [{"type": "image_url", "image_url": {"url": data_url(i)}} for i in self.images]
        return [{"role": "user", "content": [*parts, {"type": "text", "text": self.prompt}]}]


def refused_field(message: str, param: str, used: Sequence[str]) -> str:
    """Return the field of a question that a server's refusal is about, or an empty text.

    Args:
        message: what the server said.
        param: the parameter that it named, where it did.
        used: the fields that the question had.
    """
    for name in used:
        if param == name or re.search(DROPPABLE[name], message, re.IGNORECASE | re.DOTALL):
            return name
    return ""


def data_url(image: Image) -> str:
    """Encode a picture as PNG in a data URL.

    Args:
        image: RGB uint8, shape (height, width, 3).

    Raises:
        ConfigError: it has another type or shape.
    """
    check_images([image])
    _, png = cv2.imencode(".png", image[:, :, ::-1])
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()
