"""How one policy is trained: the fields of a recipe, and the targets that end a run early."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from fmrl_robot.settings import Amount, Count, Whole
from fmrl_robot.train.outside import OutsideConfig
from fmrl_robot.train.ppo import LearnerConfig
from fmrl_robot.train.sac import SACConfig

TARGET_WINDOW = 50
"""Iterations over which a curve is averaged for a target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(LearnerConfig):
    """How one policy is trained."""

    algorithm: Literal["ppo", "sac"] = "ppo"
    """The fields of LearnerConfig are those of ppo."""
    sac: SACConfig = field(default_factory=SACConfig)
    task: str = "go2-saytap"
    task_settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Passed to the task's factory."""
    outside: OutsideConfig = field(default_factory=OutsideConfig)
    """Rewards that stand in the place of the task's own, or beside it."""
    workers: Count = 1
    """Processes that learn together on a CPU; the task's ``num_envs`` are shared among them."""
    iterations: Whole = 1000
    steps_per_env: Count = 24
    seed: int = 0
    threads: Count = 2
    """Of torch, for one worker; several have one each."""
    save_every: Count = 25
    """Iterations from one checkpoint to the next."""
    minutes: Amount = 0.0
    """Stop after so long, all that a resumed run was trained before included; 0: after
    ``iterations``."""
    targets: dict[str, float] = field(default_factory=dict[str, float])
    """Stop early once each of these curves has stayed at its value or above on average over the
    last TARGET_WINDOW iterations."""
    imitation_rounds: Whole = 0
    """Episodes of imitation before the first iteration, where the task has a demonstrator."""
    imitation_updates: Count = 1500
    """Gradient steps after each of them."""
    imitation_batch: Count = 1024
    imitation_settings: dict[str, Any] = field(default_factory=lambda: {"scatter_episodes": False})
    """What differs from ``task_settings`` in those episodes."""
    mirror: bool = True
    """Make the actor commute with the task's left-right mirror, where it has one."""

    def learner(self) -> LearnerConfig:
        """The part that the learner needs."""
        return LearnerConfig(**{f.name: getattr(self, f.name) for f in fields(LearnerConfig)})


class Targets:
    """Whether curves have been high enough for a while."""

    def __init__(self, targets: Mapping[str, float]) -> None:
        self._targets = dict(targets)
        self._recent = {key: deque[float](maxlen=TARGET_WINDOW) for key in targets}

    def __call__(self, curves: Mapping[str, float]) -> bool:
        """Hear an iteration's curves; True once every target is reached."""
        for key, recent in self._recent.items():
            if key in curves:
                recent.append(curves[key])
        return bool(self._targets) and all(
            len(recent) == TARGET_WINDOW and sum(recent) / TARGET_WINDOW >= self._targets[key]
            for key, recent in self._recent.items()
        )


def plain(value: Any) -> Any:
    """Tuples as lists, so that YAML and JSON write them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value
