"""The library of a robot, as a planner is told of it."""

from __future__ import annotations

from fmrl_robot.planning import SkillFacts
from fmrl_robot.registry import SKILLS
from fmrl_robot.robots import RobotSpec
from fmrl_robot.skills.body_skills import BODY_SKILLS
from fmrl_robot.skills.chances import measured_over
from fmrl_robot.skills.library import skill


def skill_facts(robot: RobotSpec) -> dict[str, SkillFacts]:
    """Return what is known of each skill, by name; chance and seconds where they were measured."""
    if robot.kind == "quadruped":
        return {name: SkillFacts(words=body.words) for name, body in BODY_SKILLS.items()}
    found: dict[str, SkillFacts] = {}
    for name in SKILLS.names():
        known, tried = skill(name), measured_over(robot.name, name)
        found[name] = SkillFacts(
            words=known.words,
            targets=known.targets,
            chance=tried.success if tried else None,
            seconds=tried.seconds if tried else None,
        )
    return found
