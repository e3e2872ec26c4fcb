"""Gets from the planner what may be acted on: asks, arranges, checks, and has it repaired.

A plan passes when it can be carried out and does nothing that was forbidden. Whether all of the
instruction is accounted for is asked of a whole plan at once; of plans that are parts, when the
planner says Done, over everything that was carried out.
"""

from __future__ import annotations

import random
from dataclasses import replace

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.plancheck import check, check_intent, goal_of, understood
from fmrl_robot.planning import Done, Feedback, Proposal
from fmrl_robot.protocols import Planner, Trigger
from fmrl_robot.robots import RobotSpec
from fmrl_robot.runtime.order import arrangements
from fmrl_robot.runtime.ports import Ports
from fmrl_robot.runtime.task import Task
from fmrl_robot.types import Plan, Problem, Success

Problems = tuple[Problem, ...]


class Proposing:
    """Asks one planner for one robot."""

    def __init__(
        self,
        planner: Planner,
        robot: RobotSpec,
        ports: Ports,
        *,
        trigger: Trigger,
        repairs: int,
        draw: random.Random | None,
    ) -> None:
        self._planner, self._robot, self._ports = planner, robot, ports
        self._parts, self._repairs, self._draw = trigger.goes_on, repairs, draw

    def next(self, task: Task) -> Proposal:
        """Return a proposal that may be acted on; a plan in it is arranged and was announced.

        Raises:
            Terminal: refused by the model, or still not acceptable after the last repair, or a
                budget is spent.
        """
        why = Problem(code=int(ErrorCode.PLAN_SCHEMA), message="no plan")
        for attempt in range(self._repairs + 1):
            task.stop_if_interrupted()
            task.look()
            task.ledger.spend("proposals", why.message if attempt else "")
            told = f"attempt {attempt + 1}" if attempt else task.instruction
            self._ports.note("proposing", told)
            proposal, problems = self._examined(task)
            if not problems and proposal is not None:
                return proposal
            why = problems[0]
            text = "; ".join(p.message for p in problems)
            task.hear(Feedback(channel="check", text=text, mark=Success.NO))
        raise Terminal(
            f"no executable plan after {self._repairs} repairs; the last was refused with "
            f"{why.code}: {why.message}",
            ErrorCode.REPAIRS_EXHAUSTED,
        )

    def _examined(self, task: Task) -> tuple[Proposal | None, Problems]:
        """Ask once; what came, and why it cannot be acted on."""
        context = task.context()
        task.told()
        nothing = Plan(instruction=task.instruction, method="")
        try:
            proposal = self._planner.propose(context)
            if isinstance(proposal, Plan):
                return self._plan(proposal, task)
            if isinstance(proposal, Done):
                return self._done(proposal, task)
            return proposal, ()
        except Retryable as error:
            problems = (Problem(code=int(error.code), message=str(error)),)
            task.announce(nothing, problems)
            return None, problems
        except Terminal as error:
            task.announce(nothing, (Problem(code=int(error.code), message=str(error)),))
            raise

    def _plan(self, plan: Plan, task: Task) -> tuple[Plan, Problems]:
        """The first arrangement that may be carried out or, where none may, the first of all."""
        # What is compared with the plan is what the person said, whatever the planner made of it.
        plan = replace(self._numbered(plan, task), instruction=task.instruction)
        ways = arrangements(plan, self._draw)
        self._ports.note("checking", f"{len(ways[0].subgoals)} steps")
        first = self._problems(ways[0], task)
        for way in ways[1:] if first else ():
            if not self._problems(way, task):
                return self._announced(way, (), task), ()
        return self._announced(ways[0], first, task), first

    def _problems(self, plan: Plan, task: Task) -> Problems:
        """Why a plan cannot be carried out or, where it can, is not what was asked for."""
        scene = task.look()
        # A plan without steps says that all is done: then nothing may be missing.
        partial = self._parts and bool(plan.subgoals)
        return check(plan, scene, self._robot) or check_intent(
            plan, task.began or scene, self._robot, task.done, partial=partial
        )

    def _done(self, done: Done, task: Task) -> tuple[Proposal, Problems]:
        """Believe that all is done only where nothing is missing and what was wanted is seen."""
        task.look_again()
        scene, steps = task.look(), tuple(task.done)
        goal = done.goal or goal_of(steps)
        plan = Plan(
            instruction=task.instruction, method=task.plan.method if task.plan else "", goal=goal
        )
        self._ports.note("observing", "looking whether the goal is reached")
        problems = check_intent(plan, task.began or scene, self._robot, steps) or tuple(
            Problem(code=int(ErrorCode.GOAL_NOT_REACHED), message=f"{fact} is not seen to hold")
            for fact in goal
            if not scene.holds(fact)
        )
        whole = replace(plan, subgoals=steps)
        whole = replace(whole, understood=understood(whole, task.began or scene, self._robot))
        task.announce(whole, problems)
        return done, problems

    def _announced(self, plan: Plan, problems: Problems, task: Task) -> Plan:
        plan = replace(plan, understood=understood(plan, task.look(), self._robot))
        plan = task.announce(plan, problems)
        if not problems:
            self._ports.note("checking", f"understood: {plan.understood}")
        return plan

    def _numbered(self, plan: Plan, task: Task) -> Plan:
        """Ids that stay unique within the task, so that nobody takes a step for an earlier one."""
        if not task.plans:
            return plan
        steps = tuple(replace(s, id=f"{s.id}.{task.plans}") for s in plan.subgoals)
        return replace(plan, subgoals=steps)
