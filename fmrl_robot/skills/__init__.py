"""What robots can do and what can be true: skills, predicates, their words and their world."""

from fmrl_robot.skills.domain import CONTAINERS, ROBOT, TABLE, Domain
from fmrl_robot.skills.library import further_skills, skill, skills
from fmrl_robot.skills.operators import OPERATORS
from fmrl_robot.skills.skill import Effect, Need, Parameter, Skill, Unmet
from fmrl_robot.skills.world import World

__all__ = [
    "CONTAINERS",
    "OPERATORS",
    "ROBOT",
    "TABLE",
    "Domain",
    "Effect",
    "Need",
    "Parameter",
    "Skill",
    "Unmet",
    "World",
    "further_skills",
    "skill",
    "skills",
]
