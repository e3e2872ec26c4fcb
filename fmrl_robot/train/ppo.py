"""PPO on any registered task, through rsl_rl.

Tasks are found by name in the registry, so that no simulator is imported here. A run's folder holds
the resolved configuration, TensorBoard's log and checkpoints that are written beside and renamed,
so that a kill leaves the last one whole; a run resumes from it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from rsl_rl.env import VecEnv as RslVecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import TASKS

if TYPE_CHECKING:
    from fmrl_robot.protocols import FloatBatch, VecEnv

log = logging.getLogger(__name__)
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, kw_only=True, slots=True)
class PPOConfig:
    """How one policy is trained."""

    task: str = "go2-saytap"
    task_settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Passed to the task's factory."""
    iterations: int = 1000
    steps_per_env: int = 24
    actor: tuple[int, ...] = (256, 128, 64)
    critic: tuple[int, ...] = (128, 128)
    epochs: int = 4
    mini_batches: int = 4
    learning_rate: float = 1e-3
    desired_kl: float = 0.01
    gamma: float = 0.99
    lam: float = 0.95
    entropy: float = 0.004
    initial_std: float = 0.8
    value_loss: float = 1.0
    seed: int = 0
    threads: int = 2
    """Of torch."""
    save_every: int = 25
    """Iterations from one checkpoint to the next."""
    minutes: float = 0.0
    """Stop after so long; 0: after ``iterations``."""
    imitation_rounds: int = 0
    """Episodes of imitation before the first iteration, where the task has a demonstrator."""
    mirror: bool = True
    """Make the actor commute with the task's left-right mirror, where it has one."""


class RslEnv(RslVecEnv):
    """A VecEnv of this project in rsl_rl's clothes: tensors instead of arrays."""

    def __init__(self, env: VecEnv) -> None:
        self.env = env
        self.num_envs, self.num_actions = env.num_envs, env.num_actions
        self.max_episode_length = env.max_episode_length
        self.device, self.cfg = "cpu", {}
        self.episode_length_buf = torch.zeros(env.num_envs, dtype=torch.long)
        self._last = self._tensors(env.reset())

    def get_observations(self) -> TensorDict:
        """Return the present observations by group."""
        return self._last

    def step(
        self, actions: torch.Tensor
    ) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Step all environments with actions (num_envs, num_actions)."""
        obs, rewards, dones, extras = self.env.step(actions.numpy())
        self._last = self._tensors(obs)
        out: dict[str, Any] = {"time_outs": torch.as_tensor(extras["time_outs"]).float()}
        if "log" in extras:
            out["log"] = extras["log"]
        return self._last, torch.as_tensor(rewards), torch.as_tensor(dones).long(), out

    def _tensors(self, obs: dict[str, FloatBatch]) -> TensorDict:
        return TensorDict(
            {k: torch.as_tensor(v) for k, v in obs.items()}, batch_size=[self.num_envs]
        )


class Runner(OnPolicyRunner):
    """rsl_rl's runner with one atomic checkpoint, a time budget and lines instead of pages."""

    deadline: float | None = None
    report: Callable[[str], None] = log.info
    _started = 0.0

    def begin(self, minutes: float, report: Callable[[str], None]) -> None:
        """Start the clock of the budget; ``report`` gets a line of progress now and then."""
        self._started, self.report = time.monotonic(), report
        self.deadline = self._started + 60 * minutes if minutes else None
        self.logger.git_status_repos.clear()
        # rsl_rl prints a page for every iteration; here a line now and then is enough.
        self.logger.log = self._log  # pyright: ignore[reportAttributeAccessIssue]

    def save(self, path: str, infos: dict[str, Any] | None = None) -> None:
        """Write the one checkpoint of this run whole or not at all."""
        folder = Path(path).parent
        temporary = folder / f".{CHECKPOINT}.{os.getpid()}"
        super().save(str(temporary), infos)
        temporary.replace(folder / CHECKPOINT)

    def _log(self, **values: Any) -> None:
        logger, it = self.logger, values["it"]
        writer: Any = logger.writer
        means: dict[str, float] = {}
        for extra in logger.ep_extras:
            for key, value in extra.items():
                means[key] = means.get(key, 0.0) + float(value) / len(logger.ep_extras)
        logger.ep_extras.clear()
        seconds = values["collect_time"] + values["learn_time"]
        steps = self.cfg["num_steps_per_env"] * self.env.num_envs
        logger.tot_timesteps += steps
        scalars = {
            **means,
            **{f"loss/{k}": v for k, v in values["loss_dict"].items()},
            "learner/rate": values["learning_rate"],
            "learner/std": values["action_std"].mean().item(),
            "speed/steps_per_s": steps / seconds,
            "speed/learning_share": values["learn_time"] / seconds,
        }
        if logger.lenbuffer:
            scalars["episode/length"] = sum(logger.lenbuffer) / len(logger.lenbuffer)
            scalars["episode/reward"] = sum(logger.rewbuffer) / len(logger.rewbuffer)
        for key, value in scalars.items():
            writer.add_scalar(key, value, it)
        done = it + 1 - values["start_it"]
        elapsed = time.monotonic() - self._started
        left = elapsed / done * (values["total_it"] - it - 1)
        if self.deadline is not None:
            left = min(left, self.deadline - time.monotonic())
        if it % 10 == 0:
            shown = " ".join(f"{k}={v:.4g}" for k, v in scalars.items())
            self.report(
                f"iteration={it + 1}/{values['total_it']} steps={logger.tot_timesteps} "
                f"elapsed_s={elapsed:.0f} eta_s={left:.0f} {shown}"
            )
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise BudgetSpentError


class BudgetSpentError(Exception):
    """The run's time is over; not an error, the way out of rsl_rl's loop."""


def runner_settings(config: PPOConfig, env: VecEnv) -> dict[str, Any]:
    """The nested dict that rsl_rl wants."""
    actor: dict[str, Any] = {
        "class_name": "MLPModel",
        "hidden_dims": list(config.actor),
        "activation": "elu",
        "distribution_cfg": {
            "class_name": "GaussianDistribution",
            "init_std": config.initial_std,
            "std_type": "log",
        },
    }
    mirror: Any = getattr(env, "mirror", None)
    if config.mirror and mirror is not None:
        actor["class_name"] = "fmrl_robot.train.symmetric:SymmetricMLPModel"
        actor["mirror"] = mirror()
    return {
        "seed": config.seed,
        "num_steps_per_env": config.steps_per_env,
        "save_interval": config.save_every,
        "obs_groups": {"actor": ["policy"], "critic": ["critic"]},
        "logger": "tensorboard",
        "multi_gpu": None,
        "actor": actor,
        "critic": {
            "class_name": "MLPModel",
            "hidden_dims": list(config.critic),
            "activation": "elu",
        },
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": config.epochs,
            "num_mini_batches": config.mini_batches,
            "learning_rate": config.learning_rate,
            "desired_kl": config.desired_kl,
            "gamma": config.gamma,
            "lam": config.lam,
            "entropy_coef": config.entropy,
            "value_loss_coef": config.value_loss,
            "schedule": "adaptive",
            "rnd_cfg": None,
            "symmetry_cfg": None,
        },
    }


def build_runner(config: PPOConfig, folder: Path) -> Runner:
    """Build task, networks and learner; nothing runs yet."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    env: VecEnv = TASKS.load(config.task)(**{"seed": config.seed, **config.task_settings})
    folder.mkdir(parents=True, exist_ok=True)
    return Runner(RslEnv(env), runner_settings(config, env), log_dir=str(folder), device="cpu")


def train(
    config: PPOConfig,
    folder: Path,
    *,
    resume: bool = False,
    report: Callable[[str], None] = log.info,
) -> Runner:
    """Train and leave a checkpoint in ``folder``; return the runner with the trained networks.

    Raises:
        ConfigError: the task is unknown, or there is nothing to resume from.
    """
    runner = build_runner(config, folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(plain(asdict(config)), sort_keys=False))
    if resume:
        load_checkpoint(runner, folder)
    elif config.imitation_rounds:
        _imitate(runner, config, report)
    runner.begin(config.minutes, report)
    try:
        runner.learn(max(1, config.iterations - runner.current_learning_iteration))
    except BudgetSpentError:
        runner.save(str(folder / CHECKPOINT))
    return runner


def _imitate(runner: Runner, config: PPOConfig, report: Callable[[str], None]) -> None:
    """Start from the task's demonstrator, on environments and seed of its own."""
    from fmrl_robot.train.imitation import ImitationConfig, imitate

    settings = {**config.task_settings, "seed": config.seed + 1, "scatter_episodes": False}
    copied = ImitationConfig(rounds=config.imitation_rounds, gamma=config.gamma)
    imitate(runner, TASKS.load(config.task)(**settings), copied, config.seed, report)


def load_checkpoint(runner: Runner, folder: Path) -> None:
    """Restore networks and optimiser; raises ConfigError where there is no checkpoint."""
    file = folder / CHECKPOINT
    if not file.is_file():
        raise ConfigError(
            f"expected a checkpoint at {file}, found none; train without resuming first",
            ErrorCode.ASSET_MISSING,
        )
    runner.load(str(file))


def plain(value: Any) -> Any:
    """Tuples as lists, so that YAML and JSON write them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value
