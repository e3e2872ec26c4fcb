"""Jobs: pieces of work, each with a folder and a process of its own.

What a job has come to stands in its folder alone, so that a whole set of them which was killed is
started again with the same command: jobs that are done are not done again, those begun may go on
from what they kept. Who carries jobs out, processes of this machine or Ray, is an ``Execute``.
"""

from __future__ import annotations

import fcntl
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from fmrl_robot.errors import ConfigError, FmrlError
from fmrl_robot.files import read_card, writable_folder
from fmrl_robot.train.cards import write_card

RESULT, LOCK = "result.json", ".lock"


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """One piece of work; it travels to the process that does it."""

    log: ClassVar[str] = "job.log"
    """File of its folder that its lines go to."""
    name: str
    folder: Path

    @property
    def cores(self) -> int:
        """Cores that it keeps busy."""
        return 1

    @property
    def on_gpu(self) -> bool:
        """Whether it needs a GPU."""
        return False

    def result(self) -> dict[str, Any]:
        """What the last attempt came to (``state``, ``error``); empty where none ended."""
        file = self.folder / RESULT
        return read_card(file) if file.is_file() else {}

    @abstractmethod
    def begun_otherwise(self) -> str:
        """How the work begun in the folder differs from this; empty where it does not."""

    @abstractmethod
    def work(self, report: Callable[[str], None]) -> dict[str, Any]:
        """Do it, or go on with it; return what stands beside ``state`` in the result."""


J = TypeVar("J", bound=Job)
Execute = Callable[[Sequence[J]], Iterable[tuple[J, str]]]
"""Carries out jobs; gives each when it has ended, with how its process failed, or nothing."""


def carry_out(
    jobs: Sequence[J],
    out: Path,
    execute: Execute[J],
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Do what is not done yet; what each job came to stands in its folder.

    Args:
        jobs: all of them, done or not.
        out: folder of all; held while they are at work.
        execute: who carries them out.
        report: gets a line as each job ends.

    Raises:
        ConfigError: somebody else is at work in the folder, or it holds other work.
    """
    writable_folder(out)
    with _alone(out):
        waiting = [job for job in jobs if _prepare(job)]
        report(f"runs={len(jobs)} done={len(jobs) - len(waiting)} folder={out}")
        for count, (job, failure) in enumerate(execute(waiting), len(jobs) - len(waiting) + 1):
            if failure and not job.result():
                write_card(job.folder / RESULT, {"state": "failed", "error": failure})
            result = job.result()
            told = result.get("error") or f"seconds={result.get('seconds', 0.0):.0f}"
            report(f"run={count}/{len(jobs)} {job.name} state={result.get('state')} {told}")


def _prepare(job: Job) -> bool:
    """Whether it has to be done; what an attempt that failed left to say is taken away."""
    if other := job.begun_otherwise():
        raise ConfigError(
            f"expected {job.folder} to be a run of this sweep, got one with {other}; choose "
            "another --out"
        )
    if job.result().get("state") == "done":
        return False
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / RESULT).unlink(missing_ok=True)
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


def attempt(job: Job) -> None:
    """Do one job and leave its result; the top of a process of its own."""
    with (job.folder / job.log).open("a", buffering=1) as log:
        try:
            result = {"state": "done", **job.work(lambda line: print(line, file=log))}
        except Exception as error:
            traceback.print_exc(file=log)
            told = str(error) if isinstance(error, FmrlError) else repr(error)
            result = {"state": "failed", "error": told}
    write_card(job.folder / RESULT, result)
