"""SkillEnv: worlds whose actions are skills, on the symbolic world of fmrl_robot.skills."""

from fmrl_robot.skills.env.menu import Choice, Menu, feasible
from fmrl_robot.skills.env.symbolic import SkillEnvOptions, SymbolicSkillEnv
from fmrl_robot.skills.env.table import TableOptions, table_tasks
from fmrl_robot.skills.env.tasks import SPLITS, Split, Task
from fmrl_robot.skills.env.yard import YardOptions, yard_tasks

__all__ = [
    "SPLITS",
    "Choice",
    "Menu",
    "SkillEnvOptions",
    "Split",
    "SymbolicSkillEnv",
    "TableOptions",
    "Task",
    "YardOptions",
    "feasible",
    "table_tasks",
    "yard_tasks",
]
