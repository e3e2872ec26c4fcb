"""Ends a node again and again by a signal: ``python -m bench.ends --ends 2000``.

Each end is a process of its own through ``lifecycle.run``, beside busy loops, signalled at a random
moment of one of the ways in which a node can be met: at the start, asleep without a timer, with the
timers of an active node, within a callback that works, and within one that fails at that moment.
SIGINT and SIGTERM take turns, and every fifth signal comes twice. A process that does not end in
``PATIENCE_S`` is a hang: its Python stacks are printed and it is killed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

PATIENCE_S = 25.0
SHOWN = 4000
"""Characters of what a node said that did not end well."""
NODE = """
import faulthandler, os, signal, sys, time
faulthandler.enable()
faulthandler.register(signal.SIGUSR1, all_threads=True)
import rclpy
from fmrl_nodes import lifecycle

way, number = sys.argv[1], int(sys.argv[2])

def say(word):
    print(word, time.monotonic(), flush=True)

class Node(lifecycle.FmrlNode):
    def __init__(self):
        super().__init__("ending")
        if way in ("works", "fails"):
            self.create_timer(0.05, self.meet)
        else:
            self.timer = self.create_timer(0.05, self.spins)

    def spins(self):
        self.timer.cancel()
        if way != "starts":
            say("ready")

    def meet(self):
        say("signal")
        os.kill(os.getpid(), number)
        if way == "fails":
            raise RuntimeError("a call into ROS failed")
        time.sleep(0.1)

def init(really=rclpy.init, **arguments):
    say("ready")
    return really(**arguments)

if way == "starts":
    rclpy.init = init
ros = ["--ros-args", "-p", f"autostart:={str(way != 'sleeps').lower()}"]
sys.exit(lifecycle.run(Node, [sys.argv[0], *ros]))
"""
WAYS = ("starts", "sleeps", "spins", "works", "fails")
BUSY = "while True: pass"


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How one process ended."""

    way: str
    code: int | None
    """None: it hung."""
    seconds: float
    """From the signal to the end of the process."""
    text: str


def end(way: str, number: int, delay_s: float, *, twice: bool) -> End:
    """Start a node, signal it, and wait for its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", NODE, way, str(int(number))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    word, _, when = process.stdout.readline().partition(" ")
    signalled = float(when or time.monotonic())
    if word == "ready":
        time.sleep(delay_s)
        signalled = time.monotonic()
        process.send_signal(number)
        if twice:
            process.send_signal(number)
    try:
        _, text = process.communicate(timeout=PATIENCE_S)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGUSR1)
        time.sleep(1.0)
        process.kill()
        _, text = process.communicate()
        code = None
    return End(way=way, code=code, seconds=time.monotonic() - signalled, text=text)


def main() -> int:
    """Print the table; 0 where every node ended, and ended well."""
    parser = argparse.ArgumentParser(prog="python -m bench.ends", description=__doc__)
    parser.add_argument("--ends", type=int, default=2000)
    parser.add_argument("--parallel", type=int, default=6, help="processes at a time")
    parser.add_argument("--busy", type=int, default=2, help="busy loops beside them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--minutes", type=float, default=120.0, help="begin no end after that")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    last = time.monotonic() + 60.0 * given.minutes
    cases = [
        (
            given.ways[i % len(given.ways)],
            (signal.SIGINT, signal.SIGTERM)[i // len(given.ways) % 2],
            rng.uniform(0.0, 1.0),
            i % 5 == i // 5 % 5,
        )
        for i in range(given.ends)
    ]

    def one(case: tuple[str, int, float, bool]) -> End | None:
        way, number, delay_s, twice = case
        return end(way, number, delay_s, twice=twice) if time.monotonic() < last else None

    with ExitStack() as stack:
        for _ in range(given.busy):
            loop = subprocess.Popen([sys.executable, "-c", BUSY])
            stack.callback(loop.kill)
        pool = stack.enter_context(ThreadPoolExecutor(given.parallel))
        ends: list[End] = []
        for e in pool.map(one, cases):
            if e is None:
                continue
            ends.append(e)
            if e.code != 0:
                print(f"end {len(ends)}: {e.way} code={e.code} after {e.seconds:.1f} s")
                print(e.text[-SHOWN:], flush=True)
            if len(ends) % 100 == 0:
                print(f"{len(ends)} ends, slowest {max(x.seconds for x in ends):.1f} s", flush=True)
    hangs = Counter(e.way for e in ends if e.code is None)
    wrong = Counter(e.way for e in ends if e.code not in (None, 0))
    print(f"n={len(ends)} busy={given.busy} parallel={given.parallel} cpus={os.cpu_count()}")
    print("| met | ends | slowest s | hangs | wrong codes |\n|---|---|---|---|---|")
    for way in given.ways:
        seconds = [e.seconds for e in ends if e.way == way]
        print(f"| {way} | {len(seconds)} | {max(seconds):.1f} | {hangs[way]} | {wrong[way]} |")
    print(f"hangs={hangs.total()} slowest_s={max(e.seconds for e in ends):.1f}")
    return 1 if hangs or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
