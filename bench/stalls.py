"""Stops a node of the graph again and again: ``python -m bench.stalls --node scene --stalls 100``.

A process that a busy machine does not run for some seconds has to hear again when it runs again.
The table says how often scenes came back, and after how long. ``--profile`` is another profile of
Fast DDS to compare with.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from statistics import median

import rclpy
from rclpy.node import Node

from fmrl_msgs import msg as fm
from fmrl_nodes import qos
from fmrl_robot.runtime.handover import launcher_for

STALLS_S = tuple(2.0 + 0.1 * k for k in range(10))
ENOUGH = 5
"""Scenes after a stall that show that a node is back: more than its inbox had kept."""
PATIENCE_S, START_S = 10.0, 60.0
DOMAIN = 29


class Listener(Node):
    """Counts scenes."""

    def __init__(self) -> None:
        super().__init__("stalls")
        self.scenes = 0
        self.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)

    def _on_scene(self, _: fm.Scene) -> None:
        self.scenes += 1

    def until(self, done: Callable[[], bool], patience_s: float) -> float | None:
        """Seconds until something holds; None where it did not."""
        began = time.monotonic()
        while not done():
            if time.monotonic() - began > patience_s:
                return None
            rclpy.spin_once(self, timeout_sec=0.05)
        return time.monotonic() - began

    def stall(self, pid: int, seconds: float) -> float | None:
        """Stop a process for so long; return how long scenes took to come back."""
        os.kill(pid, signal.SIGSTOP)
        try:
            self.until(lambda: False, seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        before = self.scenes
        return self.until(lambda: self.scenes >= before + ENOUGH, PATIENCE_S)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", default="scene", help="which node stalls")
    parser.add_argument("--stalls", type=int, default=100)
    parser.add_argument("--profile", default="", help="of Fast DDS; empty: ours")
    arguments = parser.parse_args()
    os.environ["ROS_DOMAIN_ID"] = str(DOMAIN)
    with tempfile.TemporaryDirectory() as folder:
        values = {"robot": "panda", "run_dir": folder, "view_port": "0"}
        if arguments.profile:
            values["dds_profile"] = arguments.profile
        launcher = launcher_for(values, "own")
        launcher.start()
        rclpy.init()
        listener = Listener()
        try:
            if listener.until(lambda: listener.scenes > 0, START_S) is None:
                raise SystemExit(f"no scene within {START_S:.0f} s: is the machine this busy?")
            pid = launcher.pids[f"{arguments.node}_node"]
            back = [
                listener.stall(pid, STALLS_S[k % len(STALLS_S)]) for k in range(arguments.stalls)
            ]
        finally:
            launcher.stop()
            rclpy.shutdown()
    heard = [s for s in back if s is not None]
    print(f"| {arguments.node}_node | came back | median s | longest s |\n|---|---|---|---|")
    times = f"{median(heard):.2f} | {max(heard):.2f}" if heard else "- | -"
    print(f"| stalls of 2 to 3 s | {len(heard)} of {len(back)} | {times} |")


if __name__ == "__main__":
    main()
