"""Who carries out jobs: processes of this machine, or Ray on one or several.

Each job has a process of its own, so that one which fails, or is killed for its memory, ends alone.
Ray is an optional extra. Its machines share the jobs' folder and have this package installed.
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
from fmrl_robot.train.interrupts import deaf_children
from fmrl_robot.train.jobs import Execute, J, Job, attempt

END_S = 10.0
"""How long a process may take to end before it is killed."""


def inline(jobs: Sequence[J]) -> Generator[tuple[J, str]]:
    """Carry jobs out one after the other in this process: for jobs of seconds."""
    for job in jobs:
        attempt(job)
        yield job, ""


def here(at_a_time: int = 1) -> Execute[Any]:
    """Processes of this machine, so many at a time."""

    def execute(jobs: Sequence[J]) -> Generator[tuple[J, str]]:
        context, waiting = get_context("spawn"), deque(jobs)
        going: dict[int, tuple[BaseProcess, J]] = {}
        try:
            while waiting or going:
                while waiting and len(going) < at_a_time:
                    job = waiting.popleft()
                    process = context.Process(target=_alone, args=(job,))
                    # Ctrl-C ends this process, and that one ends those that it knows.
                    with deaf_children():
                        process.start()
                        going[process.sentinel] = process, job
                for sentinel in connection.wait(list(going)):
                    process, job = going.pop(int(sentinel))  # pyright: ignore[reportArgumentType]
                    process.join()
                    code = process.exitcode
                    yield job, f"its process ended with exit code {code}" if code else ""
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


def _alone(job: Job) -> None:
    """Carry out a job in a process that ends when the one that started it is killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What is said here, such as that it stops, belongs to the job and not on everybody's terminal.
    with (job.folder / job.log).open("a") as log:
        os.dup2(log.fileno(), 2)
    attempt(job)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def on_ray(address: str, at_a_time: int | None = None) -> Execute[Any]:
    """Ray at ``address``, or started on this machine for ``local``.

    Args:
        address: of a cluster, as ``ray.init`` takes it.
        at_a_time: jobs; None: as many as there are cores for.

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

    def execute(jobs: Sequence[J]) -> Generator[tuple[J, str]]:
        remote: Any = ray.remote(max_calls=1, max_retries=0)(_far)
        waiting, going = deque(jobs), dict[Any, J]()
        try:
            while waiting or going:
                while waiting and len(going) < (at_a_time or len(jobs)):
                    job = waiting.popleft()
                    asked = remote.options(**_needs(job, ray.nodes()))
                    going[asked.remote(replace(job, folder=job.folder.resolve()))] = job
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


def _needs(job: Job, nodes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Cores and GPUs of a job, never more cores than the largest machine has."""
    most = max((node["Resources"].get("CPU", 1.0) for node in nodes), default=1.0)
    return {"num_cpus": min(float(job.cores), most), "num_gpus": float(job.on_gpu)}


def _far(job: Job) -> str:
    """Carry out a job on a machine of the cluster; say why that cannot be."""
    if not job.folder.is_dir():
        return (
            f"expected the jobs' folder {job.folder} on {socket.gethostname()}, found none; "
            "the machines of a cluster share it"
        )
    attempt(job)
    return ""
