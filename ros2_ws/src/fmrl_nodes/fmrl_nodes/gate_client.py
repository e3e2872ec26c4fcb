"""What a command line needs of a running graph's gate: its state, ``stop`` and ``gate/rearm``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_nodes.listening import Listening
from fmrl_robot.safety import stop_words

ANSWER_S = 5.0
"""How long a service may take to answer."""


class GateClient(Listening):
    """Hears the gate and asks things of it."""

    def __init__(self, name: str, namespace: str) -> None:
        super().__init__(name, namespace=namespace)
        self.gate: fm.GateState | None = None
        """The last state heard."""
        self._began = time.monotonic()
        self._said = ""
        self._stop_client = self.create_client(Trigger, "stop")
        self._rearm_client = self.create_client(Trigger, "gate/rearm")
        self.create_subscription(fm.GateState, "gate_state", self._on_gate, qos.EVENT)

    def _on_gate(self, message: fm.GateState) -> None:
        conversions.gate_from_msg(message)  # refuses a state that nobody knows
        self.gate = message

    def stands(self, state: int) -> bool:
        """Whether the gate was last heard to be in this state of fmrl_msgs/GateState."""
        return self.gate is not None and self.gate.state == state

    @property
    def stopped(self) -> bool:
        """Whether it was last heard that the robot is stopped."""
        return self.stands(fm.GateState.STOPPED)

    @property
    def stop_words(self) -> str:
        """Who stopped the robot, why, and what helps."""
        gate = self.gate or fm.GateState()
        return stop_words(gate.code, gate.reason, gate.lease_holder)

    def until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until ``done``; False when the time is over."""
        end = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > end:
                return False
            rclpy.spin_once(self, timeout_sec=0.1)
        return True

    def stop(self, timeout_s: float) -> Trigger.Response | None:
        """Ask to stop the robot; None where nobody answers."""
        return self._ask(self._stop_client, timeout_s)

    def rearm(self, timeout_s: float) -> Trigger.Response | None:
        """Ask to lift the stop; None where nobody answers."""
        return self._ask(self._rearm_client, timeout_s)

    def _ask(self, client: Any, timeout_s: float) -> Trigger.Response | None:
        if not self.until(client.service_is_ready, timeout_s):
            return None
        call = client.call_async(Trigger.Request())
        return call.result() if self.until(call.done, ANSWER_S) else None

    def say(self, text: str) -> None:
        """Print a line of the timeline, once."""
        if text != self._said:
            self._said = text
            print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)  # noqa: T201
