"""What questions to models cost, and answers kept so that none is asked twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace

from fmrl_robot.types import Completion, Usage


def prompt_sha256(prompt: str) -> str:
    """Hash a prompt, so that a record can name it without keeping it."""
    return hashlib.sha256(prompt.encode()).hexdigest()


class AnswerCache:
    """The last answers of one model, least recently used dropped first."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._answers: OrderedDict[Hashable, tuple[Completion, ...]] = OrderedDict()

    def get(self, key: Hashable) -> tuple[Completion, ...] | None:
        """Return the answers with their usage marked as cached, or None."""
        found = self._answers.get(key)
        if found is None:
            return None
        self._answers.move_to_end(key)
        return tuple(replace(c, usage=_at_no_cost(c.usage)) for c in found)

    def put(self, key: Hashable, answers: tuple[Completion, ...]) -> None:
        """Keep the answers to one question."""
        self._answers[key] = answers
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)


def _at_no_cost(usage: Usage) -> Usage:
    return replace(usage, cached=True, latency_s=0.0, cost=0.0)


class UsageMeter:
    """Collects usages until someone asks."""

    def __init__(self) -> None:
        self._usages: list[Usage] = []

    def add(self, usage: Usage) -> None:
        """Record one question."""
        self._usages.append(usage)

    def drain(self) -> tuple[Usage, ...]:
        """Return what was recorded since the last call."""
        usages, self._usages = tuple(self._usages), []
        return usages
