"""An independent reading of the instruction, between plan and motion.

Whatever model made a plan, what it would bring about is compared with what was asked for and what
was forbidden, by rules that share nothing with the planner: word lists, clauses, negations. Where a
word is unknown the plan is believed, but not where anything is restricted: there each step of an
arm must be borne out by a clause that plainly asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fmrl_robot.errors import ErrorCode
from fmrl_robot.plancheck.intent import arm_check, quadruped_skills
from fmrl_robot.plancheck.intent.arm_effects import effects
from fmrl_robot.plancheck.intent.language import is_code
from fmrl_robot.plancheck.intent.readback import say
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import Plan, Problem, Scene, SubGoal

__all__ = ["check_intent", "understood"]


def check_intent(
    plan: Plan,
    scene: Scene,
    robot: RobotSpec,
    done: Sequence[SubGoal] = (),
    *,
    partial: bool = False,
) -> tuple[Problem, ...]:
    """Return why a plan is not what its instruction asks for; empty when it is.

    Args:
        plan: executable, with the instruction that it answers; without steps it says that what was
            carried out is all.
        scene: as it was when the task began.
        robot: whose plan it is.
        done: steps that were carried out since then, in plans that this one replaces or goes on
            from.
        partial: the plan is a part of the task, and more will come: that something is missing is no
            fault of it. A quadruped's step that nobody asked for is found, at the latest, once
            nothing is missing; an arm's at once.
    """
    if is_code(plan.instruction):
        return (
            Problem(
                code=int(ErrorCode.INTENT_NOTHING),
                message=f"expected an instruction, got what reads like data or a program: "
                f"{plan.instruction[:60]!r}; say in words what to do",
            ),
        )
    found = _problems(plan, scene, robot, done, partial)
    if partial and any(p.code == ErrorCode.INTENT_INCOMPLETE for p in found):
        return ()
    return found


def _problems(
    plan: Plan, scene: Scene, robot: RobotSpec, done: Sequence[SubGoal], partial: bool
) -> tuple[Problem, ...]:
    if robot.kind == "arm":
        return arm_check.problems(plan, scene, done, partial=partial)
    # A whole plan that replaces another begins anew, as legs leave nothing behind that would count.
    if partial or not plan.subgoals:
        plan = replace(plan, subgoals=(*done, *plan.subgoals))
    return quadruped_skills.problems(plan)


def understood(plan: Plan, scene: Scene, robot: RobotSpec) -> str:
    """Read back in words what a plan would bring about in a scene."""
    if robot.kind == "arm":
        return say(effects(plan.subgoals, scene))
    return quadruped_skills.understood(plan)
