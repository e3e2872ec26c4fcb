"""One training run: task, collector, learner, and the folder that it leaves.

Tasks are found by name in the registry, so that no simulator is imported here. The folder holds the
resolved configuration, TensorBoard's log and one checkpoint that is written beside and renamed, so
that a kill leaves the last one whole.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from torch.utils.tensorboard import SummaryWriter

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import TASKS
from fmrl_robot.settings import Amount, Count
from fmrl_robot.train.collect import Collector
from fmrl_robot.train.networks import Mirror
from fmrl_robot.train.ppo import PPO, ActorCritic, LearnerConfig
from fmrl_robot.train.team import Helpers, Team

if TYPE_CHECKING:
    from fmrl_robot.protocols import VecEnv

log = logging.getLogger(__name__)
Progress = Callable[[int, int, dict[str, float]], None]
"""Hears (iteration, iterations, curves)."""
CHECKPOINT, CONFIG = "checkpoint.pt", "config.yaml"
TARGET_WINDOW = 50
REPORT_EVERY = 10
"""Iterations from one line of progress to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(LearnerConfig):
    """How one policy is trained."""

    task: str = "go2-saytap"
    task_settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Passed to the task's factory."""
    workers: Count = 1
    """Processes that learn together on a CPU; the task's ``num_envs`` are shared among them."""
    iterations: Count = 1000
    steps_per_env: Count = 24
    seed: int = 0
    threads: Count = 2
    """Of torch, for one worker; several have one each."""
    save_every: Count = 25
    """Iterations from one checkpoint to the next."""
    minutes: Amount = 0.0
    """Stop after so long; 0: after ``iterations``."""
    targets: dict[str, float] = field(default_factory=dict[str, float])
    """Stop early once each of these curves has stayed at its value or above on average over the
    last TARGET_WINDOW iterations."""
    imitation_rounds: int = 0
    """Episodes of imitation before the first iteration, where the task has a demonstrator."""
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


class Trainer:
    """Builds everything; ``run`` trains."""

    def __init__(self, config: TrainConfig, folder: Path, team: Team | None = None) -> None:
        self.config, self.folder, self.iteration = config, folder, 0
        self.team = team = team or Team()
        torch.set_num_threads(1 if team.size > 1 else config.threads)
        seed, settings = config.seed + 1000 * team.rank, dict(config.task_settings)
        if team.size > 1:
            settings |= {"num_envs": _share(settings, team.size), "threads": 1}
        self.env: VecEnv = TASKS.load(config.task)(**{"seed": seed, **settings})
        if hasattr(self.env, "dump_dir"):
            self.env.dump_dir = folder / "broken"  # pyright: ignore[reportAttributeAccessIssue]
        self.num_envs = self.env.num_envs * team.size
        first = self.env.reset()
        self.device = first["policy"].device
        sizes = (first["policy"].shape[1], first["critic"].shape[1], self.env.num_actions)
        torch.manual_seed(config.seed)
        networks = ActorCritic(
            config.learner(), sizes, _mirror(self.env) if config.mirror else None
        )
        self.networks = networks.to(self.device)
        self.learner = PPO(config.learner(), self.networks, config.seed, team)
        self.collector = Collector(
            self.env, self.networks, steps=config.steps_per_env, seed=seed + 1
        )

    def run(
        self,
        report: Callable[[str], None] = log.info,
        progress: Progress = lambda *_: None,
    ) -> None:
        """Train to the end of the iterations, of the time or to the targets; leave a checkpoint.

        Args:
            report: gets a line now and then.
            progress: gets (iteration, iterations, curves) after each iteration.
        """
        config, collector = self.config, self.collector
        reached = Targets(config.targets)
        leads = self.team.rank == 0
        writer = SummaryWriter(str(self.folder), purge_step=self.iteration) if leads else None
        began, first = time.monotonic(), self.iteration
        deadline = began + 60 * config.minutes if config.minutes else float("inf")
        last = False
        while not last:
            tick = time.monotonic()
            rollout = collector.collect()
            collected = time.monotonic()
            curves = self.learner.update(rollout, self.iteration / config.iterations)
            now = time.monotonic()
            self.iteration += 1
            scalars = {
                **collector.drain_curves(),
                **{f"loss/{key}": value for key, value in curves.items()},
                "learner/rate": self.learner.learning_rate,
                "learner/std": float(self.networks.log_std.detach().exp().mean()),
                "speed/steps_per_s": config.steps_per_env * self.num_envs / (now - tick),
                "speed/learning_share": (now - collected) / (now - tick),
            }
            # Everybody has to end in the same iteration; the first process decides.
            over = torch.tensor(float(leads and (now > deadline or reached(scalars))))
            last = self.iteration >= config.iterations or bool(self.team.mean_(over))
            if writer is not None:
                progress(self.iteration, config.iterations, scalars)
                for key, value in scalars.items():
                    writer.add_scalar(key, value, self.iteration)
                if self.iteration % REPORT_EVERY == 1 or last:
                    self._report(report, scalars, began, first, deadline)
            if last or self.iteration % config.save_every == 0:
                self.save()
        if writer is not None:
            writer.close()

    def _report(
        self,
        report: Callable[[str], None],
        scalars: dict[str, float],
        began: float,
        first: int,
        deadline: float,
    ) -> None:
        config, elapsed = self.config, time.monotonic() - began
        left = elapsed / (self.iteration - first) * (config.iterations - self.iteration)
        left = max(0.0, min(left, deadline - time.monotonic()))
        steps = self.iteration * config.steps_per_env * self.num_envs
        shown = " ".join(f"{k}={v:.4g}" for k, v in scalars.items())
        report(
            f"iteration={self.iteration}/{config.iterations} steps={steps} "
            f"elapsed_s={elapsed:.0f} eta_s={left:.0f} {shown}"
        )

    def save(self) -> None:
        """Write the one checkpoint of this run whole or not at all."""
        state = {
            "iteration": self.iteration,
            "learner": self.learner.state_dict(),
            "workers": self.team.gather(
                {"collector": self.collector.state_dict(), "rng": self.learner.rng.get_state()}
            ),
        }
        if self.team.rank:
            return
        temporary = self.folder / f".{CHECKPOINT}.{os.getpid()}"
        torch.save(state, temporary)
        temporary.replace(self.folder / CHECKPOINT)

    def load(self) -> None:
        """Go on from the folder's checkpoint.

        Raises:
            ConfigError: there is none.
        """
        file = self.folder / CHECKPOINT
        if not file.is_file():
            raise ConfigError(
                f"expected a checkpoint at {file}, found none; train without resuming first",
                ErrorCode.ASSET_MISSING,
            )
        state = torch.load(file, map_location=self.device, weights_only=True)
        self.iteration = state["iteration"]
        self.learner.load_state_dict(state["learner"])
        workers = state["workers"]
        if len(workers) != self.team.size:
            raise ConfigError(
                f"expected workers={len(workers)}, as the run began, got {self.team.size}; "
                "a run goes on with as many as it had"
            )
        mine = workers[self.team.rank]
        self.collector.load_state_dict(mine["collector"])
        self.learner.rng.set_state(mine["rng"])


def train(
    config: TrainConfig,
    folder: Path,
    *,
    resume: bool = False,
    report: Callable[[str], None] = log.info,
    progress: Progress = lambda *_: None,
) -> Trainer:
    """Train and leave a checkpoint in ``folder``; return the trainer with the trained networks.

    Raises:
        ConfigError: the task is unknown, or there is nothing to resume from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if config.workers == 1:
        return _work(config, folder, resume, Team(), report, progress)
    helpers = Helpers(config.workers, _help, config, folder, resume)
    try:
        team = Team(0, config.workers, helpers.port)
        trainer = _work(config, folder, resume, team, report, progress)
        team.close()
        return trainer
    finally:
        helpers.close()


def _help(config: TrainConfig, folder: Path, resume: bool, rank: int, size: int, port: int) -> None:
    """Be one of the processes that the first one started."""
    team = Team(rank, size, port)
    _work(config, folder, resume, team)
    team.close()


def _work(
    config: TrainConfig,
    folder: Path,
    resume: bool,
    team: Team,
    report: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda *_: None,
) -> Trainer:
    trainer = Trainer(config, folder, team)
    if team.rank == 0:
        (folder / CONFIG).write_text(yaml.safe_dump(plain(asdict(config)), sort_keys=False))
    if resume:
        trainer.load()
    elif config.imitation_rounds and team.rank == 0:
        _imitate(trainer, report)
    for values in trainer.networks.state_dict().values():
        team.share_(values)
    trainer.run(report, progress)
    return trainer


def _share(settings: dict[str, Any], workers: int) -> int:
    """Robots of each worker."""
    total = settings.get("num_envs")
    if not isinstance(total, int) or total % workers:
        raise ConfigError(
            f"expected task_settings.num_envs to be a multiple of workers={workers}, got {total!r}"
        )
    return total // workers


def _mirror(env: Any) -> tuple[Mirror, Mirror] | None:
    """Reflections of observations and actions, where the task has them."""
    told = getattr(env, "mirror", None)
    if told is None:
        return None
    parts = told()
    seen, answered = (
        Mirror(swap=tuple(parts[f"{of}_swap"]), sign=tuple(parts[f"{of}_sign"]))
        for of in ("observation", "action")
    )
    return seen, answered


def _imitate(trainer: Trainer, report: Callable[[str], None]) -> None:
    """Start from the task's demonstrator, on environments and seed of its own."""
    from fmrl_robot.train.imitation import ImitationConfig, imitate

    config = trainer.config
    settings = {**config.task_settings, "seed": config.seed + 1, **config.imitation_settings}
    copied = ImitationConfig(rounds=config.imitation_rounds, gamma=config.gamma)
    env = TASKS.load(config.task)(**settings)
    imitate(trainer.networks, env, copied, config.seed, report)


def plain(value: Any) -> Any:
    """Tuples as lists, so that YAML and JSON write them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value
