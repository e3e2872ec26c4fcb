"""Names to factories, loaded when first asked for.

A registry holds what this project ships as ``module:attribute`` strings and what other installed
packages declare as entry points of its group. So a name can be listed without importing what it
stands for, and no room of the library has to import another to reach it.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode


@cache
def _declared(group: str) -> Mapping[str, str]:
    """What installed packages declare; they stay as they are while a process runs."""
    return {e.name: e.value for e in entry_points(group=group)}


class Registry:
    """One kind of pluggable thing."""

    def __init__(
        self, group: str, builtin: Mapping[str, str], missing: ErrorCode = ErrorCode.CONFIG_INVALID
    ) -> None:
        self.group = group
        self._builtin = dict(builtin)
        self._missing = missing
        self._lent: dict[str, Any] = {}

    def _targets(self) -> dict[str, str]:
        return {**self._builtin, **_declared(self.group)}

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted."""
        return tuple(sorted({*self._targets(), *self._lent}))

    @contextmanager
    def lent(self, name: str, thing: Any) -> Generator[None]:
        """Know ``thing`` by ``name`` for a while, in this process: for tests and notebooks."""
        before = dict(self._lent)
        self._lent[name] = thing
        try:
            yield
        finally:
            self._lent = before

    def check(self, name: str) -> None:
        """Refuse a name that is not known, without importing anything.

        Raises:
            ConfigError: the message lists those that are.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ConfigError(
                f"expected one of the {self.group}: {known}; got {name!r}; name one of them, or "
                "install the package that has it",
                self._missing,
            )

    def load(self, name: str) -> Any:
        """Import and return what ``name`` stands for.

        Raises:
            ConfigError: the name is not known; the message lists those that are.
        """
        if name in self._lent:
            return self._lent[name]
        self.check(name)
        module, _, attribute = self._targets()[name].partition(":")
        return getattr(importlib.import_module(module), attribute)


CONTROLLERS = Registry(
    "fmrl.controllers",
    {
        "arm": "fmrl_robot.control.arm:ArmController",
        "quadruped": "fmrl_robot.control.quadruped:QuadrupedController",
    },
    ErrorCode.NO_POLICY_FITS,
)
"""Controllers by ``RobotSpec.kind``: callables ``(spec, *, policies: Path | None)``,
a quadruped's with ``walk_policy: str`` besides."""

SKILLS = Registry(
    "fmrl.skills",
    {
        "grasp": "fmrl_robot.skills.operators:GRASP",
        "place": "fmrl_robot.skills.operators:PLACE",
        "open": "fmrl_robot.skills.operators:OPEN",
        "close": "fmrl_robot.skills.operators:CLOSE",
        "press": "fmrl_robot.skills.operators:PRESS",
    },
    ErrorCode.SKILL_UNKNOWN,
)
"""What a plan's steps may be: a Skill (fmrl_robot/skills) each."""

ARM_SKILLS = Registry("fmrl.arm_skills", {}, ErrorCode.NO_POLICY_FITS)
"""How an arm carries out a skill of another package: an ArmSkill (fmrl_robot/control) each."""

METHODS = Registry(
    "fmrl.methods",
    {
        "inner_monologue": "fmrl_robot.methods.inner_monologue:InnerMonologue",
        "psl": "fmrl_robot.methods.psl:PSL",
        "saycan": "fmrl_robot.methods.saycan:SayCan",
        "saytap": "fmrl_robot.methods.saytap:SayTap",
    },
    ErrorCode.METHOD_UNKNOWN,
)
"""Planners of the survey, by paper name: callables that build a Planner from keyword arguments."""

AGENTS = Registry(
    "fmrl.agents",
    {
        "llm4teach": "fmrl_robot.methods.llm4teach:LLM4Teach",
        "reflexion": "fmrl_robot.methods.reflexion:Reflexion",
        "twosome": "fmrl_robot.methods.twosome:TWOSOME",
    },
    ErrorCode.METHOD_UNKNOWN,
)
"""Agents of the survey, by paper name: callables that build an Agent from keyword arguments, such
as ``model`` and ``seed``."""

LANGUAGE_MODELS = Registry(
    "fmrl.language_models",
    {
        "embedded": "fmrl_robot.fm.embedded:load_language_model",
        "transformers": "fmrl_robot.fm.transformers_lm:load_language_model",
        "openai": "fmrl_robot.fm.openai_lm:load_language_model",
        "recorded": "fmrl_robot.fm.recorded:load_recorded",
        "recording": "fmrl_robot.fm.recorded:load_recording",
        "scripted": "fmrl_robot.fm.scripted:load_language_model",
    },
)
"""Back ends for text, by the part before the colon of ``transformers:<path or hub id>``."""

TEXT_EMBEDDERS = Registry(
    "fmrl.text_embedders",
    {
        "embedded": "fmrl_robot.fm.text_embedder:load_embedded",
        "sentence_transformers": "fmrl_robot.fm.text_embedder:load_sentence_transformer",
    },
)
"""Back ends that embed texts, by the part before the colon."""

VISION_MODELS = Registry(
    "fmrl.vision_models",
    {
        "embedded": "fmrl_robot.fm.embedded:load_vision_model",
        "open_clip": "fmrl_robot.fm.open_clip_vision:load_vision_model",
    },
)
"""Back ends that embed images and texts in one space."""

REWARDS = Registry(
    "fmrl.rewards",
    {
        "rl_vlm_f": "fmrl_robot.rewards.rl_vlm_f:RLVLMF",
        "vlm_rm": "fmrl_robot.rewards.vlm_rm:VLMRM",
    },
)
"""Reward models, by paper name; those with ``in_training`` can reward steps (StepReward)."""

TASKS = Registry("fmrl.tasks", {})
"""Training tasks; fmrl_sim declares its own as entry points."""

SCENES = Registry("fmrl.scenes", {})
"""Simulated scenes; fmrl_sim declares its own as entry points."""

FRAMES = Registry("fmrl.frames", {})
"""Renderers of labelled frames for vision recipes; fmrl_sim declares its own as entry points."""

SEEN_ENVS = Registry("fmrl.seen_envs", {})
"""Small worlds for rewards that only see; fmrl_sim declares its own as entry points."""

BODIES = Registry("fmrl.bodies", {})
"""What can be commanded: simulators and drivers, declared as entry points."""

EVALUATIONS = Registry(
    "fmrl.evaluations",
    {
        "clip-policy": "fmrl_robot.evaluations.clip_policy:main",
        "exit-codes": "fmrl_robot.evaluations.exit_codes:main",
        "language": "fmrl_robot.evaluations.language:main",
        "places": "fmrl_robot.evaluations.places:main",
        "intent": "fmrl_robot.evaluations.intent:main",
        "reward": "fmrl_robot.evaluations.reward_runs:main",
        "rearm": "fmrl_robot.evaluations.rearm:main",
        "reward-replay": "fmrl_robot.evaluations.reward_replay:main",
        "skills": "fmrl_robot.evaluations.skill_chances:main",
        "sim-to-sim": "fmrl_robot.evaluations.sim_to_sim:main",
        "spine": "fmrl_robot.evaluations.spine:main",
    },
)
"""What ``fmrl eval`` measures besides policies: callables ``(arguments) -> exit code``."""
