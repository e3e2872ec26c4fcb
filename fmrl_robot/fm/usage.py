"""What questions to models cost, and answers kept so that none is asked twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace

from fmrl_robot.types import Usage


def prompt_sha256(prompt: str) -> str:
    """Hash a prompt, so that a record can name it without keeping it."""
    return hashlib.sha256(prompt.encode()).hexdigest()


class TextCache:
    """The last answers of one model, least recently used dropped first."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._answers: OrderedDict[tuple[object, ...], tuple[str, Usage]] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> tuple[str, Usage] | None:
        """Return the answer with its usage marked as cached, or None."""
        found = self._answers.get(key)
        if found is None:
            return None
        self._answers.move_to_end(key)
        text, usage = found
        return text, replace(usage, cached=True, latency_s=0.0, cost=0.0)

    def put(self, key: tuple[object, ...], text: str, usage: Usage) -> None:
        """Keep an answer."""
        self._answers[key] = (text, usage)
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)


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
