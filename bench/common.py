"""What every measurement shares: the task's numbers, processes of their own, tables."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PHYSICS_DT_S = 0.02 / 3
SUBSTEPS = 3
"""Physics steps of a control period of the Go2 task."""
FIDGET_RAD = 0.05
"""Standard deviation of the joint targets about the default pose; none of the robots falls."""
GRACE_S = 120.0
"""Within which every process of a measurement has to be ready."""


def apart(of: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module of bench in a process of its own, so that none disturbs the next.

    Arguments are numbers, strings and bools; the answer is whatever JSON can tell.
    """
    code = (
        f"import json; from {of.__module__} import {of.__name__} as f; "
        f"print(json.dumps(f(*{arguments!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{of.__name__}{arguments} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def at_once(cores: int, prepare: Callable[..., Callable[[], int]], *arguments: Any) -> float:
    """Steps a second of one process a core, all at once, pinned as the C loop's threads are.

    Args:
        cores: processes.
        prepare: called with the process's number and ``arguments``; what it returns is timed and
            tells its steps.
        arguments: picklable.
    """
    context = mp.get_context("spawn")
    ready, told = context.Barrier(cores), context.SimpleQueue()
    processes = [
        context.Process(target=_one, args=(ready, told, prepare, number, *arguments))
        for number in range(cores)
    ]
    for process in processes:
        process.start()
    answers = [told.get() for _ in processes]
    for process in processes:
        process.join()
    if failed := [answer for answer in answers if isinstance(answer, str)]:
        raise RuntimeError(f"{prepare.__name__}{arguments} failed: {failed[0]}")
    return sum(steps for steps, _ in answers) / max(took for _, took in answers)


def _one(
    ready: Any, told: Any, prepare: Callable[..., Callable[[], int]], number: int, *arguments: Any
) -> None:
    try:
        if ready.parties > 1:  # one alone has all cores
            os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[number]})
        work = prepare(number, *arguments)
        ready.wait(GRACE_S)
        began = time.perf_counter()
        told.put((work(), time.perf_counter() - began))
    except Exception as error:  # the first process has to hear of it, whatever it is
        ready.abort()
        told.put(repr(error))


@dataclass
class Table:
    """One table of the report."""

    title: str
    columns: tuple[str, ...]
    note: str = ""
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row; cells that are missing stay empty."""
        self.rows.append(cells + ("",) * (len(self.columns) - len(cells)))

    def markdown(self) -> str:
        """The table with its title and note."""
        lines = [" | ".join(row) for row in (self.columns, ["---"] * len(self.columns), *self.rows)]
        text = "\n".join(f"| {line} |" for line in lines)
        return f"**{self.title}**\n\n{text}\n" + (f"\n{self.note}\n" if self.note else "")


PACKAGES = ("mujoco", "torch", "numpy", "gymnasium", "rsl-rl-lib", "stable-baselines3")


def machine(packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """What figures depend on: processor, its cores, load at the start, versions."""
    names = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((n.split(":")[1].strip() for n in names if n.startswith("model name")), "unknown")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
