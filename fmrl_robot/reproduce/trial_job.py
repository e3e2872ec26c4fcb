"""A trial as a job: one arm with one seed, in a folder and a process of its own."""

from __future__ import annotations

import importlib
import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from fmrl_robot.ablation import Ablation, Budget, Measured, Value
from fmrl_robot.errors import ConfigError
from fmrl_robot.train.cards import write_whole
from fmrl_robot.train.jobs import Job

SOURCE = (":/fmrl_robot", ":/sim", ":/policies")
"""What a figure depends on."""
ASKED = "asked.json"
"""What the trial in a folder was asked, so that no other goes on from it."""


@dataclass(frozen=True, kw_only=True)
class TrialJob(Job):
    """One arm with one seed."""

    log: ClassVar[str] = "trial.log"
    trial: str
    arm: str
    settings: Mapping[str, Value]
    seed: int
    amounts: Mapping[str, Value]
    digest: str
    """Of the ablation's statement."""

    def _asked(self) -> dict[str, Any]:
        return {"arm": self.arm, "seed": self.seed, "ablation": self.digest}

    def begun_otherwise(self) -> str:
        """What was asked of the trial begun in the folder, where that is something else."""
        file = self.folder / ASKED
        begun = json.loads(file.read_text()) if file.is_file() else self._asked()
        return "" if begun == self._asked() else ", ".join(f"{k}={v!r}" for k, v in begun.items())

    def work(self, report: Callable[[str], None]) -> dict[str, Any]:
        """Run the trial; what it measured stands in the result."""
        write_whole(self.folder / ASKED, json.dumps(self._asked()))
        began, source = time.monotonic(), commit()
        budget = Budget(amounts=self.amounts, folder=self.folder, report=report)
        report(f"arm={self.arm} seed={self.seed} {dict(self.settings)} {dict(self.amounts)}")
        measured = find(self.trial)(self.settings, self.seed, budget)
        return {
            "arm": self.arm,
            "seed": self.seed,
            "measured": asdict(measured),
            "seconds": time.monotonic() - began,
            "commit": source,
        }


def find(trial: str) -> Callable[[Mapping[str, Value], int, Budget], Measured]:
    """Import ``module:function``.

    Raises:
        ConfigError: there is none.
    """
    module, _, name = trial.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"expected a trial as module:function, got {trial!r}: {error}; correct the ablation"
        ) from error


def commit() -> str:
    """The commit of the source that runs, with + where it was changed; empty without git."""
    where = Path(__file__).parent

    def git(*words: str) -> str:
        run = subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607
            cwd=where, capture_output=True, text=True, timeout=10.0, check=False,
        )  # fmt: skip
        return run.stdout.strip() if run.returncode == 0 else ""

    try:
        head = git("rev-parse", "--short=10", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *SOURCE)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f"{head}+" if head and changed else head


def trials(
    ablation: Ablation, out: Path, seeds: Sequence[int], amounts: Mapping[str, Value]
) -> list[TrialJob]:
    """Every arm with every seed, seeds first: a run that is stopped early has whole rounds."""
    return [
        TrialJob(
            name=f"{arm.name} seed {seed}",
            folder=out / f"{arm.name}-{seed}",
            trial=ablation.trial,
            arm=arm.name,
            settings=arm.settings,
            seed=seed,
            amounts=amounts,
            digest=ablation.digest(),
        )
        for count, seed in enumerate(seeds)
        for arm in ablation.arms
        if count < ablation.fewer_seeds.get(arm.name, len(seeds))
    ]
