"""Decides whether a plan may be carried out, before anything moves."""

from fmrl_robot.plancheck.check import check

__all__ = ["check"]
