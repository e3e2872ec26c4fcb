"""Processes that learn together, one a core: each with its own robots, all with one policy.

Each works on its share with a single thread and never waits but for the others' gradients, which
are averaged in every step; on a CPU that is worth twice what threads inside of operations give.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor


class Team:
    """What one of ``size`` processes needs of the others; alone it does nothing."""

    def __init__(self, rank: int = 0, size: int = 1, port: int = 0) -> None:
        """Meet the others, all on this machine, at ``port``."""
        self.rank, self.size = rank, size
        if size > 1:
            address = f"tcp://127.0.0.1:{port}"
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
            dist.init_process_group("gloo", init_method=address, rank=rank, world_size=size)

    def mean_(self, values: Tensor) -> Tensor:
        """Replace values by their mean over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def share_(self, values: Tensor) -> None:
        """Replace values by those of the first process."""
        if self.size > 1:
            dist.broadcast(values, 0)

    def gather(self, value: Any) -> list[Any]:
        """Everybody's value, in the order of ranks; only the first process gets them."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.gather_object(value, values if self.rank == 0 else None)
        return values

    def close(self) -> None:
        """Part."""
        if self.size > 1:
            dist.destroy_process_group()


def gradients_in_a_row(parameters: Sequence[Tensor], more: int = 0) -> Tensor:
    """Let gradients be views of one row, one message for all; ``more`` numbers stand behind."""
    row = torch.zeros(sum(p.numel() for p in parameters) + more, device=parameters[0].device)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.grad = row[start:end].view_as(parameter)
        start = end
    return row


class Helpers:
    """The processes of a team but the first, which is the one that started them."""

    def __init__(self, size: int, work: Callable[..., None], *arguments: Any) -> None:
        """Start ``work(*arguments, rank, size, port)`` for each rank from 1 on."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        context = mp.get_context("spawn")
        self._processes: list[BaseProcess] = [
            context.Process(
                target=_single, args=(work, *arguments, rank, size, self.port), daemon=True
            )
            for rank in range(1, size)
        ]
        for process in self._processes:
            process.start()

    def close(self) -> None:
        """Wait for them; whoever does not end is ended."""
        for process in self._processes:
            process.join(10.0)
            if process.is_alive():
                process.kill()
                process.join()


def _single(work: Callable[..., None], *arguments: Any) -> None:
    torch.set_num_threads(1)
    work(*arguments)
