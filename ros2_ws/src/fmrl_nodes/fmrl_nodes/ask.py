"""``fmrl ask``: sends an instruction to a running graph and prints what happens.

Exit code: 0 the graph says it was done, 1 it was not, 2 no graph answered.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import conversions, qos
from fmrl_nodes.listening import Listening
from fmrl_robot.errors import ErrorCode

_MARGIN_S = 30.0


class Asker(Listening):
    """One task."""

    def __init__(self, namespace: str) -> None:
        super().__init__("ask", namespace=namespace)
        self._client = ActionClient(self, ExecuteTask, "execute_task")
        self._gate = fm.GateState()
        self._sees = False
        self._rearm_client = self.create_client(Trigger, "gate/rearm")
        self._began = time.monotonic()
        self._said = ""
        self.create_subscription(fm.GateState, "gate_state", self._on_gate, qos.EVENT)
        self.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)

    def _on_gate(self, message: fm.GateState) -> None:
        conversions.gate_from_msg(message)  # refuses a state that nobody knows
        self._gate = message

    @property
    def _armed(self) -> bool:
        return self._gate.state == fm.GateState.ARMED

    def _on_scene(self, _: fm.Scene) -> None:
        self._sees = True

    def until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until ``done``; False when the time is over."""
        end = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > end:
                return False
            rclpy.spin_once(self, timeout_sec=0.1)
        return True

    def rearm(self) -> None:
        """Lift a stop for silence, such as a start on a busy machine may leave; no other."""
        gate = self._gate
        silent = gate.code == int(ErrorCode.COMMAND_SILENCE)
        if gate.state == fm.GateState.STOPPED and silent and self._rearm_client.service_is_ready():
            self.say(f"re-arming; the gate had stopped: {gate.reason}")
            call = self._rearm_client.call_async(Trigger.Request())
            self.until(call.done, 5.0)
            # The state that follows the call is published within a tenth of a second.
            self.until(lambda: self._gate.state != fm.GateState.STOPPED, 1.0)

    def ready(self, timeout_s: float, *, rearm: bool = False) -> str:
        """Wait for the graph; return what is missing, empty when it is ready."""
        if not self.until(self._client.server_is_ready, timeout_s):
            return "no planner offers execute_task"
        left = max(timeout_s - (time.monotonic() - self._began), 5.0)
        end = time.monotonic() + left
        while not self.until(lambda: self._armed and self._sees, 1.0):
            if rearm:
                self.rearm()
            if time.monotonic() < end:
                continue
            return "the robot is not armed" if not self._armed else "nothing says what it sees"
        return ""

    def say(self, text: str) -> None:
        """Print a line of the timeline, once."""
        if text != self._said:
            self._said = text
            print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)  # noqa: T201

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
    parser.add_argument("instruction")
    parser.add_argument("--method", default="", help="planning method; default: the planner's own")
    parser.add_argument("--namespace", default="", help="of the robot")
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
            asker.say(f"not ready: {missing}; is a graph up (fmrl up)?")
            return 2
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
