"""``fmrl stop``: stops the robot of a running graph, whoever commands it.

Exit code: 0 the gate says that it has stopped, 1 it does not say so, 2 no graph answered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException

from fmrl_nodes.gate_client import GateClient
from fmrl_robot.runtime.ros_rules import check_namespace

CONFIRM_S = 2.0
"""How long the gate's word for it is awaited; it speaks ten times a second."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl stop``."""
    parser = argparse.ArgumentParser(prog="fmrl stop", description=__doc__)
    parser.add_argument("--namespace", type=check_namespace, default="", help="of the robot")
    parser.add_argument("--ready", type=float, default=10.0, help="how long to look for a graph, s")
    given = parser.parse_args(arguments)
    rclpy.init()
    client = GateClient("stop", given.namespace)
    try:
        answer = client.stop(given.ready)
        if answer is None:
            client.say(
                f"not stopped: nobody offers the service {client.resolve_service_name('stop')!r}; "
                "is a graph up (fmrl up), and in this namespace (--namespace)?"
            )
            return 2
        if not answer.success or not client.until(lambda: client.stopped, CONFIRM_S):
            client.say(f"expected the gate to say that it stopped, got {answer.message!r} alone")
            return 1
        client.say(f"{answer.message}; {client.stop_words}")
        return 0
    except (KeyboardInterrupt, ExternalShutdownException):
        return 2
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
