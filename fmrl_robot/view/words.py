"""What happens, in the words of the page, the report and the video."""

from __future__ import annotations

from collections.abc import Sequence

from fmrl_robot.planners.contact_patterns import name_gait
from fmrl_robot.types import Plan, SubGoal, Velocity


def describe(subgoal: SubGoal) -> str:
    """A sub-goal in one short line."""
    moving = subgoal.velocity is not None and subgoal.velocity != Velocity()
    speed = f" at {_speed(subgoal.velocity)}" if subgoal.velocity and moving else ""
    lasting = f" for {subgoal.duration_s:.0f} s" if subgoal.duration_s else ""
    if subgoal.pattern is not None:
        return f"{subgoal.text or 'contact pattern'}{speed}{lasting}"
    if subgoal.skill:
        target = f"({subgoal.target})" if subgoal.target else ""
        until = f" until {subgoal.termination}" if subgoal.termination else ""
        return f"{subgoal.skill}{target}{until}{speed}{lasting}"
    return subgoal.text or subgoal.kind.name.lower().replace("_", " ")


def label(subgoal: SubGoal) -> str:
    """A sub-goal in two or three words, for the margin of a drawing."""
    speed = _speed(subgoal.velocity) if subgoal.velocity else ""
    if subgoal.pattern is None:
        words = [subgoal.skill, subgoal.target, speed]
        return " ".join(filter(None, words)) if subgoal.skill else subgoal.text or "step"
    gait, rows = name_gait(subgoal.pattern), subgoal.pattern.contacts
    up = "+".join(leg for leg, row in zip(subgoal.pattern.legs, rows, strict=True) if not row.any())
    moving = speed if gait != "stand" else ""
    return " ".join(filter(None, [gait, moving, f"{up} up" if up else ""]))


def _speed(velocity: Velocity) -> str:
    turning = f"{velocity.wz:g} rad/s" if velocity.wz else ""
    sideways = f"{velocity.vy:g} m/s sideways" if velocity.vy else ""
    forward = f"{velocity.vx:g} m/s" if velocity.vx or not (turning or sideways) else ""
    return ", ".join(filter(None, [forward, sideways, turning]))


def understood(plans: Sequence[Plan]) -> str:
    """The goal as the planner understood it last, in its words; empty where it says nothing."""
    return next((plan.understood for plan in reversed(plans) if plan.understood), "")


def goal_of(plans: Sequence[Plan]) -> list[str]:
    """The facts that have to hold at the end, by the last plan that names any."""
    return next(([str(p) for p in plan.goal] for plan in reversed(plans) if plan.goal), [])
