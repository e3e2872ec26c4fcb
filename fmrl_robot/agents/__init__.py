"""Engines that agents share: policy optimisation of language models and of small networks.

A text world asks ``Question`` s, ``LMPolicy`` chooses among their candidates, ``LMPPO`` learns from
what came of it. ``LMAgent`` is an Agent of these three in worlds of skills, ``SymbolicAgent`` one
of a network over facts; methods are settings of them.
"""

from fmrl_robot.agents.histories import Histories, Walk
from fmrl_robot.agents.lm_agent import LMAgent
from fmrl_robot.agents.lm_policy import Acted, LMPolicy, LMPolicyConfig, Question
from fmrl_robot.agents.lm_ppo import LMPPO, LMPPOConfig
from fmrl_robot.agents.lm_rollout import LMRollout, TextStep, TextWorlds, collect, laid_out
from fmrl_robot.agents.symbolic import SymbolicAgent, SymbolicConfig, taught

__all__ = [
    "LMPPO",
    "Acted",
    "Histories",
    "LMAgent",
    "LMPPOConfig",
    "LMPolicy",
    "LMPolicyConfig",
    "LMRollout",
    "Question",
    "SymbolicAgent",
    "SymbolicConfig",
    "TextStep",
    "TextWorlds",
    "Walk",
    "collect",
    "laid_out",
    "taught",
]
