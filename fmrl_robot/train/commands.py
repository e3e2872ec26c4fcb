"""What ``fmrl train`` and ``fmrl eval`` do with a policy's name.

A policy's folder holds its recipe (config.yaml), its checkpoint while it is trained, and what is
shipped: policy.onnx, critic.onnx and card.json. Without an own folder to write to, a run goes to
runs/train.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.assets import policies_dir
from fmrl_robot.errors import ConfigError
from fmrl_robot.files import read_settings
from fmrl_robot.registry import TASKS
from fmrl_robot.settings import build, changed
from fmrl_robot.train.cards import write_whole
from fmrl_robot.train.config import TrainConfig, plain
from fmrl_robot.train.evaluate import CARD, CRITIC, POLICY, Evaluable, evaluate
from fmrl_robot.train.export import export_critic, export_policy
from fmrl_robot.train.state_file import read_plain
from fmrl_robot.train.trainer import CHECKPOINT, CONFIG, Progress, Trainer, train

log = logging.getLogger(__name__)


def recipe(
    name: str, folder: Path | None = None, changes: Mapping[str, Any] | None = None
) -> TrainConfig:
    """The configuration of a policy: its config.yaml where it has one, else the defaults.

    Args:
        name: registered task.
        folder: holds config.yaml; None: the shipped one.
        changes: other values of fields, by dotted path.

    Raises:
        ConfigError: no such task, a config.yaml that is none, or a field that TrainConfig has not
            or does not take.
    """
    if name not in TASKS.names():
        raise ConfigError(f"expected one of the tasks {list(TASKS.names())}, got {name!r}")
    file = (folder or policies_dir() / name) / CONFIG
    values = read_settings(file) if file.is_file() else {}
    values.pop("result", None)
    return build(TrainConfig, changed({"task": name, **values}, changes or {}), str(file))


def train_policy(
    name: str,
    out: Path | None = None,
    *,
    resume: bool = False,
    report: Callable[[str], None] = log.info,
    progress: Progress = lambda *_: None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Train by recipe, export and evaluate; return the folder with policy and card.

    Args:
        name: registered task.
        out: folder of the run; None: runs/train/<name>.
        resume: go on from the checkpoint in ``out``, with the settings there.
        report: gets a line now and then.
        progress: hears of each iteration.
        settings: fields of TrainConfig, by dotted path, that differ from the recipe, or from those
            of the run that goes on.

    Raises:
        ConfigError: the task or a field is unknown, or the run cannot go on like this.
        KeyboardInterrupt: Ctrl-C came; what was learned is saved.
    """
    folder = out or run_folder(name)
    if resume and (folder / CONFIG).is_file():
        # As it began, but for what is told now.
        config = recipe(name, folder, {"task": name, **(settings or {})})
        begun = read_plain(folder / CHECKPOINT) if (folder / CHECKPOINT).is_file() else {}
    else:
        config, begun = recipe(name, changes=settings), {}
    trainer = train(config, folder, resume=resume, report=report, progress=progress)
    if begun.get("iteration") == trainer.iteration:
        report(
            f"nothing left to train: iteration={trainer.iteration} of {config.iterations}, "
            f"minutes={trainer.seconds / 60:.1f} of {config.minutes or 'any'}; "
            "go on with a greater --iterations or --minutes"
        )
        if (folder / POLICY).is_file() and (folder / CARD).is_file():
            return folder
    if hasattr(trainer.env, "contract"):
        finish(trainer)
        evaluate(config.task, folder)
        report(f"policy={folder / POLICY} card={folder / CARD}")
    else:
        report(f"task={name} has no robot's contract: its policy stays in {folder / CHECKPOINT}")
    return folder


def run_folder(name: str) -> Path:
    """Where a run is left that was given no folder."""
    return Path("runs") / "train" / name


def export_checkpoint(name: str, folder: Path) -> None:
    """Export the checkpoint that a run left in ``folder``, trained to its end or not."""
    trainer = Trainer(recipe(name, folder), folder)
    trainer.load()
    finish(trainer)


def finish(trainer: Trainer) -> None:
    """Write actor and critic as ONNX, and the configuration with how far training came."""
    config, folder = trainer.config, trainer.folder
    task: Evaluable = trainer.env  # pyright: ignore[reportAssignmentType]
    contract, sac = task.contract(), config.algorithm == "sac"
    export_policy(trainer.networks.plain_actor(), contract, folder / POLICY)
    export_critic(
        trainer.networks.plain_critic(),
        trainer.sizes[1] + trainer.sizes[2] * sac,
        contract,
        folder / CRITIC,
        reads="observations and action" if sac else "observations",
        gamma=config.sac.gamma if sac else config.gamma,
    )
    steps = trainer.iteration * config.steps_per_env * trainer.num_envs
    result = {"iterations": trainer.iteration, "env_steps": steps}
    text = yaml.safe_dump(plain({**asdict(config), "result": result}), sort_keys=False)
    write_whole(folder / CONFIG, text)


def eval_policy(name: str, folder: Path | None = None, **settings: Any) -> dict[str, Any]:
    """Evaluate a policy, by default the shipped one, and write its card; return the card."""
    where = folder or policies_dir() / name
    return evaluate(recipe(name, where).task, where, **settings)
