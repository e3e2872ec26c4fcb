"""Propose, check, execute, observe, ask again: the loop that carries an instruction to its end.

It is plain blocking code over a handful of ports, so that it runs the same behind a ROS node, over
a simulation, in a test, and in a dry run that moves nothing. After every step a trigger says
whether the planner is asked again; budgets end every loop.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fmrl_robot.errors import ErrorCode, FmrlError, Terminal
from fmrl_robot.planning import Done, Feedback, GiveUp, Question, Step
from fmrl_robot.protocols import Planner, Trigger
from fmrl_robot.robots import RobotSpec
from fmrl_robot.runtime.budgets import Budgets
from fmrl_robot.runtime.feedback import CHANNELS, PERSON, Moment, channels_for
from fmrl_robot.runtime.ports import Phase, Ports
from fmrl_robot.runtime.proposing import Proposing
from fmrl_robot.runtime.task import Task
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.types import Outcome, Plan, SubGoal, Success

__all__ = ["Ending", "Executive", "Phase", "Ports"]

HOPELESS = frozenset(
    {
        ErrorCode.GATE_STOPPED,
        ErrorCode.ROBOT_FELL,
        ErrorCode.CONTROLLER_UNAVAILABLE,
        ErrorCode.OBSERVATION_STALE,
        ErrorCode.POLICY_MISSING,
        ErrorCode.POLICY_REFUSED,
        ErrorCode.TASK_CANCELLED,
        ErrorCode.TASK_TIMEOUT,
    }
)
"""After these another plan would meet the same end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How a task ended."""

    outcome: Outcome
    plan: Plan | None
    """The newest that was announced."""
    replans: int
    """How often a plan was replaced because something had failed."""
    history: tuple[Step, ...] = ()
    """What was carried out."""


class Executive:
    """One task at a time."""

    def __init__(
        self,
        planner: Planner,
        robot: RobotSpec,
        ports: Ports,
        *,
        trigger: Trigger | None = None,
        feedback: Sequence[str] | None = None,
        budgets: Budgets | None = None,
        draw: random.Random | None = None,
    ) -> None:
        """Build it.

        Args:
            planner: the method.
            robot: whose plans are checked.
            ports: the world around it.
            trigger: when to ask again; None: as the planner's card says, or after a failure.
            feedback: names of the channels that are on; None: those of the planner's card.
            budgets: limits of a task.
            draw: draws among the alternatives of a weighted set; None: the likeliest is taken.
        """
        self._planner, self._robot, self._ports = planner, robot, ports
        self._trigger = trigger_for(planner) if trigger is None else trigger
        self._feedback = channels_for(planner) if feedback is None else feedback
        self._budgets = budgets or Budgets()
        self._proposing = Proposing(
            planner,
            robot,
            ports,
            trigger=self._trigger,
            repairs=self._budgets.repairs,
            draw=draw,
        )

    def run(self, instruction: str, task_id: str) -> Ending:
        """Carry out an instruction; never raises FmrlError, the outcome says what went wrong."""
        return self._ending(instruction, task_id, self._pursue)

    def propose(self, instruction: str, task_id: str = "") -> Ending:
        """Get the first plan or step and check it, and move nothing."""

        def decide(task: Task) -> Outcome:
            self._decision(task)
            return Outcome(success=True)

        return self._ending(instruction, task_id, decide)

    def _ending(self, instruction: str, task_id: str, work: Callable[[Task], Outcome]) -> Ending:
        task = Task(instruction, task_id, self._ports, self._budgets)
        try:
            self._planner.reset(instruction, self._robot.name)
            outcome = work(task)
        except FmrlError as error:
            outcome = Outcome(success=False, error_code=int(error.code), message=str(error))
        return Ending(
            outcome=outcome, plan=task.plan, replans=task.replans, history=tuple(task.history)
        )

    def _pursue(self, task: Task) -> Outcome:
        while True:
            decision = self._decision(task)
            if isinstance(decision, Done):
                return Outcome(success=True, message=decision.message)
            ended = self._carry_out(decision, task)
            if ended is not None:
                return ended
            if complaint := task.context().complaint:
                task.replans += 1
                self._ports.note("replanning", complaint)

    def _decision(self, task: Task) -> Plan | Done:
        """What the planner wants done, people's answers included.

        Raises:
            Terminal: it gave up, or nothing acceptable came of it.
        """
        while True:
            proposal = self._proposing.next(task)
            if isinstance(proposal, Question):
                self._put(proposal, task)
            elif isinstance(proposal, GiveUp):
                raise Terminal(f"the planner gave up: {proposal.message}", ErrorCode.GIVEN_UP)
            else:
                return proposal

    def _carry_out(self, plan: Plan, task: Task) -> Outcome | None:
        """Do one step after the other; None once the planner is to be asked again."""
        task.plans += 1
        for number in range(len(plan.subgoals)):
            ended = self._step(plan, number, task)
            if ended.error_code in HOPELESS:
                return ended
            if self._trigger(task.context(plan.subgoals[number + 1 :])):
                return None
            if not ended.success:
                return ended
        ended = self._judge(plan, task)
        asks = not ended.success and self._trigger(task.context())
        return None if asks else ended

    def _step(self, plan: Plan, number: int, task: Task) -> Outcome:
        """Carry out a step, and find out what the channels have to say of it."""
        subgoal, count = plan.subgoals[number], len(plan.subgoals)
        task.stop_if_interrupted()
        task.ledger.spend("steps", _named(subgoal))
        self._ports.note("executing", subgoal.text or subgoal.skill)
        began_s = self._ports.clock()
        outcome = self._ports.execute(subgoal, number, count)
        step = Step(
            subgoal=subgoal, outcome=outcome, seconds=max(0.0, self._ports.clock() - began_s)
        )
        task.history.append(step)
        task.look_again()
        self._planner.observe(step)
        if not outcome.success:
            where = f"step {number + 1} of {count} ({_named(subgoal)})"
            outcome = self._failed(replace(outcome, message=f"{where}: {outcome.message}"), task)
        task.ended = outcome
        if outcome.error_code in HOPELESS:
            return outcome
        moment = Moment(
            step=step,
            number=number + 1,
            count=count,
            look=task.glance,
            verdict=lambda: self._ports.verdict(subgoal),
        )
        for name in self._feedback:
            told = CHANNELS[name](moment) if name in CHANNELS else None
            if told is not None:
                task.hear(told)
        return outcome

    def _judge(self, plan: Plan, task: Task) -> Outcome:
        """Believe in success only when what was wanted is seen."""
        if not plan.goal:
            return Outcome(success=True)
        self._ports.note("observing", "looking whether the goal is reached")
        task.look_again()
        scene = task.look()
        missing = [str(fact) for fact in plan.goal if not scene.holds(fact)]
        if not missing:
            return Outcome(success=True)
        task.ended = Outcome(
            success=False,
            error_code=int(ErrorCode.GOAL_NOT_REACHED),
            message=f"all steps ended, but {', '.join(missing)} is not seen to hold",
        )
        return self._failed(task.ended, task)

    def _failed(self, outcome: Outcome, task: Task) -> Outcome:
        about = task.history[-1].subgoal.id if task.history else ""
        task.hear(Feedback(channel="outcome", text=outcome.message, mark=Success.NO, about=about))
        return outcome

    def _put(self, question: Question, task: Task) -> None:
        """Ask a person, and keep the answer for the planner."""
        task.ledger.spend("questions", question.text)
        self._ports.note("asking", question.text)
        may_ask = PERSON in self._feedback
        answer = self._ports.ask(question) if may_ask else None
        task.look_again()
        silence = "nobody answered" if may_ask else "nobody may be asked; decide, or give up"
        task.hear(
            Feedback(
                channel=PERSON,
                text=answer or silence,
                mark=None if answer else Success.UNKNOWN,
                about=question.text,
            )
        )


def _named(subgoal: SubGoal) -> str:
    if subgoal.skill:
        return f"{subgoal.skill} {subgoal.target}".strip()
    return subgoal.text or subgoal.kind.name.lower().replace("_", " ")
