"""Sweeps: one task trained at every point of a grid of settings, each in a folder of its own.

A run is a job: a sweep that was killed is started again with the same command, and the runs that
had begun go on from their checkpoint.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from fmrl_robot.errors import ConfigError
from fmrl_robot.files import read_settings, yaml_value
from fmrl_robot.registry import TASKS
from fmrl_robot.train.commands import finish, recipe
from fmrl_robot.train.config import TrainConfig, plain
from fmrl_robot.train.jobs import Execute, Job, carry_out
from fmrl_robot.train.sweep_table import write_tables
from fmrl_robot.train.trainer import CHECKPOINT, CONFIG, train

MAX_NAME = 100
"""Characters of a run's name."""


@dataclass(frozen=True, kw_only=True)
class Run(Job):
    """One point of the grid."""

    log: ClassVar[str] = "train.log"
    settings: dict[str, Any]
    """Swept fields by dotted path."""
    config: TrainConfig

    @property
    def cores(self) -> int:
        """Cores that it keeps busy."""
        return self.config.workers if self.config.workers > 1 else self.config.threads

    @property
    def on_gpu(self) -> bool:
        """Whether its task runs on a GPU."""
        return self.config.task_settings.get("engine") == "warp:cuda"

    def begun_otherwise(self) -> str:
        """Fields of the run begun in the folder that are not this one's."""
        if not (self.folder / CONFIG).is_file():
            return ""
        begun, wanted = (
            plain(asdict(c)) for c in (recipe(self.config.task, self.folder), self.config)
        )
        return ", ".join(f"{k}={begun[k]!r}" for k in begun if begun[k] != wanted[k])

    def work(self, report: Callable[[str], None]) -> dict[str, Any]:
        """Train, or go on from the checkpoint."""
        begun = (self.folder / CHECKPOINT).is_file()
        trainer = train(self.config, self.folder, resume=begun, report=report)
        if hasattr(trainer.env, "contract"):
            finish(trainer)
        return {"iterations": trainer.iteration, "seconds": trainer.seconds}


def read_grid(items: Sequence[str]) -> dict[str, list[Any]]:
    """Values by field, from files (YAML) and ``FIELD=[v1, v2]``.

    Raises:
        ConfigError: not a mapping of fields to lists of distinct values; the field is named.
    """
    grid: dict[str, list[Any]] = {}
    for item in items:
        field, equals, value = item.partition("=")
        if equals and not Path(item).is_file():
            loaded, where = {field: yaml_value(value, f"--sweep {field}")}, "--sweep"
        else:
            loaded, where = _file(Path(item)), item
        for path, values in loaded.items():
            if not isinstance(values, list) or not values:
                raise ConfigError(
                    f"in {where}: expected a list of values at {path}, got {values!r}; "
                    f"for one value use --set"
                )
            if len({repr(v) for v in values}) < len(values):
                raise ConfigError(f"in {where}: expected each value of {path} once, got {values!r}")
            grid[path] = values
    return grid


def _file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ConfigError(f"expected a YAML file or FIELD=[v1, v2], got {str(file)!r}")
    loaded = read_settings(file)
    if not loaded:
        raise ConfigError(f"in {file}: expected fields with lists of values, got {loaded!r}")
    return loaded


def grid_runs(
    task: str, grid: Mapping[str, list[Any]], out: Path, fixed: Mapping[str, Any]
) -> list[Run]:
    """Every point of the grid.

    Args:
        task: registered name.
        grid: values by field.
        out: folder of the sweep.
        fixed: fields that all runs share, by dotted path.

    Raises:
        ConfigError: TrainConfig or the task does not take a field; it is named.
    """
    runs: list[Run] = []
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        config = recipe(task, changes={**fixed, **settings})
        name = _name(settings)
        runs.append(Run(name=name, settings=settings, config=config, folder=out / name))
    for told in {repr(run.config.task_settings): run.config for run in runs}.values():
        _try(told)
    return runs


def _try(config: TrainConfig) -> None:
    """Build one world, so that a setting the task does not take is told before anything runs."""
    settings = dict(config.task_settings)
    if isinstance(settings.get("num_envs"), int):
        settings["num_envs"] = min(1, settings["num_envs"])
    if settings.get("engine") == "warp:cuda":  # there may be no GPU but where runs go
        settings["engine"] = "cpu"
    try:
        TASKS.load(config.task)(**settings)
    except TypeError as error:
        raise ConfigError(f"expected task_settings that {config.task} takes: {error}") from None


def _name(settings: Mapping[str, Any]) -> str:
    """A folder's name that tells the settings, one for each point of a grid."""
    told = ",".join(f"{path}={value}" for path, value in settings.items())
    clean = re.sub(r"[^\w.,=+-]+", "_", told)[:MAX_NAME]
    digest = hashlib.sha256(told.encode()).hexdigest()[:8]
    return clean if clean == told else f"{clean}-{digest}"


def sweep(
    runs: Sequence[Run],
    out: Path,
    execute: Execute[Run],
    *,
    curves: Sequence[str] = (),
    report: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Carry out what is not done yet and leave the tables; return a row for each run.

    Args:
        runs: of the grid.
        out: folder of the sweep.
        execute: who carries them out.
        curves: that the tables show beside the return.
        report: gets a line as each run ends.

    Raises:
        ConfigError: another sweep is at work in the folder, or it holds runs of other settings.
    """
    carry_out(runs, out, execute, report)
    return write_tables(runs, out, curves)
