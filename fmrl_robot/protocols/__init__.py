"""The seams of the project, a page a role: what a part must offer to be plugged in.

All are structural: a class offers the methods, it inherits nothing. Implementations are found by
name through :mod:`fmrl_robot.registry`.
"""

from fmrl_robot.protocols.acting import Body, Controller, Drivable, MotionPlanner
from fmrl_robot.protocols.agent import Agent
from fmrl_robot.protocols.env import SkillEnv, VecEnv
from fmrl_robot.protocols.models import Embeds, Exposes, Generates, Scores, Sees, Tunes
from fmrl_robot.protocols.planning import KnowsWhenToAsk, Planner, Trigger
from fmrl_robot.protocols.reward import EmbeddingReward, RewardModel, Sight, StepReward

__all__ = [
    "Agent",
    "Body",
    "Controller",
    "Drivable",
    "EmbeddingReward",
    "Embeds",
    "Exposes",
    "Generates",
    "KnowsWhenToAsk",
    "MotionPlanner",
    "Planner",
    "RewardModel",
    "Scores",
    "Sees",
    "Sight",
    "SkillEnv",
    "StepReward",
    "Trigger",
    "Tunes",
    "VecEnv",
]
