"""The raw limit: what two rclpy processes reach that only pass the two messages back and forth.

``python -m bench.raw_rclpy --seconds 60`` sends joint states at 50 Hz from a timer; another process
answers each with a joint command at once. No physics, no policy, no gate: what the graph adds is
the difference.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
import rclpy
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import JointState

from fmrl_msgs import msg as fm
from fmrl_nodes import qos

PERIOD_S = 0.02


def echo() -> None:
    """Answer every joint state with a command that carries its stamp."""
    rclpy.init()
    node = rclpy.create_node("raw_echo")
    publisher = node.create_publisher(fm.JointCommand, "raw/joint_command", qos.JOINT_COMMAND)

    def answer(state: JointState) -> None:
        command = fm.JointCommand(names=list(state.name), position=list(state.position))
        command.observation_stamp = state.header.stamp
        publisher.publish(command)

    node.create_subscription(JointState, "raw/joint_states", answer, qos.SENSOR)
    rclpy.spin(node)


def measure(seconds: float) -> dict[str, float]:
    """Percentiles of the period of commands and of the time to an answer, ms."""
    node = rclpy.create_node("raw_body")
    sent: dict[int, float] = {}
    arrivals: list[float] = []
    answers: list[float] = []
    number = 0

    def observe() -> None:
        nonlocal number
        number += 1
        state = JointState(name=[f"joint{i}" for i in range(12)], position=[0.0] * 12)
        state.velocity = state.effort = [0.0] * 12
        state.header.stamp.sec = number
        sent[number] = time.monotonic()
        publisher.publish(state)

    def answered(command: fm.JointCommand) -> None:
        now = time.monotonic()
        arrivals.append(now)
        answers.append(now - sent.pop(command.observation_stamp.sec))

    publisher = node.create_publisher(JointState, "raw/joint_states", qos.SENSOR)
    node.create_subscription(fm.JointCommand, "raw/joint_command", answered, qos.COMMAND)
    node.create_timer(PERIOD_S, observe, clock=Clock(clock_type=ClockType.STEADY_TIME))
    child = subprocess.Popen([sys.executable, "-m", "bench.raw_rclpy", "--echo"])
    try:
        end = time.monotonic() + 20.0
        while not arrivals and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
        if not arrivals:
            raise SystemExit("expected an answer of the echo within 20 s, got none")
        end = time.monotonic() + 3.0 + seconds
        while time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
    finally:
        child.kill()
        child.wait(10.0)
        node.destroy_node()
    skip = round(3.0 / PERIOD_S)
    periods, waits = 1e3 * np.diff(arrivals[skip:]), 1e3 * np.array(answers[skip:])
    return {
        "raw_period_p999_ms": float(np.percentile(periods, 99.9)),
        "raw_answer_p50_ms": float(np.percentile(waits, 50)),
        "raw_answer_p99_ms": float(np.percentile(waits, 99)),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.raw_rclpy")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--echo", action="store_true", help="be the process that answers")
    given = parser.parse_args()
    if given.echo:
        echo()
        return 0
    rclpy.init()
    for name, value in measure(given.seconds).items():
        print(f"{name} {value:.2f}")
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
