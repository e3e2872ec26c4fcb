"""Measures the running graph: ``python -m bench.graph --robot go2 --seconds 600``.

It starts the graph with ``fmrl up``, gives it instructions all the while, listens, and prints the
table of README. Period and delay are taken where they count, at the gate: sim_node leaves the
times of every command in its run folder. Two bare rclpy processes, measured before, are the raw
limit that stands beside them. Cameras are asked for 12.5 pictures a second, so that not they but
the reward node sets the reward's rate.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.node import Node
from std_srvs.srv import Trigger

from bench.raw_rclpy import measure as measure_raw
from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import qos
from fmrl_sim.pacing import FILE_NAME as TIMING

TASKS = {
    "panda": ("put the red cube in the bowl", "put the red cube on the table"),
    "go2": ("trot forward slowly, then stand still", "pace in place", "stand still"),
}
NODES = ("sim", "scene", "planner", "controller", "reward", "monitor")


class Bench(Node):
    """Collects figures from the topics."""

    def __init__(self) -> None:
        super().__init__("bench")
        self.began = time.monotonic()
        self.ready_s: float | None = None
        self.alive: set[str] = set()
        self.commands: list[float] = []
        self.rewards: list[float] = []
        self.plans: list[float] = []
        self.gate = fm.GateState()
        self.scenes = 0
        self.ended: list[ExecuteTask.Result] = []
        self.busy = False
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50)
        self.create_subscription(
            fm.JointCommand,
            "joint_command",
            lambda _: self.commands.append(time.monotonic()),
            qos.COMMAND,
            raw=True,
        )
        self.create_subscription(
            fm.Reward,
            "reward",
            lambda m: self.rewards.append(time.monotonic()) if m.valid else None,
            qos.EVENT,
        )
        self.create_subscription(fm.FMUsage, "fm_usage", self._on_usage, qos.EVENT)
        self.create_subscription(fm.GateState, "gate_state", self._on_gate, qos.EVENT)
        self.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)
        self.client = ActionClient(self, ExecuteTask, "execute_task")
        self.rearm = self.create_client(Trigger, "gate/rearm")

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.alive.add(status.name.rpartition("/")[2].removesuffix("_node"))

    def _on_usage(self, message: fm.FMUsage) -> None:
        if message.role == "plan" and not message.cached:
            self.plans.append(message.latency_s)

    def _on_gate(self, message: fm.GateState) -> None:
        self.gate = message

    def _on_scene(self, _: fm.Scene) -> None:
        self.scenes += 1

    def ready(self) -> bool:
        """Whether every node is up and the gate follows commands; remembers when it first was."""
        up = self.alive.issuperset(NODES) and self.client.server_is_ready() and self.scenes > 0
        if up and self.gate.state == fm.GateState.ARMED and self.ready_s is None:
            self.ready_s = time.monotonic() - self.began
        return self.ready_s is not None

    def give(self, instruction: str) -> None:
        """Send an instruction; ``busy`` until it has ended."""
        self.busy = True

        def accepted(sent: Any) -> None:
            sent.result().get_result_async().add_done_callback(done)

        def done(result: Any) -> None:
            self.ended.append(result.result().result)
            self.busy = False

        self.client.send_goal_async(ExecuteTask.Goal(instruction=instruction)).add_done_callback(
            accepted
        )


def measure(bench: Bench, robot: str, seconds: float, root: psutil.Process) -> dict[str, Any]:
    """Run the tasks for so long; return the figures."""
    end = time.monotonic() + 90.0
    while not bench.ready():
        if time.monotonic() > end:
            raise SystemExit(f"not ready: nodes {sorted(bench.alive)}, gate {bench.gate.state}")
        rclpy.spin_once(bench, timeout_sec=0.1)
        if bench.gate.state == fm.GateState.STOPPED and bench.rearm.service_is_ready():
            # A start on a busy machine may trip the gate; the table counts it among the stops.
            rclpy.spin_until_future_complete(
                bench, bench.rearm.call_async(Trigger.Request()), timeout_sec=5.0
            )
    began, next_look, memory, number = time.monotonic(), 0.0, 0.0, 0
    bench.commands.clear()
    bench.rewards.clear()
    bench.scenes = 0
    while time.monotonic() - began < seconds:
        rclpy.spin_once(bench, timeout_sec=0.1)
        if not bench.busy:
            bench.give(TASKS[robot][number % len(TASKS[robot])])
            number += 1
        if time.monotonic() > next_look:
            next_look = time.monotonic() + 20.0
            memory = max(memory, memory_gb(root))
    spent = time.monotonic() - began
    periods = np.diff(bench.commands) * 1e3
    return {
        "robot": robot,
        "seconds": round(spent),
        "began": began,
        "period_p999_beside_gate_ms": float(np.percentile(periods, 99.9)),
        "reward_hz": len(bench.rewards) / spent,
        "scene_hz": bench.scenes / spent,
        "planner_p50_ms": 1e3 * float(np.median(bench.plans)) if bench.plans else float("nan"),
        "plans": len(bench.plans),
        "ready_s": bench.ready_s,
        "memory_gb": memory,
        "stops": int(bench.gate.stops),
        "tasks": len(bench.ended),
        "succeeded": sum(ended.success for ended in bench.ended),
        "reasons": dict(Counter(ended.error_msg for ended in bench.ended if not ended.success)),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def at_the_gate(file: Path, began: float, seconds: float) -> dict[str, float]:
    """Percentiles over every command that the gate got meanwhile."""
    with np.load(file) as timing:
        meanwhile = (timing["wall_s"] >= began) & (timing["wall_s"] < began + seconds)
        period, answer = (1e3 * timing[k][meanwhile] for k in ("period_s", "answer_s"))
    return {
        "commands": len(period),
        "period_p50_ms": float(np.nanpercentile(period, 50)),
        "period_p999_ms": float(np.nanpercentile(period, 99.9)),
        "period_max_ms": float(np.nanmax(period)),
        "answer_p50_ms": float(np.nanpercentile(answer, 50)),
        "answer_p99_ms": float(np.nanpercentile(answer, 99)),
    }


def memory_gb(root: psutil.Process) -> float:
    """Proportional set size of a process and all below it."""
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 1e9


def table(figures: dict[str, Any]) -> str:
    """The figures as markdown."""
    rows = (
        ("command period at the gate, p99.9", "period_p999_ms", "ms", 25),
        ("observation to command at the gate, p99", "answer_p99_ms", "ms", 5),
        ("reward rate", "reward_hz", "Hz", 10),
        ("scene rate", "scene_hz", "Hz", 10),
        ("planner, p50", "planner_p50_ms", "ms", 300),
        ("ready after", "ready_s", "s", 20),
        ("memory over all processes (PSS)", "memory_gb", "GB", 4),
    )
    lines = [
        f"{figures['robot']}, {figures['seconds']} s, {figures['commands']} commands, "
        f"{figures['tasks']} tasks of which the graph calls {figures['succeeded']} done, "
        f"{figures['stops']} stops; {figures['cores']} cores, load {figures['load']:.1f}",
        "",
        "| measure | figure | bare rclpy | wanted |",
        "|---|---|---|---|",
    ]
    for what, key, unit, wanted in rows:
        sign = ">=" if unit == "Hz" else "<="
        raw = f"{figures[f'raw_{key}']:.1f} {unit}" if f"raw_{key}" in figures else ""
        lines.append(f"| {what} | {figures[key]:.1f} {unit} | {raw} | {sign} {wanted} {unit} |")
    lines += [f"{times} x {reason}" for reason, times in figures["reasons"].items()]
    return "\n".join(lines)


def main() -> int:
    """Start, measure, print, end."""
    parser = argparse.ArgumentParser(prog="python -m bench.graph")
    parser.add_argument("--robot", default="go2", choices=sorted(TASKS))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--json", type=Path, help="also write the figures there")
    given = parser.parse_args()
    rclpy.init()
    raw = measure_raw(min(60.0, given.seconds))
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / "params.yaml"
        params.write_text("/**/sim_node: {ros__parameters: {camera_hz: 12.5}}\n")
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "fmrl_robot.cli", "up", "--robot", given.robot),
                *(f"run_dir:={folder}/run", "view_port:=8099", f"params_file:={params}"),
                "lockstep_s:=0",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            figures = measure(bench, given.robot, given.seconds, psutil.Process(child.pid))
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(30.0)
        figures |= at_the_gate(
            Path(folder) / "run" / TIMING, figures.pop("began"), figures["seconds"]
        )
    figures |= raw
    print(table(figures))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
