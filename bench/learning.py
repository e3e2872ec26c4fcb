"""Training runs whose snapshots are evaluated when they are over: only learning is timed."""

from __future__ import annotations

import copy
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.common import PHYSICS_DT_S
from bench.learners import LEARNER, PEER_TORCH_THREADS, STEPS, configuration
from fmrl_robot.train.learner import Policy
from fmrl_robot.train.ppo import LearnerConfig
from fmrl_robot.train.state_file import read_state
from fmrl_robot.train.trainer import CHECKPOINT, train
from fmrl_sim.tasks.saytap import make_go2

EVAL_ROBOTS, EVAL_STEPS, EVAL_SEED = 256, 500, 12345
"""Ten seconds of other robots, patterns and commands than those of training."""


@dataclass(frozen=True)
class Point:
    """One evaluated snapshot."""

    seconds: float
    steps: int
    reward: float
    """Mean return of EVAL_STEPS steps; who falls gets no more."""


Snapshot = tuple[float, int, nn.Module]
"""Seconds and environment steps of learning, and the actor from observations to mean actions."""


def run(learner: str, seed: int, cores: int, robots: int, minutes: float, points: int) -> Any:
    """Train one learner with one seed; return its curve, as dictionaries."""
    period = 60 * minutes / points
    if learner == "rsl_rl":
        snapshots = _theirs(seed, cores, robots, minutes, period)
    else:
        snapshots = _ours(seed, cores, robots, minutes, period, mirrored=learner == "mirrored")
    torch.set_num_threads(1)
    returns = [evaluate(actor, cores) for _, _, actor in snapshots]
    rows = zip(snapshots, returns, strict=True)
    return [asdict(Point(seconds, steps, value)) for (seconds, steps, _), value in rows]


class Keeper:
    """Keeps the networks of a run's checkpoints now and then while it goes on."""

    def __init__(self, file: Path, period_s: float) -> None:
        self.file, self.period_s, self.began = file, period_s, time.perf_counter()
        self.kept: list[tuple[float, int, dict[str, Any]]] = []
        """Seconds of learning, iteration, and what the networks had learned."""
        self._written = self._at()

    def _at(self) -> float:
        return self.file.stat().st_mtime if self.file.exists() else 0.0

    def look(self, *, last: bool = False) -> None:
        """Keep what has been written since the last look, if it is time or the end."""
        took, written = time.perf_counter() - self.began, self._at()
        if written == self._written or (took < self.period_s * len(self.kept) and not last):
            return
        self._written = written
        state = read_state(self.file)
        self.kept.append((took, state["iteration"], state["learner"]["networks"]))


def _ours(
    seed: int, cores: int, robots: int, minutes: float, period: float, *, mirrored: bool
) -> list[Snapshot]:
    config = configuration(cores, robots, mirrored, minutes=minutes, seed=seed, save_every=5)
    with tempfile.TemporaryDirectory() as name:
        keeper = Keeper(Path(name) / CHECKPOINT, period)

        def hear(iteration: int, *_: Any) -> None:
            # The first iteration's end starts the clock, for rsl_rl too: all are built by then.
            if iteration == 1:
                keeper.began = time.perf_counter()
            keeper.look()

        trainer = train(config, Path(name), progress=hear)
    return [
        (took, iteration * STEPS * robots, actor_of(trainer.networks, state))
        for took, iteration, state in keeper.kept
    ]


def actor_of(networks: Policy, state: dict[str, Any]) -> nn.Module:
    """The actor, from observations to mean actions, of networks as they had been."""
    assert isinstance(networks, nn.Module)
    networks.load_state_dict(state)
    return networks.plain_actor()


def _theirs(seed: int, cores: int, robots: int, minutes: float, period: float) -> list[Snapshot]:
    from bench.rsl_rl_peer import build

    torch.set_num_threads(PEER_TORCH_THREADS)
    env = make_go2(num_envs=robots, threads=cores, physics_dt_s=PHYSICS_DT_S, seed=seed)
    torch.manual_seed(seed)
    kept: list[Snapshot] = []
    first = 0.0
    with tempfile.TemporaryDirectory() as folder:
        runner = build(env, folder, LearnerConfig(**LEARNER), STEPS, seed)

        def hear(took: float, steps: int) -> None:
            nonlocal first
            first = first or took
            if took - first >= period * len(kept):
                kept.append((took - first, steps, copy.deepcopy(runner.alg.get_policy().as_jit())))

        runner.measure(60 * minutes, hear)
    return kept


@torch.no_grad()
def evaluate(actor: nn.Module, cores: int) -> float:
    """Mean return of the actor without exploration."""
    env = make_go2(num_envs=EVAL_ROBOTS, threads=cores, physics_dt_s=PHYSICS_DT_S, seed=EVAL_SEED)
    obs = env.reset()
    env.world.age.zero_()  # nobody's time is over before the end
    going, total = torch.ones(EVAL_ROBOTS), torch.zeros(EVAL_ROBOTS)
    for _ in range(EVAL_STEPS):
        obs, reward, done, _ = env.step(actor(obs["policy"]))
        total += going * reward
        going *= ~done
    return float(total.mean())
