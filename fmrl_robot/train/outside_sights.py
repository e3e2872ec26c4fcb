"""What a task showed of the steps of a rollout, gathered so that rewards are asked in one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.protocols.reward import Sight


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Of one rollout, by sight; step by step, of each step all worlds."""

    steps: dict[Sight, Any]
    """What steps led to."""
    begun: dict[Sight, Any]
    """Of worlds that ended, in the order of their ends, where they began anew; may be empty."""


class Sights:
    """Asks the task for what the rewards need, and gathers it."""

    def __init__(self, env: Any, wanted: Mapping[str, Sequence[Sight]]) -> None:
        """Tell the task what to show.

        Raises:
            ConfigError: it cannot.
        """
        offered: Sequence[Sight] = getattr(env, "sights", ())
        for reward, sights in wanted.items():
            if missing := set(sights) - set(offered):
                raise ConfigError(
                    f"expected a task that shows {', '.join(sorted(missing))} for the reward "
                    f"{reward!r}, got one that shows {', '.join(offered) or 'nothing'}; choose "
                    "another task or reward (docs/your_reward.md)",
                    ErrorCode.CAPABILITY_MISSING,
                )
        self._env: Any = env
        every: dict[Sight, None] = dict.fromkeys(s for sights in wanted.values() for s in sights)
        self._env.show(tuple(every))
        self._steps: list[dict[Sight, Any]] = []
        self._begun: list[dict[Sight, Any]] = []

    def clear(self) -> None:
        """Forget what was gathered."""
        self._steps, self._begun = [], []

    def look(self) -> dict[Sight, Any]:
        """What all worlds show now."""
        return self._env.look(range(self._env.num_envs))

    def see(self, extras: Mapping[str, Any], done: Tensor, *, look: bool) -> None:
        """Gather what a step led to, and with ``look`` where worlds that ended began anew."""
        self._steps.append(extras["shown"])
        if look and bool(done.any()):
            self._begun.append(self._env.look(done.nonzero().squeeze(1).tolist()))

    def take(self) -> Seen:
        """What was gathered since the last call."""
        seen = Seen(steps=_joined(self._steps), begun=_joined(self._begun))
        self.clear()
        return seen


def _joined(parts: Sequence[dict[Sight, Any]]) -> dict[Sight, Any]:
    if not parts:
        return {}
    return {
        sight: np.concatenate([part[sight] for part in parts])
        if isinstance(first, np.ndarray)
        else [text for part in parts for text in part[sight]]
        for sight, first in parts[0].items()
    }
