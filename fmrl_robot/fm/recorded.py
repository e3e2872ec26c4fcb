"""``recorded:<file.jsonl>`` plays a cassette; ``recording:<file.jsonl>,<model name>`` makes one.

A played model needs neither network nor weights, answers what it was asked when it was recorded,
and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.asking import Asked
from fmrl_robot.fm.capabilities import load_language_model
from fmrl_robot.fm.cassette import Cassette

_SHAPING = ("short_prompts", "sees_images")
"""What a model says of itself that shapes how it is asked."""


class _Tape:
    """What stands behind a played cassette: the recorded model's name and ways, and no answers."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self.model_id: str = cassette.facts["model"]
        for name in _SHAPING:
            setattr(self, name, bool(cassette.facts.get(name, False)))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._cassette.methods:
            raise AttributeError(name)
        return self._refuse

    def __repr__(self) -> str:
        return f"recorded:{self._cassette.file}"

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        shown = str(args[0])[-200:]
        raise ConfigError(
            f"expected a question that {self._cassette.file} holds, got another: ...{shown!r} "
            f"with {_told(kwargs)}; record it with recording:{self._cassette.file},<model name>",
            ErrorCode.MODEL_UNAVAILABLE,
        )


def _told(arguments: dict[str, Any]) -> str:
    short = {n: v for n, v in arguments.items() if n not in ("images", "grammar", "role")}
    return ", ".join(f"{name}={value!r}" for name, value in short.items()) or "nothing else"


def load_recorded(name: str) -> Asked:
    """Play a cassette.

    Raises:
        ConfigError: there is none, or a line of it cannot be read.
    """
    cassette = Cassette(Path(name))
    return Asked(_Tape(cassette), cache=cassette)


def load_recording(name: str) -> Asked:
    """Ask a model and write down what it says; what is written already is not asked again.

    Raises:
        ConfigError: no model is named, it cannot be loaded, or the cassette is another model's.
    """
    file, separator, model_name = name.partition(",")
    if not separator or not model_name:
        raise ConfigError(
            f"expected recording:<file.jsonl>,<model name>, got {name!r}; for example "
            "recording:answers.jsonl,embedded",
            ErrorCode.MODEL_UNAVAILABLE,
        )
    model = load_language_model(model_name)
    ways = {name: bool(getattr(model, name, False)) for name in _SHAPING}
    return Asked(model, cache=Cassette(Path(file), {"model": model.model_id, **ways}))
