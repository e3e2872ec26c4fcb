"""``fmrl ask``: sends an instruction to a running graph and prints what happens.

Exit code: 0 the graph says it was done, 1 it was not (a stopped robot does nothing, and is told of
at once), 2 no graph answered.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import qos
from fmrl_nodes.gate_client import ANSWER_S, GateClient
from fmrl_robot.errors import ErrorCode
from fmrl_robot.instruction import readable
from fmrl_robot.runtime.ros_rules import check_namespace

_MARGIN_S = 30.0


class Asker(GateClient):
    """One task."""

    def __init__(self, namespace: str) -> None:
        super().__init__("ask", namespace)
        self._client = ActionClient(self, ExecuteTask, "execute_task")
        self._sees = False
        self.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)

    @property
    def _armed(self) -> bool:
        return self.stands(fm.GateState.ARMED)

    def _on_scene(self, _: fm.Scene) -> None:
        self._sees = True

    def _lift_silence(self) -> bool:
        """Re-arm after a silence, such as a start on a busy machine may leave; after no other."""
        if self.gate is None or self.gate.code != int(ErrorCode.COMMAND_SILENCE):
            return False
        self.say(f"re-arming; the gate had stopped: {self.gate.reason}")
        self.rearm(ANSWER_S)
        # The state that follows the call is published within a tenth of a second.
        self.until(lambda: not self.stopped, 1.0)
        return True

    def ready(self, timeout_s: float, *, rearm: bool = False) -> str:
        """Wait for the graph; return what to tell a person where it is not ready, else nothing.

        A stopped robot is not waited for: nothing but a person lifts a stop.
        """
        end = time.monotonic() + timeout_s
        while True:
            self.until(lambda: self.stopped or not self._missing(), 1.0)
            if not self._missing():
                return ""
            if self.stopped and not (rearm and self._lift_silence()):
                return self.stop_words
            if time.monotonic() > end:
                return f"not ready: {self._missing()}; is a graph up (fmrl up)?"

    def _missing(self) -> str:
        if not self._client.server_is_ready():
            return "no planner offers execute_task"
        if not self._armed:
            return "the robot is not armed"
        return "" if self._sees else "nothing says what it sees"

    def ask(self, instruction: str, method: str, timeout_s: float) -> Any:
        """Send the task; return its result, or None where nobody answered."""
        self._began = time.monotonic()
        goal = ExecuteTask.Goal(instruction=instruction, method=method, timeout_s=timeout_s)
        sent = self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        if not self.until(sent.done, 10.0) or not sent.result().accepted:
            return None
        result = sent.result().get_result_async()
        patience = timeout_s + _MARGIN_S if timeout_s > 0 else float("inf")
        try:
            done = self.until(result.done, patience)
        except (KeyboardInterrupt, ExternalShutdownException):
            sent.result().cancel_goal_async()
            raise
        return result.result().result if done else None

    def _on_feedback(self, message: Any) -> None:
        told = message.feedback
        where = f" {told.step + 1}/{told.steps}" if told.steps else ""
        if told.message and told.phase != "executing":
            self.say(f"{told.phase}: {told.message}")
        elif told.message:
            self.say(f"{told.phase}{where}: {told.message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl ask``."""
    parser = argparse.ArgumentParser(prog="fmrl ask", description="Send an instruction.")
    parser.add_argument("instruction", type=readable)
    parser.add_argument("--method", default="", help="planning method; default: the planner's own")
    parser.add_argument("--namespace", type=check_namespace, default="", help="of the robot")
    parser.add_argument("--timeout", type=float, default=300.0, help="of the task, s; 0: none")
    parser.add_argument("--ready", type=float, default=60.0, help="how long to wait for a graph, s")
    parser.add_argument(
        "--rearm", action="store_true", help="lift a stop for silence before the task begins"
    )
    given = parser.parse_args(arguments)
    rclpy.init()
    asker = Asker(given.namespace)
    try:
        missing = asker.ready(given.ready, rearm=given.rearm)
        if missing:
            asker.say(missing)
            return 1 if asker.stopped else 2
        result = asker.ask(given.instruction, given.method, given.timeout)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 2
    finally:
        rclpy.try_shutdown()
    if result is None:
        asker.say("the planner gave no answer")
        return 2
    ending = "done" if result.success else f"failed with {result.error_code}: {result.error_msg}"
    asker.say(f"{ending} ({result.replans} replans)")
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
