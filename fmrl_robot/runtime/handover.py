"""Who starts the processes: ``ros2 launch`` where it is installed, else this project's own reader.

Both run the same launch file. Where ROS 2 knows this project's packages, its own launcher is what
its users expect: its log folders, its output, its events.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from fmrl_robot.errors import ConfigError
from fmrl_robot.runtime.launch_xml import LaunchFile, Process, launch_file
from fmrl_robot.runtime.launching import Launcher
from fmrl_robot.runtime.ros_rules import check_launch

Choice = Literal["auto", "ros2", "own"]
PACKAGES = ("ros2launch", "fmrl_bringup", "fmrl_nodes")
"""What ``ros2 launch fmrl_bringup`` needs in the ament index."""
ROS2_GRACE_S = 15.0
"""``ros2 launch`` gives its nodes 5 s for SIGINT and 5 s for SIGTERM before it kills them."""

_log = logging.getLogger("fmrl")


def missing_for_ros2() -> str:
    """Say what keeps ``ros2 launch`` from starting the graph; empty where nothing does."""
    if shutil.which("ros2") is None:
        return "ros2 is not on the PATH; source a ROS 2"
    index = Path("share/ament_index/resource_index/packages")
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    for package in PACKAGES:
        if not any((prefix / index / package).is_file() for prefix in map(Path, prefixes)):
            return f"{package} is not in the AMENT_PREFIX_PATH; source a workspace that has it"
    return ""


def launcher_for(values: Mapping[str, str], choice: Choice = "auto") -> Launcher:
    """Return what will start the graph.

    Args:
        values: launch arguments by name.
        choice: ``auto`` takes ``ros2 launch`` where it can start the graph.

    Raises:
        ConfigError: no node takes an argument, or ``ros2`` was chosen and cannot start the graph.
    """
    check_launch(values)
    # Read in either case: ros2 launch ignores an argument that is misspelt.
    read = LaunchFile(launch_file("sim.launch.xml"), values)
    if choice == "own":
        return Launcher(read.processes)
    missing = missing_for_ros2()
    if not missing:
        given = [f"{name}:={value}" for name, value in values.items()]
        command = ("ros2", "launch", "fmrl_bringup", "sim.launch.xml", *given)
        _log.info("handing over to: %s", " ".join(command))
        process = Process(name="ros2 launch", command=command, env={}, shutdown_on_exit=True)
        return Launcher([process], grace_s=ROS2_GRACE_S)
    if choice == "ros2":
        raise ConfigError(f"expected ros2 launch to start the graph, but {missing}")
    _log.debug("no hand-over: %s", missing)
    return Launcher(read.processes)
