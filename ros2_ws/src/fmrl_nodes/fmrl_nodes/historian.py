"""Feeds the run log from the topics of the graph: what was planned, done, scored and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_robot.safety import State as Gate
from fmrl_robot.view.run_log import RunLog, State

_STATES: dict[int, State] = {
    GoalStatus.STATUS_SUCCEEDED: "done",
    GoalStatus.STATUS_ABORTED: "failed",
    GoalStatus.STATUS_CANCELED: "cancelled",
}
_GATE = {
    Gate.DISARMED: "disarmed",
    Gate.ARMED: "armed",
    Gate.STOPPED: "stopped",
    Gate.REARMING: "re-arming",
}
_FAR_S = 60.0
"""How far from now a score may be stamped: the report draws scores over the time of the run."""


class Historian:
    """One method a topic."""

    def __init__(self, log: RunLog, clock: Callable[[], float]) -> None:
        """Fill ``log``; ``clock`` is the graph's, in s, that its messages are stamped by."""
        self.log, self._clock = log, clock
        self.headline = "waiting for the robot"
        self._gate: Gate | None = None
        self._ended: set[bytes] = set()

    @property
    def now_s(self) -> float:
        """The graph's time: of all that bears no stamp of its own."""
        return self._clock()

    def plan(self, message: fm.Plan) -> None:
        """Topic ``plan``."""
        plan = conversions.plan_from_msg(message)
        self.log.add_plan(self.now_s, plan)
        self.headline = f"plan {plan.status.name.lower()}"

    def subgoal(self, message: fm.SubGoal) -> None:
        """Topic ``subgoal``."""
        self.log.add_subgoal(self.now_s, conversions.subgoal_from_msg(message))
        self.headline = message.text or message.skill or self.headline

    def subgoal_status(self, message: GoalStatusArray) -> None:
        """Status of the action ``execute_subgoal``."""
        for state in self._news(message):
            self.log.end_step(self.now_s, state)

    def task_status(self, message: GoalStatusArray) -> None:
        """Status of the action ``execute_task``."""
        for state in self._news(message):
            self.log.end_task(self.now_s, state)
            self.headline = f"task {state}"

    def task_feedback(self, message: Any) -> None:
        """Feedback of the action ``execute_task``."""
        told = message.feedback
        if told.message and told.phase != "executing":
            self.log.note(self.now_s, "phase", f"{told.phase}: {told.message}")

    def reward(self, message: fm.Reward) -> None:
        """Topic ``reward``."""
        now = self.now_s
        stamp = conversions.time_from_msg(message.header.stamp) or now
        if abs(stamp - now) > _FAR_S:
            raise BadMessage(f"expected a stamp within {_FAR_S} s of {now}, got {stamp}")
        self.log.add_reward(stamp, message.subgoal_id, conversions.reward_from_msg(message))

    def usage(self, message: fm.FMUsage) -> None:
        """Topic ``fm_usage``."""
        self.log.usages.append((message.node, conversions.usage_from_msg(message)))

    def gate(self, message: fm.GateState) -> None:
        """Topic ``gate_state``."""
        log, state = self.log, conversions.gate_from_msg(message)
        log.gate = {k: getattr(message, k) for k in ("received", "accepted", "refused", "stops")}
        if message.accepted:
            log.commands_delay_s.append(message.delay_s)
        if state is not self._gate:
            self._gate = state
            log.note(self.now_s, "gate", f"{_GATE[state]} {message.reason}".strip())
            if state is Gate.STOPPED:
                self.headline = f"stopped: {message.reason}"

    def facts(self, message: fm.PredicateArray) -> None:
        """Topic ``ground_truth/predicates``."""
        if self.log.task is not None and self.log.task.state == "running":
            facts = conversions.predicates_from_msg(message.predicates)
            self.log.task.facts = tuple(str(p) for p in sorted(facts) if p.name != "clear")

    def _news(self, message: GoalStatusArray) -> list[State]:
        news: list[State] = []
        for status in message.status_list:
            goal = bytes(status.goal_info.goal_id.uuid)
            if status.status in _STATES and goal not in self._ended:
                self._ended.add(goal)
                news.append(_STATES[status.status])
        return news
