"""The small worlds that are looked at, behind VecEnv: tasks for rewards that only see.

The task's own reward is ground truth, 1 where its fact holds, so that a policy which learns from
pictures is judged by the curve ``episode/success`` of any training run, and one that learns from
truth is the same recipe without a term from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import SEEN_ENVS
from fmrl_robot.skills.captioner import caption
from fmrl_robot.types import FloatArray, Predicate

if TYPE_CHECKING:
    from fmrl_robot.protocols.reward import Sight
    from fmrl_sim.seen_env import SeenEnv

DT_S = 0.1
"""A step stands for so long; these worlds have no clock."""


class SeenTask:
    """Copies of one small world in step; implements VecEnv, and shows what its steps led to.

    Nothing but the end of time ends an episode, and that comes everywhere at once.
    """

    sights: tuple[Sight, ...] = ("frame", "state", "caption", "summary", "truth")

    def __init__(
        self,
        world: str,
        fact: str,
        *,
        num_envs: int = 8,
        seed: int = 0,
        cameras: Sequence[str] = (),
        threads: int = 1,
    ) -> None:
        """Build copies.

        Args:
            world: name among the worlds that are seen.
            fact: what the task's own reward is for, such as ``sitting(robot)``.
            num_envs: how many copies.
            seed: of all chance.
            cameras: views of a frame, in this order; the world's first by default.
            threads: for others; this has one.

        Raises:
            ConfigError: the world is unknown or has no such camera.
        """
        del threads
        self._worlds: list[SeenEnv] = [SEEN_ENVS.load(world)() for _ in range(num_envs)]
        first = self._worlds[0]
        self.cameras = tuple(cameras) or tuple(first.cameras[:1])
        if unknown := set(self.cameras) - set(first.cameras):
            raise ConfigError(
                f"expected cameras of {world!r}: {', '.join(first.cameras)}; got {sorted(unknown)}"
            )
        self.fact = Predicate.parse(fact)
        self.num_envs, self.num_actions = num_envs, first.actions
        self.control_dt_s, self.max_episode_length = DT_S, first.steps
        self._rng = np.random.default_rng(seed)
        self._shown: tuple[Sight, ...] = ()
        self._age = 0
        self._told: list[list[str]] = [[] for _ in self._worlds]
        """What was to be said in each world's episode, each once in a row."""

    def show(self, sights: Sequence[Sight]) -> None:
        """Tell under ``shown`` of every step's extras what it led to."""
        self._shown = tuple(sights)

    def reset(self) -> dict[str, torch.Tensor]:
        """Begin an episode everywhere."""
        self._age = 0
        self._told = [[] for _ in self._worlds]
        return _seen([world.reset(self._rng) for world in self._worlds])

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Act; an action of -1 to 1 is the most that a step changes."""
        told = np.nan_to_num(actions.cpu().numpy().astype(np.float64))
        rows = [w.step(a) for w, a in zip(self._worlds, told, strict=True)]
        holds = torch.tensor([world.holds(self.fact) for world in self._worlds])
        self._age += 1
        over = torch.full((self.num_envs,), self._age >= self.max_episode_length)
        extras: dict[str, Any] = {"time_outs": over, "success": holds}
        if self._shown:
            extras["shown"] = self.look(range(self.num_envs), rows)
        seen = self.reset() if bool(over[0]) else _seen(rows)
        return seen, holds.float(), over, extras

    def look(
        self, worlds: Sequence[int], observed: Sequence[FloatArray] | None = None
    ) -> dict[Sight, Any]:
        """What ``worlds`` show now; see Sight."""
        found: dict[Sight, Any] = {}
        for sight in self._shown:
            values = [self._one(sight, w, observed[w] if observed else None) for w in worlds]
            found[sight] = values if sight in ("caption", "summary") else np.stack(values)
        return found

    def _one(self, sight: Sight, number: int, observed: FloatArray | None) -> Any:
        world = self._worlds[number]
        if sight == "frame":
            return np.stack([world.picture(camera) for camera in self.cameras])
        if sight == "truth":
            return np.array([world.margin(self.fact)], np.float32)
        if sight == "state":
            now = world.observed() if observed is None else observed
            return now.astype(np.float32)
        words = ", ".join(sorted(caption(fact) for fact in world.facts()))
        if sight == "caption":
            return words
        told = self._told[number]
        if not told or told[-1] != words:
            told.append(words)
        return "; then ".join(told)


def _seen(rows: Sequence[Any]) -> dict[str, torch.Tensor]:
    both = torch.tensor(np.stack(rows), dtype=torch.float32)
    return {"policy": both, "critic": both}


make_above = partial(SeenTask, "tool", "above(gripper, red_cube)")
make_sitting = partial(SeenTask, "posture", "sitting(robot)")
