"""Whether a run can go on from a checkpoint, told by the names of settings.

It is looked at before worlds and workers are made. What only steers learning may change on the way:
rates, rewards, iterations, minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.train.config import TrainConfig, plain
from fmrl_robot.train.state_file import read_plain

FORMAT = 3
"""Of checkpoints; it changes where older ones cannot be read."""


def check_resumable(config: TrainConfig, file: Path) -> None:
    """Refuse to go on from a checkpoint that is not there, or is of a run of another shape.

    Raises:
        ConfigError: with what the run had and what was asked for.
    """
    if not file.is_file():
        raise ConfigError(
            f"expected a checkpoint at {file}, found none; train without --resume first",
            ErrorCode.ASSET_MISSING,
        )
    kept = read_plain(file)
    if (found := kept.get("format")) != FORMAT:
        raise ConfigError(
            f"expected a checkpoint of format {FORMAT} at {file}, got {found!r}; "
            "use the version of this library that wrote it, or train anew"
        )
    # Those of before the settings were kept have none to compare with.
    had, asked = _shape(kept.get("config", {})), _shape(plain(asdict(config)))
    had["workers"] = len(kept["workers"])
    other = {name: value for name, value in had.items() if value != asked.get(name, value)}
    if other:
        raise ConfigError(
            f"expected the settings of the run in {file.parent}, "
            f"{_told(other)}; got {_told({name: asked[name] for name in other})}. "
            "Leave them out to go on with it, or train anew with another --out"
        )


def _shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that everything which is kept depends on."""
    if not config:
        return {}
    named = {name: config[name] for name in ("task", "algorithm", "mirror", "workers")}
    of_ppo = config["algorithm"] == "ppo"
    networks, path = (config, "") if of_ppo else (config["sac"], "sac.")
    named |= {f"{path}{name}": networks[name] for name in ("actor", "critic")}
    if "num_envs" in config["task_settings"]:
        named["task_settings.num_envs"] = config["task_settings"]["num_envs"]
    return named


def _told(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())
