"""``fmrl reproduce NAME|all``: run the ablation of a system and write its page.

Trials (an arm with a seed) run as processes, here or on a Ray cluster. What they measured stays in
``runs/reproduce``; the page, its figures and its picture go to ``docs/methods``. The exit code is 0
where every bar holds, 1 where one does not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmrl_robot.ablation import Ablation
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import writable_folder
from fmrl_robot.reproduce.index import INDEX, ablations, index, read_figures, survey
from fmrl_robot.reproduce.outcome import outcome
from fmrl_robot.reproduce.page import VERDICTS, figure, page, wanted
from fmrl_robot.reproduce.picture import draw
from fmrl_robot.reproduce.trial_job import trials
from fmrl_robot.train.cards import write_whole
from fmrl_robot.train.job_execute import here, inline, on_ray
from fmrl_robot.train.jobs import RESULT, carry_out

ALL, CLOCK = "all", "clock.json"
QUICK_SEEDS = 1


def main(arguments: Sequence[str]) -> int:
    """Run ``fmrl reproduce``."""
    given = _read(arguments)
    carried = ablations()
    if given.name not in (ALL, *carried):
        raise ConfigError(
            f"expected one of {', '.join((ALL, *carried))}, got {given.name!r}; "
            "fmrl methods lists what there is",
            ErrorCode.METHOD_UNKNOWN,
        )
    for bound in ("seeds", "jobs"):
        if getattr(given, bound) is not None and getattr(given, bound) < 1:
            raise ConfigError(f"expected --{bound} of at least 1, got {getattr(given, bound)}")
    names = list(carried) if given.name == ALL else [given.name]
    if given.pages_only:
        for name in names:
            _publish(name, read_figures(name, given.pages), given.pages)
        return 0
    good = True
    for name in names:
        told = _run(name, carried[name], given)
        _say("\n".join(_lines(told)))
        if given.quick:
            good &= not told["failed"]
            continue
        good &= all(bar["holds"] is True for bar in told["bars"])
        _publish(name, told, given.pages)
    return 0 if good else 1


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fmrl reproduce", description=__doc__)
    parser.add_argument("name", help="a system that carries an ablation, or all")
    parser.add_argument(
        "--quick", action="store_true", help="seconds, in this process; judges and writes nothing"
    )
    parser.add_argument("--seeds", type=int, help="so many instead of the ablation's")
    parser.add_argument(
        "--arms", nargs="+", default=[], help="these alone; --resume goes on with the others"
    )
    parser.add_argument("--jobs", type=int, help="trials at a time (2; with --ray as fit)")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was killed")
    parser.add_argument("--ray", metavar="ADDRESS|local", help="carry trials out on a Ray cluster")
    parser.add_argument("--out", type=Path, default=Path("runs/reproduce"), help="folder of trials")
    parser.add_argument("--pages", type=Path, default=Path("docs/methods"), help="folder of pages")
    parser.add_argument(
        "--pages-only", action="store_true", help="write pages and index anew from their figures"
    )
    return parser.parse_args(arguments)


def _run(name: str, ablation: Ablation, given: argparse.Namespace) -> dict[str, Any]:
    """Carry the trials out, or the rest of them; return what they came to."""
    out: Path = given.out / (f"{name}-quick" if given.quick else name)
    if unknown := set(given.arms) - {arm.name for arm in ablation.arms}:
        known = ", ".join(arm.name for arm in ablation.arms)
        raise ConfigError(f"expected arms of {name}: {known}; got {sorted(unknown)!r}")
    count = given.seeds or (QUICK_SEEDS if given.quick else ablation.seeds)
    amounts = ablation.quick if given.quick else ablation.full
    first = 0 if given.quick else ablation.first_seed
    jobs = trials(ablation, out, range(first, first + count), amounts)
    writable_folder(out)
    if given.quick:
        for job in jobs:  # whatever stands there is of an older state of the code
            (job.folder / RESULT).unlink(missing_ok=True)
    elif not given.resume and any(out.glob(f"*/{RESULT}")):
        raise ConfigError(
            f"expected no trials in {out}, found some; go on with them by --resume, or name "
            "another folder with --out"
        )
    if given.ray:
        execute = on_ray(given.ray, given.jobs)
    else:
        execute = inline if given.quick else here(given.jobs or 2)
    clock = _Clock(out / CLOCK, goes_on=given.resume)
    now = [job for job in jobs if not given.arms or job.arm in given.arms]
    carry_out(now, out, execute, clock.report)
    return outcome(name, ablation, jobs, clock.minutes())


class _Clock:
    """Minutes that a run took, those before it was killed included."""

    def __init__(self, file: Path, *, goes_on: bool) -> None:
        self._file, self._began = file, time.monotonic()
        begun = goes_on and file.is_file()
        self._before = float(json.loads(file.read_text())["minutes"]) if begun else 0.0

    def minutes(self) -> float:
        return self._before + (time.monotonic() - self._began) / 60

    def report(self, line: str) -> None:
        """Say a line, and note the time: whoever is killed cannot do so."""
        write_whole(self._file, json.dumps({"minutes": self.minutes()}))
        _say(line)


def _publish(name: str, told: dict[str, Any] | None, pages: Path) -> None:
    """Write a system's page, figures and picture, and the index."""
    if told is not None:
        writable_folder(pages)
        write_whole(pages / f"{name}.json", json.dumps(told, indent=1) + "\n")
        write_whole(pages / f"{name}.md", page(told))
        draw(told, pages / f"{name}.png")
        _say(f"page={pages / name}.md")
    if name in {system.name for system in survey()}:
        write_whole(pages / INDEX, index(pages))


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['system']}: {told['minutes']:.1f} minutes, seeds {told['seeds']}"]
    lines += [f"failed: {run['run']}: {run['error']}" for run in told["failed"]]
    for bar in told["bars"]:
        verdict = VERDICTS[bar["holds"]].strip("*")
        lines.append(f"{verdict}: {bar['words']}: {figure(bar)}, wanted {wanted(bar)}")
    return lines


def _say(line: str) -> None:
    print(line, flush=True)
