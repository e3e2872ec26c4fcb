"""One training run: task, collector, learner, and the folder that it leaves.

Tasks are found by name in the registry, so that no simulator is imported here. The folder holds the
resolved configuration, TensorBoard's log and one checkpoint that is written beside and renamed, so
that a kill leaves the last one whole.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from torch.utils.tensorboard import SummaryWriter

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import writable_folder
from fmrl_robot.registry import TASKS
from fmrl_robot.train.cards import write_whole
from fmrl_robot.train.collect import Collector
from fmrl_robot.train.config import Targets, TrainConfig, plain
from fmrl_robot.train.interrupts import deferring
from fmrl_robot.train.learner import Learner
from fmrl_robot.train.losses import Loss
from fmrl_robot.train.networks import Mirror
from fmrl_robot.train.outside import outside_of
from fmrl_robot.train.ppo import PPO, ActorCritic
from fmrl_robot.train.resuming import FORMAT, check_resumable
from fmrl_robot.train.sac import SAC
from fmrl_robot.train.soft_networks import SoftActorCritic
from fmrl_robot.train.state_file import read_state, write_state
from fmrl_robot.train.team import Helpers, Team

with contextlib.suppress(ImportError):
    # torch asks for its LLVM when it first optimises; after Mesa's, which tasks load, that crashes.
    import triton  # noqa: F401 # pyright: ignore[reportUnusedImport]

if TYPE_CHECKING:
    from fmrl_robot.protocols import VecEnv

log = logging.getLogger(__name__)
Progress = Callable[[int, int, float, dict[str, float]], None]
"""Hears (iteration, iterations that there will be by the pace, seconds until then, curves)."""
CHECKPOINT, CONFIG = "checkpoint.safetensors", "config.yaml"
REPORT_EVERY = 10
"""Iterations from one line of progress to the next."""


class Trainer:
    """Builds everything; ``run`` trains."""

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        team: Team | None = None,
        losses: Sequence[Loss] = (),
    ) -> None:
        self.config, self.folder, self.iteration, self.losses = config, folder, 0, losses
        self.seconds = 0.0
        self.team = team = team or Team()
        torch.set_num_threads(1 if team.size > 1 else config.threads)
        seed, settings = config.seed + 1000 * team.rank, dict(config.task_settings)
        if team.size > 1:
            settings |= {"num_envs": _share(settings, team.size), "threads": 1}
        self.env: VecEnv = TASKS.load(config.task)(**{"seed": seed, **settings})
        if hasattr(self.env, "dump_dir"):
            self.env.dump_dir = folder / "broken"  # pyright: ignore[reportAttributeAccessIssue]
        self.num_envs = self.env.num_envs * team.size
        gamma = config.gamma if config.algorithm == "ppo" else config.sac.gamma
        self.outside = outside_of(config.outside, self.env, gamma, team)
        first = self.env.reset()
        self.device = first["policy"].device
        self.sizes = (first["policy"].shape[1], first["critic"].shape[1], self.env.num_actions)
        """Of the actor's observations, the critic's, and actions."""
        torch.manual_seed(config.seed)
        self.learner = self._learner(self.sizes)
        self.networks = self.learner.networks
        self.collector = Collector(
            self.env,
            self.networks,
            steps=config.steps_per_env,
            seed=seed + 1,
            outside=self.outside,
        )

    def _learner(self, sizes: tuple[int, int, int]) -> Learner:
        config, seed, team = self.config, self.config.seed, self.team
        discrete = getattr(self.env, "discrete", False)
        mirror = _mirror(self.env) if config.mirror else None
        if config.algorithm == "ppo":
            learner, picture = config.learner(), getattr(self.env, "picture", None)
            networks = ActorCritic(learner, sizes, mirror, picture, discrete=discrete)
            return PPO(learner, networks.to(self.device), seed, team, self.losses)
        if discrete or self.losses:
            raise ConfigError(
                f"expected algorithm=ppo for {'choices' if discrete else 'further losses'}, got "
                f"{config.algorithm!r}; soft actor-critic moves by numbers, and by its own losses"
            )
        sac = config.sac
        soft = SoftActorCritic(
            (sac.actor, sac.critic),
            sizes,
            mirror,
            action_range=sac.action_range,
            temperature=sac.initial_temperature,
        )
        return SAC(sac, soft.to(self.device), self.env.num_envs, seed, team, self.outside)

    def run(
        self,
        report: Callable[[str], None] = log.info,
        progress: Progress = lambda *_: None,
    ) -> None:
        """Train to the end of the iterations, of the time or to the targets; leave a checkpoint.

        Args:
            report: gets a line now and then.
            progress: hears of each iteration.

        Raises:
            ConfigError: there is no room to write; the last checkpoint is whole.
            KeyboardInterrupt: Ctrl-C came; the iteration was finished and is saved.
        """
        leads = self.team.rank == 0
        # What was logged after the checkpoint that this run goes on from is done again.
        writer = SummaryWriter(str(self.folder), purge_step=self.iteration + 1) if leads else None
        try:
            with deferring() as stopped:
                self._iterate(writer, stopped, report, progress)
        except OSError as error:  # of TensorBoard's log; it meets a full disk first
            raise ConfigError(
                f"expected to write in {self.folder}, got {error}; make room, and go on with "
                "--resume from the last checkpoint, which is whole",
                ErrorCode.WRITE_FAILED,
            ) from error
        finally:
            if writer is not None:
                with contextlib.suppress(OSError):  # told above, or nothing is left to write
                    writer.close()

    def _iterate(
        self,
        writer: SummaryWriter | None,
        stopped: Callable[[], bool],
        report: Callable[[str], None],
        progress: Progress,
    ) -> None:
        config, collector = self.config, self.collector
        reached = Targets(config.targets)
        began = time.monotonic() - self.seconds
        last = self._over(stopped())
        if last and not self.iteration:  # imitation was all
            self.save()
        while not last:
            tick = time.monotonic()
            rollout = collector.collect()
            collected = time.monotonic()
            curves = self.learner.update(rollout, self.iteration / config.iterations)
            now = time.monotonic()
            self.iteration += 1
            if self.outside is not None:
                self.outside.learn(self.iteration)
            self.seconds = now - began
            scalars = {
                **collector.drain_curves(),
                **curves,
                "speed/steps_per_s": config.steps_per_env * self.num_envs / (now - tick),
                "speed/learning_share": (now - collected) / (now - tick),
            }
            last = self._over(reached(scalars) or stopped())
            if writer is not None:
                for key, value in scalars.items():
                    writer.add_scalar(key, value, self.iteration)
            if last or self.iteration % config.save_every == 0:
                if writer is not None:
                    writer.flush()
                self.save()
            if writer is not None:  # whoever listens may be gone, but what was learned is saved
                progress(self.iteration, *self._ahead(), scalars)
                if self.iteration % REPORT_EVERY == 1 or last:
                    self._report(report, scalars)

    def _over(self, enough: bool) -> bool:
        """Whether this is the end; all have to end in one iteration, so the first one decides."""
        enough = enough or self.seconds > self._budget_s()
        told = torch.tensor(float(enough and self.team.rank == 0))
        return bool(self.team.mean_(told)) or self.iteration >= self.config.iterations

    def _budget_s(self) -> float:
        return 60.0 * self.config.minutes or float("inf")

    def _ahead(self) -> tuple[int, float]:
        """Iterations that there will be at the end, and the time until then in s, by the pace."""
        each = self.seconds / self.iteration
        left = each * (self.config.iterations - self.iteration)
        left = max(0.0, min(left, self._budget_s() - self.seconds))
        return min(self.config.iterations, self.iteration + round(left / each)), left

    def _report(self, report: Callable[[str], None], scalars: dict[str, float]) -> None:
        config, (_, left) = self.config, self._ahead()
        steps = self.iteration * config.steps_per_env * self.num_envs
        shown = " ".join(f"{k}={v:.4g}" for k, v in scalars.items())
        report(
            f"iteration={self.iteration}/{config.iterations} steps={steps} "
            f"elapsed_s={self.seconds:.0f} eta_s={left:.0f} {shown}"
        )

    def save(self) -> None:
        """Write the one checkpoint of this run whole or not at all."""
        state = {
            "format": FORMAT,
            "config": plain(asdict(self.config)),
            "num_envs": self.num_envs,
            "iteration": self.iteration,
            "seconds": self.seconds,
            "learner": self.learner.state_dict(),
            "workers": self.team.gather(self._own_state()),
        }
        if self.team.rank:
            return
        write_state(state, self.folder / CHECKPOINT)

    def _own_state(self) -> dict[str, Any]:
        """What each of a team has for itself."""
        own = {"collector": self.collector.state_dict(), **self.learner.own_state_dict()}
        return own if self.outside is None else {**own, "outside": self.outside.state_dict()}

    def load(self) -> None:
        """Go on from the folder's checkpoint.

        Raises:
            ConfigError: there is none, or it is of another format or of a run of another shape.
        """
        file = self.folder / CHECKPOINT
        check_resumable(self.config, file)
        state = read_state(file, self.device)
        if (had := state.get("num_envs", self.num_envs)) != self.num_envs:
            raise ConfigError(
                f"expected num_envs={had} as the run in {self.folder} had, got {self.num_envs}; "
                f"set task_settings.num_envs={had}, or train anew"
            )
        try:
            self.learner.load_state_dict(state["learner"])
            mine = state["workers"][self.team.rank]
            self.collector.load_state_dict(mine["collector"])
            self.learner.load_own_state_dict(mine)
            if self.outside is not None:
                goes_on = bool(mine["collector"])
                self.outside.load_state_dict(mine["outside"], goes_on=goes_on)
        except (RuntimeError, ValueError, KeyError) as error:
            raise ConfigError(
                f"expected a checkpoint at {file} that fits the settings, got one that does not: "
                f"{' '.join(str(error).split())}; resume with the settings of its {CONFIG}, or "
                "train anew"
            ) from error
        self.iteration, self.seconds = state["iteration"], state["seconds"]


def train(
    config: TrainConfig,
    folder: Path,
    *,
    resume: bool = False,
    losses: Sequence[Loss] = (),
    report: Callable[[str], None] = log.info,
    progress: Progress = lambda *_: None,
) -> Trainer:
    """Train and leave a checkpoint in ``folder``; return the trainer with the trained networks.

    Args:
        config: how.
        folder: of the run.
        resume: go on from the checkpoint there.
        losses: further ones of PPO, added to its own; several workers get them pickled.
        report: gets a line now and then.
        progress: hears of each iteration.

    Raises:
        ConfigError: the task is unknown, there is nothing to resume from, no run of these settings,
            or nothing can be written to the folder.
        KeyboardInterrupt: Ctrl-C came; what was learned is saved.
    """
    writable_folder(folder)
    if resume:
        check_resumable(config, folder / CHECKPOINT)
    if config.workers == 1:
        return _work(config, folder, resume, losses, Team(), report, progress)
    _share(config.task_settings, config.workers)
    with Helpers(config.workers, _work, config, folder, resume, losses) as helpers:
        return _work(config, folder, resume, losses, helpers.team(), report, progress)


def _work(
    config: TrainConfig,
    folder: Path,
    resume: bool,
    losses: Sequence[Loss],
    team: Team,
    report: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda *_: None,
) -> Trainer:
    trainer = Trainer(config, folder, team, losses)
    if resume:
        trainer.load()
    if team.rank == 0:
        write_whole(folder / CONFIG, yaml.safe_dump(plain(asdict(config)), sort_keys=False))
        if config.imitation_rounds and not resume:
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

    config, networks = trainer.config, trainer.networks
    if getattr(trainer.env, "discrete", False):
        raise ConfigError(
            "expected imitation_rounds=0 where actions are choices, got "
            f"{config.imitation_rounds}; give ppo a TeacherCrossEntropy as a further loss"
        )
    if not isinstance(networks, ActorCritic):
        raise ConfigError(
            f"expected imitation_rounds=0 with algorithm={config.algorithm}, "
            f"got {config.imitation_rounds}; only ppo starts from a demonstrator"
        )
    settings = {**config.task_settings, "seed": config.seed + 1, **config.imitation_settings}
    copied = ImitationConfig(
        rounds=config.imitation_rounds,
        updates=config.imitation_updates,
        batch=config.imitation_batch,
        gamma=config.gamma,
    )
    env = TASKS.load(config.task)(**settings)
    imitate(networks, env, copied, config.seed, report)
