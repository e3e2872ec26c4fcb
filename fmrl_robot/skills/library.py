"""Every skill that is known: this project's, and those of other installed packages."""

from __future__ import annotations

from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import SKILLS
from fmrl_robot.skills.skill import Skill

BUILTIN = ("grasp", "place", "open", "close", "press")
"""The skills whose policies come with this project and whose words the embedded models know."""


def skill(name: str) -> Skill:
    """Return a skill.

    Raises:
        ConfigError: SKILL_UNKNOWN, or what was declared under that name is no Skill.
    """
    found = SKILLS.load(name)
    if not isinstance(found, Skill):
        raise ConfigError(
            f"expected a Skill under the name {name!r} in {SKILLS.group}, got {found!r}; "
            "see docs/your_skill.md"
        )
    return found


def skills() -> dict[str, Skill]:
    """Every installed skill by name."""
    return {name: skill(name) for name in SKILLS.names()}


def further_skills() -> dict[str, Skill]:
    """Skills beyond this project's own, by name."""
    return {name: skill(name) for name in SKILLS.names() if name not in BUILTIN}


def further_captions() -> dict[str, str]:
    """Words for the facts that further skills bring about, by the fact's name."""
    return {fact: words for s in further_skills().values() for fact, words in s.brings.items()}
