"""Starts the whole graph of a robot and gives it one episode after another.

The graph is the one of ``fmrl up``, from the same launch file; the client is
``fmrl_nodes.episodes``. What comes back is the graph's own account; the record in the run folder is
for the judge.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_lines
from fmrl_robot.runtime.handover import launcher_for


def run_episodes(
    episodes: Sequence[Mapping[str, Any]],
    folder: Path,
    arguments: Mapping[str, str],
    report: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Run ``episodes`` in one graph; the record of the nth is episode n + 1 of the run folder.

    Args:
        episodes: what ``fmrl_nodes.episodes`` reads.
        folder: of the run; ``physics.npz`` is left there, and ``results.jsonl``.
        arguments: of sim.launch.xml, by name.
        report: gets a line where something is worth saying.

    Raises:
        ConfigError: no node takes an argument, or the graph ended before the last episode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    (folder / "episodes.json").write_text(json.dumps(list(episodes)))
    values = {"view_port": "0", **arguments, "run_dir": str(folder)}
    launcher = launcher_for(values, "own")
    asking = None
    try:
        launcher.start()
        asking = subprocess.Popen(  # noqa: S603  (our own module)
            [
                *(sys.executable, "-m", "fmrl_nodes.episodes"),
                *(str(folder / "episodes.json"), str(results)),
                *("--namespace", values.get("namespace", "")),
            ]
        )
        while asking.poll() is None:
            ended = launcher.wait(1.0)
            if ended is not None:
                report(f"process={ended} ended with code={launcher.codes[ended]}")
                break
    finally:
        if asking is not None and asking.poll() is None:
            asking.terminate()
            asking.wait(10.0)
        launcher.stop()
    lines = read_lines(results) if results.is_file() else []
    if len(lines) < len(episodes):
        raise ConfigError(
            f"expected {len(episodes)} episodes, got {len(lines)} before the graph ended; "
            f"the nodes' last words are above, the record is in {folder}",
            ErrorCode.CONTROLLER_UNAVAILABLE,
        )
    return lines
