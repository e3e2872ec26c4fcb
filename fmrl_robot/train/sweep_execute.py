"""Who carries out a sweep's runs: processes of this machine, or Ray on one or several.

Each run has a process of its own, so that one which fails, or is killed for its memory, ends alone.
Ray is an optional extra. Its machines share the sweep's folder and have this package installed.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.config import TrainConfig
from fmrl_robot.train.interrupts import deaf_children
from fmrl_robot.train.sweep import LOG, Execute, Run, attempt

END_S = 10.0
"""How long a process may take to end before it is killed."""


def here(jobs: int = 1) -> Execute:
    """Processes of this machine, ``jobs`` at a time."""

    def execute(runs: Sequence[Run]) -> Generator[tuple[Run, str]]:
        context, waiting = get_context("spawn"), deque(runs)
        going: dict[int, tuple[BaseProcess, Run]] = {}
        try:
            while waiting or going:
                while waiting and len(going) < jobs:
                    run = waiting.popleft()
                    process = context.Process(target=_alone, args=(run,))
                    # Ctrl-C ends this process, and that one ends those that it knows.
                    with deaf_children():
                        process.start()
                        going[process.sentinel] = process, run
                for sentinel in connection.wait(list(going)):
                    process, run = going.pop(int(sentinel))  # pyright: ignore[reportArgumentType]
                    process.join()
                    code = process.exitcode
                    yield run, f"its process ended with exit code {code}" if code else ""
        finally:
            _end([process for process, _ in going.values()])

    return execute


def _end(processes: Sequence[BaseProcess]) -> None:
    """End them, all with one span of time to save; a second Ctrl-C leaves them none."""
    try:
        for process in processes:
            process.terminate()
        last = time.monotonic() + END_S
        for process in processes:
            process.join(max(0.0, last - time.monotonic()))
    finally:
        for process in processes:
            process.kill()
            process.join()


def _alone(run: Run) -> None:
    """Carry out a run in a process that ends when the one that started it is killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What is said here, such as that it stops, belongs to the run and not on the sweep's terminal.
    with (run.folder / LOG).open("a") as log:
        os.dup2(log.fileno(), 2)
    attempt(run)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def on_ray(address: str, jobs: int | None = None) -> Execute:
    """Ray at ``address``, or started on this machine for ``local``.

    Args:
        address: of a cluster, as ``ray.init`` takes it.
        jobs: runs at a time; None: as many as there are cores for.

    Raises:
        ConfigError: Ray is not installed, or does not answer.
    """
    # What is trained here is nobody else's business.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.exceptions import RayError
    except ModuleNotFoundError:
        raise ConfigError(
            'expected Ray for --ray, found none; run pip install ".[sweep]"',
            ErrorCode.ASSET_MISSING,
        ) from None
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(f"expected Ray at {address!r}, got {error}") from None

    def execute(runs: Sequence[Run]) -> Generator[tuple[Run, str]]:
        remote: Any = ray.remote(max_calls=1, max_retries=0)(_far)
        waiting, going = deque(runs), dict[Any, Run]()
        try:
            while waiting or going:
                while waiting and len(going) < (jobs or len(runs)):
                    run = waiting.popleft()
                    asked = remote.options(**_needs(run.config, ray.nodes()))
                    going[asked.remote(replace(run, folder=run.folder.resolve()))] = run
                ended, _ = ray.wait(list(going))
                for reference in ended:
                    try:
                        failure = ray.get(reference)
                    except RayError as error:
                        failure = str(error)
                    yield going.pop(reference), failure
        finally:
            ray.shutdown()

    return execute


def _needs(config: TrainConfig, nodes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Cores and GPUs of a run, never more cores than the largest machine has."""
    cores = config.workers if config.workers > 1 else config.threads
    most = max((node["Resources"].get("CPU", 1.0) for node in nodes), default=1.0)
    on_gpu = config.task_settings.get("engine") == "warp:cuda"
    return {"num_cpus": min(float(cores), most), "num_gpus": float(on_gpu)}


def _far(run: Run) -> str:
    """Carry out a run on a machine of the cluster; say why that cannot be."""
    if not run.folder.is_dir():
        return (
            f"expected the sweep's folder {run.folder} on {socket.gethostname()}, found none; "
            "the machines of a sweep share it"
        )
    attempt(run)
    return ""
