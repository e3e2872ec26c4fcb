"""Decides whether a plan may be carried out and is what was asked for, before anything moves."""

from fmrl_robot.plancheck.check import check
from fmrl_robot.plancheck.goal import goal_of
from fmrl_robot.plancheck.intent import check_intent, understood

__all__ = ["check", "check_intent", "goal_of", "understood"]
