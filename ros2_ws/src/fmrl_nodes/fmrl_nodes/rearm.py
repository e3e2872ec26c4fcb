"""``fmrl rearm``: lifts a stop, once commands come on time for a second, and waits until it has.

Where nobody commands the robot the request is withdrawn, so that it does not come to life when,
much later, somebody does. Exit code: 0 armed, 1 not armed and why, 2 no graph answered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException

from fmrl_msgs import msg as fm
from fmrl_nodes.gate_client import ANSWER_S, GateClient
from fmrl_robot.runtime.ros_rules import check_namespace
from fmrl_robot.safety import State


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl rearm``."""
    parser = argparse.ArgumentParser(prog="fmrl rearm", description=__doc__)
    parser.add_argument("--namespace", type=check_namespace, default="", help="of the robot")
    parser.add_argument("--ready", type=float, default=10.0, help="how long to look for a graph, s")
    parser.add_argument("--timeout", type=float, default=15.0, help="of the arming, s")
    given = parser.parse_args(arguments)
    rclpy.init()
    client = GateClient("rearm", given.namespace)
    try:
        if not client.until(lambda: client.gate is not None, given.ready):
            client.say(
                f"not re-armed: nobody speaks on {client.resolve_topic_name('gate_state')!r}; "
                "is a graph up (fmrl up), and in this namespace (--namespace)?"
            )
            return 2
        code, words = rearm(client, given.timeout)
        client.say(words)
        return code
    except (KeyboardInterrupt, ExternalShutdownException):
        return 2
    finally:
        rclpy.try_shutdown()


def rearm(client: GateClient, timeout_s: float) -> tuple[int, str]:
    """Return the exit code, and what to tell a person."""
    if client.stands(fm.GateState.ARMED):
        return 0, "armed already: nothing has stopped the robot"
    if client.stands(fm.GateState.DISARMED):
        return 1, "not stopped but not armed yet: it arms by itself once commands come on time"
    if client.stopped:
        client.say(client.stop_words.partition(";")[0])
        answer = client.rearm(ANSWER_S)
        if answer is None:
            return 2, "not re-armed: nobody answers the service gate/rearm"
        if not answer.success:
            return 1, f"not re-armed: {answer.message}"
        client.until(lambda: not client.stopped, 1.0)
    client.until(lambda: not client.stands(fm.GateState.REARMING), timeout_s)
    if client.stands(fm.GateState.ARMED):
        return 0, "armed: the robot follows commands again"
    if client.stopped:
        return 1, f"not re-armed: {client.stop_words}"
    gate = client.gate or fm.GateState()
    holder = gate.lease_holder or "nobody"
    client.stop(ANSWER_S)
    return 1, (
        f"not re-armed: expected a second of commands within {timeout_s:g} s, got a gate that is "
        f"still {State(gate.state).name}; the request is withdrawn; is the commander, {holder}, up?"
    )


if __name__ == "__main__":
    sys.exit(main())
