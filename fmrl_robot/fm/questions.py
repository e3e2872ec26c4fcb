"""Questions to models as values: what makes two of them the same, and how answers are written.

The cache and the cassettes share this, so that one knows a question exactly where the other does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from fmrl_robot.types import Completion, ContinuationScores, Image, Usage

Kind = Literal["generate", "score", "text", "image", "clip"]

FORMAT = 1
"""Of keys and answers; another number and nothing of before is found again."""

_DEFAULTS: Mapping[str, Any] = {
    "n": 1,
    "grammar": None,
    "schema": None,
    "stop": [],
    "max_tokens": 256,
    "temperature": 0.0,
    "top_p": 1.0,
    "seed": 0,
    "logprobs": False,
    "images": [],
}
"""Of Generates.generate; a question that says them and one that does not are the same."""
_OTHER = object()
_SAMPLING = ("top_p", "seed")
"""They change nothing at temperature 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """All that an answer depends on."""

    kind: Kind
    model: str
    """Its model_id, with digest of the weights or base URL."""
    content: Mapping[str, Any]
    """In plain values; pictures by their digests."""

    @property
    def key(self) -> str:
        """SHA-256 over everything, 64 hexadecimal digits."""
        # Not sorted: the order of a schema's fields is the order in which they are written.
        text = json.dumps([FORMAT, self.kind, self.model, self.content])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def vector(self) -> bool:
        """Whether the answer is a vector."""
        return self.kind in ("text", "image", "clip")


def generation(model: str, prompt: str, arguments: Mapping[str, Any]) -> Question:
    """Of ``generate``, with whatever arguments were given besides the role."""
    given = {name: _plain(name, value) for name, value in arguments.items()}
    told = {name: value for name, value in given.items() if value != _DEFAULTS.get(name, _OTHER)}
    if not told.get("temperature"):
        told = {name: value for name, value in told.items() if name not in _SAMPLING}
    # In the order of the signature, however the caller ordered them.
    names = sorted(told, key=lambda name: [*_DEFAULTS, name].index(name))
    content = {"prompt": prompt, **{name: told[name] for name in names}}
    return Question(kind="generate", model=model, content=content)


def scoring(
    model: str, prompt: str, continuations: Sequence[str], images: Sequence[Image] = ()
) -> Question:
    """Of ``score``, for one of its prompts."""
    content: dict[str, Any] = {"prompt": prompt, "continuations": list(continuations)}
    if len(images):
        content["images"] = [image_digest(i) for i in images]
    return Question(kind="score", model=model, content=content)


def text_embedding(model: str, text: str) -> Question:
    """Of ``embed_texts``, for one text."""
    return Question(kind="text", model=model, content={"text": text})


def image_embedding(model: str, image: Image) -> Question:
    """Of ``embed_images``, for one picture."""
    return Question(kind="image", model=model, content={"image": image_digest(image)})


def clip_embedding(model: str, frames: Sequence[Image]) -> Question:
    """Of ``embed_clips``, for one clip."""
    content = {"frames": [image_digest(f) for f in frames]}
    return Question(kind="clip", model=model, content=content)


def image_digest(image: Image) -> str:
    """Shape, type and SHA-256 of the bytes, such as ``224x224x3 uint8 9f86d0...``."""
    pixels = np.ascontiguousarray(image)
    shape = "x".join(map(str, pixels.shape))
    return f"{shape} {pixels.dtype} {hashlib.sha256(pixels.tobytes()).hexdigest()}"


def _plain(name: str, value: Any) -> Any:
    if name == "images":
        return [image_digest(i) for i in value]
    if name == "stop":
        return list(value)
    return float(value) if name in ("temperature", "top_p") else value


# --- answers as plain values ----------------------------------------------------------------------


def write_completions(completions: Sequence[Completion]) -> dict[str, Any]:
    """Of one question; the role is left out, it is the asker's."""
    texts = [c.text for c in completions]
    written: dict[str, Any] = {"texts": texts, "usage": _write_usage(completions[0].usage)}
    if any(c.token_logprobs for c in completions):
        written["token_logprobs"] = [list(c.token_logprobs) for c in completions]
    if any(c.token_ids for c in completions):
        written["token_ids"] = [list(c.token_ids) for c in completions]
    return written


def read_completions(written: Mapping[str, Any], role: str) -> tuple[Completion, ...]:
    """What write_completions wrote, as an answer that cost nothing.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    usage = _read_usage(written["usage"], role)
    none = [()] * len(written["texts"])
    logs, ids = (written.get(name) or none for name in ("token_logprobs", "token_ids"))
    return tuple(
        Completion(
            text=str(text),
            usage=usage,
            token_logprobs=tuple(map(float, values)),
            token_ids=tuple(map(int, tokens)),
        )
        for text, values, tokens in zip(written["texts"], logs, ids, strict=True)
    )


def write_scores(scores: ContinuationScores) -> dict[str, Any]:
    """Of one prompt."""
    return {
        "token_logprobs": [list(t) for t in scores.token_logprobs],
        "words": list(scores.words),
        "usage": _write_usage(scores.usage),
    }


def read_scores(written: Mapping[str, Any], role: str) -> ContinuationScores:
    """What write_scores wrote, as an answer that cost nothing.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return ContinuationScores(
        token_logprobs=tuple(tuple(map(float, t)) for t in written["token_logprobs"]),
        words=tuple(map(int, written["words"])),
        usage=_read_usage(written["usage"], role),
    )


def _write_usage(usage: Usage) -> dict[str, Any]:
    left_out = ("role", "cached")
    return {name: value for name, value in asdict(usage).items() if name not in left_out}


def _read_usage(written: Mapping[str, Any], role: str) -> Usage:
    return replace(Usage(role=role, **written), latency_s=0.0, cost=0.0, cached=True)
