"""Sweeps: one task trained at every point of a grid of settings, each in a folder of its own.

What a run has come to stands in its folder alone, so a sweep that was killed is started again with
the same command: runs that are done are not run again, those begun go on from their checkpoint. Who
carries runs out, processes of this machine or Ray, is an ``Execute``.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import re
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, FmrlError
from fmrl_robot.files import read_card, read_settings, writable_folder, yaml_value
from fmrl_robot.registry import TASKS
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.commands import finish, recipe
from fmrl_robot.train.config import TrainConfig, plain
from fmrl_robot.train.sweep_table import write_tables
from fmrl_robot.train.trainer import CHECKPOINT, CONFIG, train

RESULT, LOG, LOCK = "result.json", "train.log", ".lock"
MAX_NAME = 100
"""Characters of a run's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One point of the grid."""

    name: str
    settings: dict[str, Any]
    """Swept fields by dotted path."""
    config: TrainConfig
    folder: Path

    def result(self) -> dict[str, Any]:
        """What the last attempt came to; empty where none ended."""
        file = self.folder / RESULT
        return read_card(file) if file.is_file() else {}


Execute = Callable[[Sequence[Run]], Iterable[tuple[Run, str]]]
"""Carries out runs; gives each when it has ended, with how its process failed, or nothing."""


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
    execute: Execute,
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
    writable_folder(out)
    with _alone(out):
        waiting = [run for run in runs if _prepare(run)]
        report(f"runs={len(runs)} done={len(runs) - len(waiting)} folder={out}")
        for count, (run, failure) in enumerate(execute(waiting), len(runs) - len(waiting) + 1):
            if failure and not run.result():
                write_card(run.folder / RESULT, {"state": "failed", "error": failure})
            result = run.result()
            told = result.get("error") or f"seconds={result.get('seconds', 0.0):.0f}"
            report(f"run={count}/{len(runs)} {run.name} state={result.get('state')} {told}")
        return write_tables(runs, out, curves)


def _prepare(run: Run) -> bool:
    """Whether it has to run; what an attempt that failed left to say is taken away."""
    if (run.folder / CONFIG).is_file():
        begun, wanted = (
            plain(asdict(c)) for c in (recipe(run.config.task, run.folder), run.config)
        )
        if other := [f"{k}={begun[k]!r}" for k in begun if begun[k] != wanted[k]]:
            raise ConfigError(
                f"expected {run.folder} to be a run of this sweep, got one with "
                f"{', '.join(other)}; choose another --out"
            )
    if run.result().get("state") == "done":
        return False
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / RESULT).unlink(missing_ok=True)
    return True


@contextmanager
def _alone(out: Path) -> Generator[None]:
    """Hold the folder; the system lets go of it even if this process is killed."""
    with (out / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"expected no other sweep at work in {out}, found one; wait or choose another --out"
            ) from None
        yield


def attempt(run: Run) -> None:
    """Train one run, or go on with it, and leave its result; the top of a process of its own."""
    with (run.folder / LOG).open("a", buffering=1) as log:
        try:
            result = _train(run, lambda line: print(line, file=log))
        except Exception as error:
            traceback.print_exc(file=log)
            told = str(error) if isinstance(error, FmrlError) else repr(error)
            result = {"state": "failed", "error": told}
    write_card(run.folder / RESULT, result)


def _train(run: Run, report: Callable[[str], None]) -> dict[str, Any]:
    begun = (run.folder / CHECKPOINT).is_file()
    trainer = train(run.config, run.folder, resume=begun, report=report)
    if hasattr(trainer.env, "contract"):
        finish(trainer)
    return {"state": "done", "iterations": trainer.iteration, "seconds": trainer.seconds}
