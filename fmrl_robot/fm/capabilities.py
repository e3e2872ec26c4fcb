"""Find a language model by name, and check at build time that it can do what a method needs."""

from __future__ import annotations

from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import LANGUAGE_MODELS

_METHODS = {
    "Generates": ("generate",),
    "Scores": ("score",),
    "Embeds": ("embed_texts", "embed_images"),
}
"""The methods by which a model shows a capability of fmrl_robot.protocols."""


def load_language_model(name: str = "embedded") -> Any:
    """Load a model by ``back end`` or ``back end:argument``.

    Raises:
        ConfigError: the back end is unknown, its extra is not installed, or the model is missing.
    """
    backend, _, argument = name.partition(":")
    return LANGUAGE_MODELS.load(backend)(argument)


def capabilities(model: object) -> tuple[str, ...]:
    """Name what a model offers."""
    return tuple(c for c, names in _METHODS.items() if all(hasattr(model, n) for n in names))


def require(model: object, capability: str, by: str) -> None:
    """Check that a model has a capability.

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
