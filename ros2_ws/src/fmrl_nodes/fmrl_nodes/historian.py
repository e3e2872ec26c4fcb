"""Feeds the run log from the topics of the graph: what was planned, done, scored and stopped.

Topics overtake each other: a status is therefore filed by the id of its goal, never to what
happens to be the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_robot.safety import State as Gate
from fmrl_robot.view.run_log import RunLog, State, Step

_STATES: dict[int, State] = {
    GoalStatus.STATUS_ACCEPTED: "running",
    GoalStatus.STATUS_EXECUTING: "running",
    GoalStatus.STATUS_CANCELING: "running",
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

    def __init__(
        self,
        log: RunLog,
        clock: Callable[[], float],
        on_end: Callable[[str], None] = lambda task_id: None,
    ) -> None:
        """Fill the log.

        Args:
            log: to be filled.
            clock: the graph's, in s, that its messages are stamped by.
            on_end: told the id of each task that ended, for whoever fetches its result.
        """
        self.log, self._clock, self._on_end = log, clock, on_end
        self._heard: dict[str, State] = {}
        """State by goal of either action, as last told."""
        self._steps: dict[str, Step] = {}
        """The step that each goal of ``execute_subgoal`` carries out."""

    @property
    def now_s(self) -> float:
        """The graph's time: of all that bears no stamp of its own."""
        return self._clock()

    def plan(self, message: fm.Plan) -> None:
        """Topic ``plan``."""
        self.log.add_plan(self.now_s, conversions.plan_from_msg(message))

    def subgoal(self, message: fm.SubGoal) -> None:
        """Topic ``subgoal``."""
        self.log.add_subgoal(self.now_s, conversions.subgoal_from_msg(message))

    def subgoal_status(self, message: GoalStatusArray) -> None:
        """Status of the action ``execute_subgoal``: a new goal is the newest step's."""
        for goal, state in self._news(message):
            newest = self.log.step
            if newest is not None and not any(s is newest for s in self._steps.values()):
                self._steps.setdefault(goal, newest)
            if state != "running" and goal in self._steps:
                self.log.end_step(self.now_s, state, self._steps[goal])

    def task_status(self, message: GoalStatusArray) -> None:
        """Status of the action ``execute_task``."""
        for goal, state in self._news(message):
            self.log.begin_task(self.now_s, goal)
            if state != "running":
                self.log.end_task(self.now_s, state, goal)
                self._on_end(goal)

    def task_feedback(self, message: Any) -> None:
        """Feedback of the action ``execute_task``."""
        told, task_id = message.feedback, bytes(message.goal_id.uuid).hex()
        self.log.begin_task(self.now_s, task_id)
        self.log.phase = told.phase
        if told.phase == "replanning":
            self.log.add_replan(self.now_s, task_id, told.message)
        elif told.message and told.phase != "executing":
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
        said = _GATE[state]
        code = f"{message.code}: " if message.code else ""
        log.gate_reason = f"{code}{message.reason}" if message.reason else ""
        if said != log.gate_state:
            log.gate_state = said
            log.note(self.now_s, "gate", f"{said} {message.reason}".strip())

    def facts(self, message: fm.PredicateArray) -> None:
        """Topic ``ground_truth/predicates``."""
        if self.log.task is not None and self.log.task.state == "running":
            facts = conversions.predicates_from_msg(message.predicates)
            self.log.task.facts = tuple(str(p) for p in sorted(facts) if p.name != "clear")

    def _news(self, message: GoalStatusArray) -> list[tuple[str, State]]:
        news: list[tuple[str, State]] = []
        for status in message.status_list:
            goal = bytes(status.goal_info.goal_id.uuid).hex()
            state = _STATES.get(status.status)
            if state is not None and self._heard.get(goal) != state:
                self._heard[goal] = state
                news.append((goal, state))
        return news
