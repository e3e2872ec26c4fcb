"""Environment steps a second of learners on the Go2 task, with one network and batch for all."""

from __future__ import annotations

import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from bench.common import PHYSICS_DT_S
from fmrl_robot.train.config import TrainConfig
from fmrl_robot.train.ppo import LearnerConfig
from fmrl_robot.train.trainer import train
from fmrl_sim.tasks.saytap import make_go2

Mark = tuple[float, int]
"""Seconds, and environment steps up to then."""
STEPS = 24
LEARNER: dict[str, Any] = {"epochs": 5, "mini_batches": 4}
PEER_TORCH_THREADS = 2
"""Of learners that are one process; more and fewer were slower on four cores."""
PEERS = {"rsl_rl": "rsl_rl", "sb3": "stable_baselines3"}
"""Modules that learners by others need."""


def installed(learner: str) -> bool:
    """Whether a learner by others is there."""
    return find_spec(PEERS[learner]) is not None


def configuration(cores: int, robots: int, mirrored: bool, **more: Any) -> TrainConfig:
    """How ours trains here."""
    return TrainConfig(
        task_settings={"num_envs": robots, "physics_dt_s": PHYSICS_DT_S, "threads": 1},
        workers=cores,
        iterations=10**6,
        steps_per_env=STEPS,
        mirror=mirrored,
        **LEARNER | {"save_every": 10**6} | more,
    )


def ours(cores: int, robots: int, seconds: float, mirrored: bool) -> float:
    """Environment steps a second of collecting and learning, a worker a core."""
    marks: list[Mark] = []

    def hear(iteration: int, *_: Any) -> None:
        marks.append((time.perf_counter(), iteration * STEPS * robots))

    config = configuration(cores, robots, mirrored, minutes=seconds / 60)
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder), progress=hear)
    return _speed(marks)


def rsl_rl(cores: int, robots: int, seconds: float) -> float:
    """The same of rsl_rl's runner, with physics on all cores."""
    from bench.rsl_rl_peer import build

    marks: list[Mark] = []
    with tempfile.TemporaryDirectory() as folder:
        runner = build(_environment(cores, robots), folder, LearnerConfig(**LEARNER), STEPS)
        runner.measure(seconds, lambda *mark: marks.append(mark))
    return _speed(marks)


def sb3(cores: int, robots: int, seconds: float) -> float:
    """The same of stable-baselines3's PPO, with physics on all cores."""
    from bench.sb3_peer import measure

    settings = LearnerConfig(**LEARNER)
    return _speed(measure(_environment(cores, robots), settings, STEPS, seconds))


def _speed(marks: list[Mark]) -> float:
    """Steps a second from the end of the first iteration to the end of the last.

    NaN where the time was over within one iteration.
    """
    if len(marks) < 2:
        return float("nan")
    (began, before), (ended, after) = marks[0], marks[-1]
    return (after - before) / (ended - began)


def _environment(cores: int, robots: int) -> Any:
    torch.set_num_threads(PEER_TORCH_THREADS)
    torch.manual_seed(0)
    return make_go2(num_envs=robots, threads=cores, physics_dt_s=PHYSICS_DT_S)
