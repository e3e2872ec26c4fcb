"""What the recipes of embedded language models have in common: how a run begins and is noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fmrl_robot.train.cards import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from fmrl_robot.train.team import Team


class Recipe(Protocol):
    """What a recipe's configuration says besides its Schedule."""

    @property
    def out(self) -> Path:
        """Folder of the result."""
        ...

    @property
    def start_from(self) -> Path | None:
        """Folder of an earlier result to go on from, or None."""
        ...

    @property
    def processes(self) -> int:
        """That learn together."""
        ...


R = TypeVar("R", bound=Recipe)


def train_together(
    cfg: R,
    work: Callable[[R, Team], dict[str, float]],
    build_tokenizer: Callable[[R], Any],
) -> dict[str, float]:
    """Write the tokenizer, and learn in every process; return the figures of the last step.

    Args:
        cfg: of the recipe.
        work: of one process; a function of a module, for others import it by its name.
        build_tokenizer: learns a new one, where there is no earlier result to go on from.
    """
    from fmrl_robot.train.team import Helpers

    _tokenizer(cfg, build_tokenizer).save_pretrained(cfg.out)
    with Helpers(cfg.processes, work, cfg) as helpers:
        return work(cfg, helpers.team())


def _tokenizer(cfg: R, build_tokenizer: Callable[[R], Any]) -> Any:
    """The tokenizer of the result to go on from, or a new one."""
    from transformers import AutoTokenizer

    if cfg.start_from:
        return AutoTokenizer.from_pretrained(cfg.start_from, local_files_only=True)
    return build_tokenizer(cfg)


def write_recipe(cfg: Any) -> None:
    """Write a recipe's configuration, a dataclass, beside its result."""
    said = {name: value for name, value in asdict(cfg).items() if name != "out"}
    write_whole(cfg.out / "recipe.json", json.dumps(said, indent=2, default=str) + "\n")
