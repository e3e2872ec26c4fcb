"""``fmrl train NAME``: train a policy by its recipe, export it, evaluate it, film it.

With ``--sweep`` it is trained at every point of a grid of settings, and a table compares them.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, FmrlError
from fmrl_robot.files import yaml_value
from fmrl_robot.registry import TASKS

RECIPES = {
    "clip-embedded": "fmrl_robot.train.recipes.clip_embedded.__main__",
    "lm-embedded": "fmrl_robot.train.recipes.lm_embedded.__main__",
    "panda-values": "fmrl_robot.train.skill_values",
}
"""Models that are no policies, by the module whose ``main(arguments)`` trains one."""
STOPPED = 130
"""Exit code after Ctrl-C, as of a shell."""


def main(arguments: Sequence[str]) -> int:
    """Read the command line and train; return 0, or STOPPED after Ctrl-C."""
    if arguments and arguments[0] in RECIPES:
        importlib.import_module(RECIPES[arguments[0]]).main(arguments[1:])
        return 0
    parser = argparse.ArgumentParser(prog="fmrl train", description=__doc__)
    parser.add_argument("name", help=f"one of: {', '.join((*TASKS.names(), *RECIPES))}")
    parser.add_argument("--out", type=Path, help="folder of the run (runs/train/NAME)")
    parser.add_argument("--resume", action="store_true", help="go on from its checkpoint")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--iterations", type=int, help="stop after so many")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="another field of TrainConfig (a.b for nested ones), its value as YAML; repeatable",
    )
    parser.add_argument("--no-video", action="store_true", help="do not film the result")
    _sweep_arguments(parser)
    given = parser.parse_args(arguments)
    changes: dict[str, Any] = {}
    for item in given.set:
        field, equals, value = item.partition("=")
        if not (field and equals):
            raise ConfigError(f"expected --set FIELD=VALUE, got {item!r}; write such as seed=1")
        loaded = yaml_value(value, f"--set {field}")
        changes[field] = tuple(loaded) if isinstance(loaded, list) else loaded
    for field in ("minutes", "iterations"):
        if getattr(given, field) is not None:
            changes[field] = getattr(given, field)
    began = time.time()
    try:
        return _sweep(given, changes) if given.sweep else _train(given, changes)
    except KeyboardInterrupt:
        print(f"stopped; {_how_to_go_on(given, began)}", flush=True)
        return STOPPED


def _train(given: argparse.Namespace, changes: dict[str, Any]) -> int:
    # Loading torch takes seconds: a wrong argument is told before.
    from fmrl_robot.train.commands import train_policy

    with _Bar() as bar:
        folder = train_policy(
            given.name,
            given.out,
            resume=given.resume,
            report=bar.report,
            progress=bar.progress,
            settings=changes,
        )
        if not given.no_video:
            _film(given.name, folder, bar.report)
    return 0


def _how_to_go_on(given: argparse.Namespace, began_s: float) -> str:
    """What is left of a command that was stopped, ``began_s`` by the system's clock."""
    if given.sweep:
        return "the same command goes on with the sweep"
    from fmrl_robot.train.commands import run_folder
    from fmrl_robot.train.state_file import read_plain
    from fmrl_robot.train.trainer import CHECKPOINT

    file = (given.out or run_folder(given.name)) / CHECKPOINT
    if not file.is_file() or (file.stat().st_mtime < began_s and not given.resume):
        return "nothing was learned yet that could be saved"
    out = f" --out {shlex.quote(str(given.out))}" if given.out else ""
    return (
        f"iteration={read_plain(file)['iteration']} is saved in {file.parent}; "
        f"go on with: fmrl train {given.name}{out} --resume"
    )


def _film(name: str, folder: Path, report: Callable[[str], None]) -> None:
    """Leave a video of the policy in the run's folder, where it can be filmed here."""
    from fmrl_robot.train.evaluate import POLICY
    from fmrl_robot.view.filming import film

    if not (folder / POLICY).is_file():
        return
    video = folder / "play.mp4"
    try:
        film(name, video, folder=folder)
    except FmrlError as error:
        report(f"no video: {error}")
    else:
        report(f"video={video}")


def _sweep_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sweep")
    group.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="FILE.yaml|FIELD=[V1,V2]",
        help="train at every point of a grid, seeds included; repeatable. The same command goes on "
        "with a sweep that was killed (folder: runs/sweeps/NAME)",
    )
    group.add_argument("--jobs", type=int, help="runs at a time (1; with --ray as fit)")
    group.add_argument("--ray", metavar="ADDRESS|local", help="carry runs out on a Ray cluster")
    group.add_argument(
        "--curve",
        action="append",
        default=[],
        metavar="NAME",
        help="a curve for the table, beside episode/return; repeatable",
    )


def _sweep(given: argparse.Namespace, changes: dict[str, Any]) -> int:
    from fmrl_robot.train.job_execute import here, on_ray
    from fmrl_robot.train.sweep import grid_runs, read_grid, sweep
    from fmrl_robot.train.sweep_table import TABLE

    if given.jobs is not None and given.jobs < 1:
        raise ConfigError(f"expected --jobs of at least 1, got {given.jobs}")
    out = given.out or Path("runs") / "sweeps" / given.name
    runs = grid_runs(given.name, read_grid(given.sweep), out, changes)
    execute = on_ray(given.ray, given.jobs) if given.ray else here(given.jobs or 1)
    with _Bar() as bar:
        rows = sweep(runs, out, execute, curves=given.curve, report=bar.report)
    print((out / f"{TABLE}.md").read_text())
    return int(any(row["state"] != "done" for row in rows))


class _Bar:
    """A bar with the time left where a person watches, lines where a file does."""

    SHOWN = ("episode/return", "episode/length", "speed/steps_per_s")

    def __init__(self) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            # Its own guess of the time left knows neither --minutes nor where a run went on.
            shape = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
            self._bar = tqdm(unit="it", dynamic_ncols=True, bar_format=shape)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def report(self, line: str) -> None:
        """Say a line; a bar already shows what lines of progress say."""
        if self._bar is None:
            print(line, flush=True)
        elif not line.startswith("iteration="):
            self._bar.write(line)

    def progress(
        self, iteration: int, iterations: int, left_s: float, curves: dict[str, float]
    ) -> None:
        """Move the bar."""
        if self._bar is None:
            return
        self._bar.total, self._bar.n = iterations, iteration
        shown = {k.split("/")[1]: f"{curves[k]:.4g}" for k in self.SHOWN if k in curves}
        self._bar.set_postfix({"left": self._bar.format_interval(left_s), **shown})


__all__ = ["main"]
