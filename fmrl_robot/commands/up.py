"""``fmrl up``: starts the graph of a robot; with ``--task`` runs one instruction and judges it.

The graph is started by ``ros2 launch`` where that is installed, else by the reader of launch files
that comes with this project; what follows is the same. With a task the exit code is the judge's,
who reads the recorded physics: 0 it was done, 1 it was not, 2 nobody can tell. Neither planner nor
reward is asked.
"""

from __future__ import annotations

import argparse
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import get_args

from fmrl_robot.files import writable_folder
from fmrl_robot.instruction import readable
from fmrl_robot.runtime.handover import Choice, launcher_for
from fmrl_robot.runtime.launching import Launcher

SETTLE_S = 1.0
"""From the end of the task to the end of the record: a thing let go has to come to rest."""

_log = logging.getLogger("fmrl")


class _Ended(Exception):
    """SIGINT or SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl up``."""
    given = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="[%(name)s] %(message)s")
    values = dict(_pair(text) for text in given.arguments)
    values.setdefault("robot", given.robot)
    values.setdefault("seed", str(given.seed))
    for name in ("method", "language_model"):
        if getattr(given, name):
            values.setdefault(name, getattr(given, name))
    if given.ground_truth:
        values.setdefault("ground_truth_scene", "true")
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path(values.setdefault("run_dir", str(Path("runs") / stamp)))
    launcher = launcher_for(values, given.launcher)
    if values["run_dir"]:
        writable_folder(folder)
    previous = {s: signal.signal(s, _raise) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        launcher.start()
        if not given.task:
            fatal = None
            while fatal is None and launcher.pids:
                fatal = launcher.wait(1.0)
            if fatal is not None:
                _log.error("ended because of process=%s code=%s", fatal, launcher.codes[fatal])
            return 1 if fatal is not None else 0
        code = _run_task(launcher, given.task, given.timeout, values.get("namespace", ""))
    except _Ended:
        if not given.task:
            return 0
        code = 2
    finally:
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        codes = launcher.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)
        bad = {name: code for name, code in codes.items() if code}
        if bad:
            _log.warning("exit codes: %s", bad)
        _log.info("run folder: %s", folder)
    return _judge(folder, given.task) if code != 2 else 2


def _run_task(launcher: Launcher, task: str, timeout_s: float, namespace: str) -> int:
    asking = subprocess.Popen(  # noqa: S603  (our own module)
        [
            *(sys.executable, "-m", "fmrl_nodes.ask", task),
            # Who starts a robot for a task arms it; nobody was moving it before.
            *("--timeout", str(timeout_s), "--namespace", namespace, "--rearm"),
        ]
    )
    try:
        while asking.poll() is None:
            fatal = launcher.wait(0.2)
            if fatal is not None:
                _log.error("process=%s ended with code=%s", fatal, launcher.codes[fatal])
                break
    finally:
        if asking.poll() is None:
            asking.send_signal(signal.SIGINT)
            try:
                asking.wait(5.0)
            except subprocess.TimeoutExpired:
                asking.kill()
                asking.wait(5.0)
    if asking.returncode != 2:
        launcher.wait(SETTLE_S)
    return asking.returncode


def _judge(folder: Path, task: str) -> int:
    command = [sys.executable, "-m", "fmrl_sim.judge", str(folder), "--instruction", task]
    return subprocess.run(command, check=False, timeout=120.0).returncode  # noqa: S603


def _raise(_: int, __: FrameType | None) -> None:
    raise _Ended


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":=")
    if not separator:
        raise SystemExit(f"expected name:=value, got {text!r}")
    return name, value


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fmrl up", description="Start the graph of a robot.")
    parser.add_argument("--robot", default="panda")
    parser.add_argument("--seed", type=int, default=0, help="of the scene")
    parser.add_argument("--method", default="", help="planning method")
    parser.add_argument("--language-model", default="", help="embedded, transformers:, openai:")
    parser.add_argument("--ground-truth", action="store_true", help="scene without perception")
    parser.add_argument(
        "--task", type=readable, default="", help="run this instruction, judge it, and end"
    )
    parser.add_argument("--timeout", type=float, default=300.0, help="of the task, s")
    parser.add_argument(
        "--launcher",
        default="auto",
        choices=get_args(Choice),
        help="auto: ros2 launch where it is installed, else own",
    )
    parser.add_argument("arguments", nargs="*", help="launch arguments, name:=value")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
