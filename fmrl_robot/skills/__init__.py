"""What robots can do and what can be true: skills, predicates and their words."""

from fmrl_robot.skills.library import further_skills, skill
from fmrl_robot.skills.operators import CONTAINERS, TABLE, World
from fmrl_robot.skills.skill import Parameter, Skill, Unmet, need

__all__ = [
    "CONTAINERS",
    "TABLE",
    "Parameter",
    "Skill",
    "Unmet",
    "World",
    "further_skills",
    "need",
    "skill",
]
