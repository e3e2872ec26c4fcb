"""Find a model by name, and check at build time that it can do what a method needs."""

from __future__ import annotations

from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import LANGUAGE_MODELS

_EXPOSES = (
    "encode", "read", "forward", "forward_choices", "embed_tokens", "forward_embeddings",
)  # fmt: skip
_METHODS = {
    "Generates": ("generate",),
    "Scores": ("score",),
    "Embeds": ("embed_texts",),
    "Sees": ("embed_texts", "embed_images", "embed_clips"),
    "Exposes": _EXPOSES,
    "Tunes": (*_EXPOSES, "add_adapter", "adapter", "trainable"),
}
"""The methods by which a model shows a capability of fmrl_robot.protocols."""
IMAGES = "Images"
"""The capability to answer about pictures, shown by an attribute ``sees_images`` that is true."""


def load_language_model(name: str = "embedded", **options: Any) -> Any:
    """Load a model by ``back end`` or ``back end:argument``.

    Args:
        name: ``embedded``, ``transformers:<folder or hub id>``, or another of the registry.
        options: of the back end, such as ``device`` and ``dtype`` of ``transformers``.

    Raises:
        ConfigError: the back end is unknown, its extra is not installed, or the model is missing.
    """
    backend, _, argument = name.partition(":")
    return LANGUAGE_MODELS.load(backend)(argument, **options)


def capabilities(model: object) -> tuple[str, ...]:
    """Name what a model offers."""
    offered = [c for c, names in _METHODS.items() if all(hasattr(model, n) for n in names)]
    return (*offered, *([IMAGES] if getattr(model, "sees_images", False) else []))


def not_installed(what: str, code: ErrorCode = ErrorCode.CAPABILITY_MISSING) -> ConfigError:
    """What a caller gets who lacks a package of the extra ``fm``; ``what``: it, and for what."""
    return ConfigError(f"expected {what}, found none; pip install 'fmrl_robot[fm]'", code)


def reads_text_only(model_id: str) -> ConfigError:
    """What a caller gets who shows pictures to a model without ``Images``."""
    return ConfigError(
        f"expected a model that reads pictures, {model_id!r} reads text only; choose a "
        "vision-language model",
        ErrorCode.CAPABILITY_MISSING,
    )


def require(model: object, capability: str, by: str) -> None:
    """Check that a model has a capability.

    Args:
        model: any.
        capability: Generates, Scores, Embeds, Sees, Exposes, Tunes or Images.
        by: the method that needs it.

    Raises:
        ConfigError: it has not; the message names the method, the model and what it offers.
    """
    offered = capabilities(model)
    if capability not in offered:
        model_id = getattr(model, "model_id", type(model).__name__)
        raise ConfigError(
            f"{by} needs a model with {capability}, {model_id!r} offers "
            f"{', '.join(offered) or 'nothing'}; choose another model",
            ErrorCode.CAPABILITY_MISSING,
        )
