"""The library of a kind of robot, as a planner is told of it."""

from __future__ import annotations

from fmrl_robot.planning import SkillFacts
from fmrl_robot.registry import SKILLS
from fmrl_robot.skills.body_skills import BODY_SKILLS
from fmrl_robot.skills.library import skill


def skill_facts(kind: str) -> dict[str, SkillFacts]:
    """Return what is known of each skill, by name.

    Args:
        kind: ``RobotSpec.kind``.
    """
    if kind == "quadruped":
        return {name: SkillFacts(words=body.words) for name, body in BODY_SKILLS.items()}
    known = {name: skill(name) for name in SKILLS.names()}
    return {name: SkillFacts(words=s.words, targets=s.targets) for name, s in known.items()}
