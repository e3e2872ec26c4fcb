"""What ROS 2 and the nodes will take, checked before a process is started.

A node would refuse it as well, but after others have begun, and in words that do not name what a
person typed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from fmrl_robot.errors import ConfigError
from fmrl_robot.files import read_settings
from fmrl_robot.registry import (
    BODIES,
    LANGUAGE_MODELS,
    METHODS,
    REWARDS,
    SCENES,
    VISION_MODELS,
    Registry,
)
from fmrl_robot.robots import ROBOTS
from fmrl_robot.runtime.launch_xml import prefixes

ENV_MIDDLEWARE = "RMW_IMPLEMENTATION"
MAX_NAMESPACE = 245
"""Characters, the first slash included: what rmw leaves for a namespace in a topic's name."""

_NAMED: Mapping[str, Registry] = {
    "robot": ROBOTS,
    "scene": SCENES,
    "body": BODIES,
    "method": METHODS,
    "reward": REWARDS,
    "language_model": LANGUAGE_MODELS,
    "vision_model": VISION_MODELS,
}
"""Launch arguments that name something; what a back end is told stands behind a colon."""
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def check_namespace(namespace: str) -> str:
    """Return a namespace as nodes take it; the first slash may be left out.

    Raises:
        ConfigError: ROS 2 would refuse it.
    """
    inner = namespace.removeprefix("/")
    if not inner:
        return namespace
    wrong = ""
    if any(_TOKEN.fullmatch(token) is None for token in inner.split("/")):
        wrong = "such as robot1 or /lab/robot1, of letters, digits and _, no part empty or with a "
        wrong += "digit first"
    elif len(inner) >= MAX_NAMESPACE:
        wrong = f"of at most {MAX_NAMESPACE - 1} characters"
    if wrong:
        raise ConfigError(f"expected a namespace {wrong}; got {namespace!r}")
    return namespace


def check_launch(values: Mapping[str, str]) -> None:
    """Refuse launch arguments that no node would start with.

    Raises:
        ConfigError: a name is not known, the namespace is none, the middleware is missing, or the
            file of parameters cannot be read.
    """
    check_middleware()
    check_namespace(values.get("namespace", ""))
    if file := values.get("params_file"):
        read_settings(Path(file))
    for argument, registry in _NAMED.items():
        if value := values.get(argument):
            registry.check(value.partition(":")[0])


def missing_middleware(environment: Mapping[str, str] | None = None) -> str:
    """Say what is wrong with the middleware that the environment names; empty where nothing is."""
    wanted = (os.environ if environment is None else environment).get(ENV_MIDDLEWARE, "")
    index = "share/ament_index/resource_index/rmw_typesupport"
    found = {file.name for prefix in prefixes() for file in (prefix / index).glob("rmw_*")}
    found.discard("rmw_implementation")  # that which looks for the others
    # Where nothing is listed ROS is not found at all, which others tell.
    if not wanted or not found or wanted in found:
        return ""
    return f"expected {ENV_MIDDLEWARE} to be {' or '.join(sorted(found))}, got {wanted!r}"


def check_middleware() -> None:
    """Refuse a middleware that is not installed; rclpy would end the process without naming it.

    Raises:
        ConfigError: it is not installed.
    """
    if missing := missing_middleware():
        raise ConfigError(f"{missing}; unset it, or install that one")
