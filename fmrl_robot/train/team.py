"""Processes that learn together, one a core: each with its own robots, all with one policy.

Each works on its share with a single thread and never waits but for the others' gradients, which
are averaged in every step; on a CPU that is worth twice what threads inside of operations give.
They share a piece of memory: everybody writes a row, meets the others and reads all rows, in one
order, so that all have the same sum to the last bit. (Sockets on the same machine cost 30 times the
processor time for gradients of this size.)
"""

from __future__ import annotations

import multiprocessing as mp
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor

from fmrl_robot.errors import FmrlError
from fmrl_robot.train.interrupts import deaf_children
from fmrl_robot.train.state_file import packed, unpacked

ROW_BYTES = 1 << 20
"""Of each process in the shared memory; longer messages go in pieces."""
LOOK_UP_S = 1.0
"""A waiting process looks so often whether the others are still alive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What processes of a team share; made by the first one."""

    memory: Any
    """Bytes, two tables of one row a process: one is written while the other is still read."""
    arrived: Any
    """Semaphore that everybody raises for the first process."""
    go: list[Any]
    """Semaphores that the first process raises, one for each of the others."""
    pipes: list[Connection]
    """Where the first process gets objects from each of the others; where another sends them."""


class Abandoned(RuntimeError):
    """Whoever is waited for has ended."""


class Team:
    """What one of several processes needs of the others; alone it does nothing."""

    def __init__(
        self,
        rank: int = 0,
        link: Link | None = None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Join.

        Args:
            rank: which of them, the first is 0.
            link: what they share; None: there are no others.
            alive: whether those that are waited for still live.
        """
        self.rank, self.size = rank, len(link.go) + 1 if link else 1
        self._link, self._alive, self._turn = link, alive, 0
        if link:
            rows = torch.frombuffer(link.memory, dtype=torch.uint8)
            self._tables = rows.view(2, self.size, ROW_BYTES)

    def mean_(self, values: Tensor) -> Tensor:
        """Replace values by their mean over all processes."""
        for part, rows in self._exchange(values):
            part.copy_(rows.mean(0))
        return values

    def share_(self, values: Tensor) -> None:
        """Replace values by those of the first process."""
        for part, rows in self._exchange(values):
            part.copy_(rows[0])

    def gather(self, value: Any) -> list[Any]:
        """Everybody's value, in the order of ranks; only the first process gets them.

        A value is what a checkpoint holds: tensors, numbers and text in lists and dictionaries.
        """
        link = self._link
        if link is None:
            return [value]
        if self.rank:
            for message in packed(value):
                link.pipes[0].send_bytes(message)
            return []
        values = [value]
        for pipe in link.pipes:
            while not pipe.poll(LOOK_UP_S):
                self._look_up()
            values.append(unpacked(pipe.recv_bytes(), pipe.recv_bytes()))
        return values

    def _exchange(self, values: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Pieces of ``values`` (n,) with everybody's, (size, n)."""
        if self._link is None:
            return
        for part in values.view(-1).split(ROW_BYTES // values.element_size()):
            table = self._tables[self._turn, :, : part.nbytes].view(part.dtype)
            table[self.rank] = part
            self._meet(self._link)
            # Nobody writes into this table before everybody has come to the next meeting.
            self._turn = 1 - self._turn
            yield part, table

    def _meet(self, link: Link) -> None:
        """Wait until everybody is here."""
        if self.rank:
            link.arrived.release()
            self._wait(link.go[self.rank - 1])
            return
        for _ in link.go:
            self._wait(link.arrived)
        for go in link.go:
            go.release()

    def _wait(self, semaphore: Any) -> None:
        while not semaphore.acquire(timeout=LOOK_UP_S):
            self._look_up()

    def _look_up(self) -> None:
        if not self._alive():
            raise Abandoned(
                "expected every worker to go on, but one has ended; its own error is above"
            )


class Helpers:
    """The processes of a team but the first, which is the one that starts them."""

    def __init__(self, size: int, work: Callable[..., object], *arguments: Any) -> None:
        """Start ``work(*arguments, team)`` for each rank from 1 on."""
        context = mp.get_context("spawn")
        pipes = [context.Pipe(duplex=False) for _ in range(1, size)]
        self._link = Link(
            memory=context.RawArray("B", 2 * size * ROW_BYTES),
            arrived=context.Semaphore(0),
            go=[context.Semaphore(0) for _ in pipes],
            pipes=[receive for receive, _ in pipes],
        )
        self._processes: list[BaseProcess] = []
        with deaf_children():  # the first process tells them when it is over
            for rank, (_, send) in enumerate(pipes, start=1):
                link = replace(self._link, pipes=[send])
                told = (rank, link, work, arguments)
                process = context.Process(target=_join, args=told, daemon=True)
                process.start()
                send.close()
                self._processes.append(process)

    def team(self) -> Team:
        """The first process's place among them."""
        return Team(0, self._link, lambda: not any(p.exitcode for p in self._processes))

    def __enter__(self) -> Helpers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for them; whoever waits for a first process that failed is ended."""
        self.close(0.0 if kind else 10.0)

    def close(self, patience_s: float = 10.0) -> None:
        """Wait for them; whoever does not end is ended."""
        for process in self._processes:
            process.join(patience_s)
            if process.is_alive():
                process.kill()
                process.join()


def _join(rank: int, link: Link, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Be one of the processes that the first one started."""
    torch.set_num_threads(1)
    first = mp.parent_process()
    try:
        work(*arguments, Team(rank, link, lambda: first is not None and first.is_alive()))
    except FmrlError as error:
        sys.exit(f"worker {rank}: {int(error.code)} {error}")
    except Abandoned:
        # Whoever ended the first process knows, and the first process told why where it could.
        sys.exit(1)
