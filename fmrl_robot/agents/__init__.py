"""Engines that agents share: policy optimisation of language models.

A text world asks ``Question`` s, ``LMPolicy`` chooses among their candidates, ``LMPPO`` learns from
what came of it. Methods are settings of these three.
"""

from fmrl_robot.agents.lm_policy import Acted, LMPolicy, LMPolicyConfig, Question
from fmrl_robot.agents.lm_ppo import LMPPO, LMPPOConfig
from fmrl_robot.agents.lm_rollout import LMRollout, TextStep, TextWorlds, collect

__all__ = [
    "LMPPO",
    "Acted",
    "LMPPOConfig",
    "LMPolicy",
    "LMPolicyConfig",
    "LMRollout",
    "Question",
    "TextStep",
    "TextWorlds",
    "collect",
]
