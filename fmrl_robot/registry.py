"""Names to factories, loaded when first asked for.

A registry holds what this project ships as ``module:attribute`` strings and what other installed
packages declare as entry points of its group. So a name can be listed without importing what it
stands for, and no room of the library has to import another to reach it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode


class Registry:
    """One kind of pluggable thing."""

    def __init__(
        self, group: str, builtin: Mapping[str, str], missing: ErrorCode = ErrorCode.CONFIG_INVALID
    ) -> None:
        self.group = group
        self._builtin = dict(builtin)
        self._missing = missing

    def _targets(self) -> dict[str, str]:
        return {**self._builtin, **{e.name: e.value for e in entry_points(group=self.group)}}

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted."""
        return tuple(sorted(self._targets()))

    def load(self, name: str) -> Any:
        """Import and return what ``name`` stands for.

        Raises:
            ConfigError: the name is not known; the message lists those that are.
        """
        targets = self._targets()
        if name not in targets:
            known = ", ".join(sorted(targets)) or "none"
            raise ConfigError(
                f"expected one of the {self.group}: {known}; got {name!r}", self._missing
            )
        module, _, attribute = targets[name].partition(":")
        return getattr(importlib.import_module(module), attribute)


CONTROLLERS = Registry(
    "fmrl.controllers",
    {
        "arm": "fmrl_robot.control.arm:ArmController",
        "quadruped": "fmrl_robot.control.quadruped:QuadrupedController",
    },
    ErrorCode.NO_POLICY_FITS,
)
"""Controllers by ``RobotSpec.kind``: callables ``(spec, *, policies: Path | None)``."""

METHODS = Registry(
    "fmrl.methods",
    {"psl": "fmrl_robot.methods.psl:PSL", "saytap": "fmrl_robot.methods.saytap:SayTap"},
    ErrorCode.METHOD_UNKNOWN,
)
"""Planners of the survey, by paper name: callables that build a Planner from keyword arguments."""

LANGUAGE_MODELS = Registry(
    "fmrl.language_models",
    {
        "embedded": "fmrl_robot.fm.embedded:load_language_model",
        "transformers": "fmrl_robot.fm.transformers_lm:load_language_model",
        "scripted": "fmrl_robot.fm.scripted:load_language_model",
    },
)
"""Back ends for text, by the part before the colon of ``transformers:<path or hub id>``."""

VISION_MODELS = Registry(
    "fmrl.vision_models",
    {
        "embedded": "fmrl_robot.fm.embedded:load_vision_model",
        "open_clip": "fmrl_robot.fm.open_clip_vision:load_vision_model",
    },
)
"""Back ends that embed images and texts in one space."""

REWARDS = Registry("fmrl.rewards", {"vlm_rm": "fmrl_robot.rewards.vlm_rm:VLMRM"})
"""Reward models, by paper name."""

TASKS = Registry("fmrl.tasks", {})
"""Training tasks; fmrl_sim declares its own as entry points."""

SCENES = Registry("fmrl.scenes", {})
"""Simulated scenes; fmrl_sim declares its own as entry points."""

FRAMES = Registry("fmrl.frames", {})
"""Renderers of labelled frames for vision recipes; fmrl_sim declares its own as entry points."""

BODIES = Registry("fmrl.bodies", {})
"""What can be commanded: simulators and drivers, declared as entry points."""

EVALUATIONS = Registry(
    "fmrl.evaluations",
    {
        "exit-codes": "fmrl_robot.reproduce.exit_codes:main",
        "reward": "fmrl_robot.reproduce.reward_runs:main",
        "spine": "fmrl_robot.reproduce.spine:main",
    },
)
"""What ``fmrl eval`` measures besides policies: callables ``(arguments) -> exit code``."""
