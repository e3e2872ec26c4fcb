"""SkillEnv: worlds whose actions are skills, on the symbolic world of fmrl_robot.skills."""

from fmrl_robot.skills.env.menu import Choice, Menu, feasible
from fmrl_robot.skills.env.playing import PlayedSkillEnv, SkillEnvOptions, Stage
from fmrl_robot.skills.env.symbolic import symbolic_env
from fmrl_robot.skills.env.table import TableOptions, table_tasks
from fmrl_robot.skills.env.tasks import SPLITS, Split, Task
from fmrl_robot.skills.env.team import YardTeam
from fmrl_robot.skills.env.yard import YardOptions, yard_tasks

__all__ = [
    "SPLITS",
    "Choice",
    "Menu",
    "PlayedSkillEnv",
    "SkillEnvOptions",
    "Split",
    "Stage",
    "TableOptions",
    "Task",
    "YardOptions",
    "YardTeam",
    "feasible",
    "symbolic_env",
    "table_tasks",
    "yard_tasks",
]
