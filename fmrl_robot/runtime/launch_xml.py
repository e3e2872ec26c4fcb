"""Reads the part of ROS 2's XML launch format that this project's launch files use.

The same files run unchanged under ``ros2 launch``; this reader exists for installations that have
pip alone. What it does not know it refuses by name, because a tag that is silently skipped is a
robot that silently lacks something.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fmrl_robot.errors import ConfigError

_SUBSTITUTION = re.compile(r"\$\(([a-z-]+)(?:\s+([^()]*))?\)")
_TRUE = ("true", "1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One process to start."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    """Added to the environment."""
    shutdown_on_exit: bool = False
    """Whether the rest ends when this one does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """A declared argument."""

    name: str
    default: str | None
    description: str


@dataclass(kw_only=True)
class _Scope:
    variables: dict[str, str]
    env: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def copy(self) -> _Scope:
        return replace(
            self,
            variables=dict(self.variables),
            env=dict(self.env),
            parameters=dict(self.parameters),
        )


class LaunchFile:
    """A launch file with its arguments, read to the processes it means."""

    def __init__(self, path: Path, given: Mapping[str, str] | None = None) -> None:
        self.arguments: dict[str, Argument] = {}
        self.processes: list[Process] = []
        self.messages: list[str] = []
        given = dict(given or {})
        self._read(path, _Scope(variables=given))
        unknown = sorted(set(given) - set(self.arguments))
        if unknown:
            raise ConfigError(
                f"expected arguments among {', '.join(sorted(self.arguments))}; got {unknown[0]!r}"
            )

    def _read(self, path: Path, scope: _Scope) -> None:
        try:
            root = ET.parse(path).getroot()  # noqa: S314  (our own files, or the user's)
        except (OSError, ET.ParseError) as error:
            raise ConfigError(f"expected a launch file at {path}: {error}") from error
        self._children(root, scope, path)

    def _children(self, element: ET.Element, scope: _Scope, path: Path) -> None:
        for child in element:
            if self._wanted(child, scope, path):
                self._one(child, scope, path)

    def _wanted(self, element: ET.Element, scope: _Scope, path: Path) -> bool:
        condition, unless = element.get("if"), element.get("unless")
        if condition is not None:
            return self._text(condition, scope, path).lower() in _TRUE
        return unless is None or self._text(unless, scope, path).lower() not in _TRUE

    def _one(self, element: ET.Element, scope: _Scope, path: Path) -> None:
        def get(name: str, default: str = "") -> str:
            return self._text(element.get(name, default), scope, path)

        match element.tag:
            case "arg":
                name, default = element.get("name", ""), element.get("default")
                argument = Argument(
                    name=name, default=default, description=element.get("description", "")
                )
                self.arguments.setdefault(name, argument)
                if name not in scope.variables:
                    if default is None:
                        raise ConfigError(f"expected a value for {name}:=..., got none")
                    scope.variables[name] = self._text(default, scope, path)
            case "let":
                scope.variables[get("name")] = get("value")
            case "group":
                scoped = element.get("scoped", "true").lower() in _TRUE
                self._children(element, scope.copy() if scoped else scope, path)
            case "include":
                inner = scope.copy()
                for argument in element.findall("arg"):
                    value = self._text(argument.get("value", ""), scope, path)
                    inner.variables[argument.get("name", "")] = value
                self._read(Path(get("file")), inner)
            case "push_ros_namespace" | "push-ros-namespace":
                space = get("namespace").strip("/")
                scope.namespace = "/".join(part for part in (scope.namespace, space) if part)
            case "set_env":
                scope.env[get("name")] = get("value")
            case "set_parameter":
                scope.parameters[get("name")] = get("value")
            case "log":
                self.messages.append(get("message"))
            case "node":
                self.processes.append(self._node(element, scope, path))
            case "executable":
                command = tuple(shlex.split(get("cmd")))
                self.processes.append(
                    Process(name=get("name") or command[0], command=command, env=dict(scope.env))
                )
            case other:
                raise ConfigError(f"expected a tag this reader knows, got <{other}> in {path}")

    def _node(self, element: ET.Element, scope: _Scope, path: Path) -> Process:
        def get(name: str, default: str = "") -> str:
            return self._text(element.get(name, default), scope, path)

        package, executable = get("pkg"), get("exec")
        name = get("name") or executable
        arguments = [*shlex.split(get("args")), "--ros-args", *shlex.split(get("ros_args"))]
        arguments += ["-r", f"__node:={name}"]
        if scope.namespace:
            arguments += ["-r", f"__ns:=/{scope.namespace}"]
        for key, value in scope.parameters.items():
            arguments += ["-p", f"{key}:={value}"]
        env = dict(scope.env)
        for child in element:
            if not self._wanted(child, scope, path):
                continue
            values = {k: self._text(v, scope, path) for k, v in child.attrib.items()}
            match child.tag:
                case "param" if "from" in values:
                    arguments += ["--params-file", values["from"]]
                case "param":
                    arguments += ["-p", f"{values['name']}:={_typed(values)}"]
                case "remap":
                    arguments += ["-r", f"{values['from']}:={values['to']}"]
                case "env":
                    env[values["name"]] = values["value"]
                case other:
                    raise ConfigError(f"expected param, remap or env, got <{other}> in {path}")
        return Process(
            name=name,
            command=(*find_executable(package, executable), *arguments),
            env=env,
            shutdown_on_exit=get("on_exit") == "shutdown",
        )

    def _text(self, text: str, scope: _Scope, path: Path) -> str:
        """Replace substitutions, the innermost first."""
        while match := _SUBSTITUTION.search(text):
            value = self._substitute(match[1], (match[2] or "").strip(), scope, path)
            text = text[: match.start()] + value + text[match.end() :]
        return text

    def _substitute(self, kind: str, rest: str, scope: _Scope, path: Path) -> str:
        match kind:
            case "var":
                if rest not in scope.variables:
                    raise ConfigError(f"expected a declared argument, got $(var {rest}) in {path}")
                return scope.variables[rest]
            case "env":
                name, _, default = rest.partition(" ")
                return os.environ.get(name, default.strip().strip("'\""))
            case "dirname":
                return str(path.resolve().parent)
            case "find-pkg-share":
                return str(find_share(rest))
            case "command":
                words = shlex.split(rest.strip("'\"") if rest[:1] in "'\"" else rest)
                done = subprocess.run(  # noqa: S603  (stands in the launch file)
                    words, capture_output=True, text=True, timeout=10.0, check=True
                )
                return done.stdout.strip()
            case "not":
                return str(rest.lower() not in _TRUE).lower()
            case other:
                raise ConfigError(f"expected a substitution this reader knows, got $({other})")


def _typed(values: Mapping[str, str]) -> str:
    """A value as YAML of its declared type, so that "1" stays a string where one is meant."""
    if values.get("type") == "str":
        quoted = values["value"].replace("'", "''")
        return f"'{quoted}'"
    if values.get("type") == "float" and re.fullmatch(r"-?\d+", values["value"]):
        return values["value"] + ".0"
    return values["value"]


def prefixes() -> list[Path]:
    """Where packages may be installed, first those that the environment names."""
    listed = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return [*listed, Path(sys.prefix), Path(sysconfig.get_path("data"))]


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]


def find_share(package: str) -> Path:
    """Share folder of a package: of an installation, or of this checkout."""
    source = _checkout() / "ros2_ws" / "src" / package
    for place in (*(p / "share" / package for p in prefixes()), source):
        if place.is_dir():
            return place
    raise ConfigError(f"expected the package {package}; pip install ./ros2_ws/src/{package}")


def find_executable(package: str, executable: str) -> tuple[str, ...]:
    """Command that starts a package's executable."""
    for prefix in prefixes():
        file = prefix / "lib" / package / executable
        if file.is_file() and os.access(file, os.X_OK):
            return (sys.executable, str(file)) if file.suffix in ("", ".py") else (str(file),)
    return (sys.executable, "-m", f"{package}.{executable}")


def launch_file(name: str) -> Path:
    """A launch file of this project: packaged, or of this checkout."""
    packaged = Path(__file__).resolve().parents[1] / "_launch" / name
    return packaged if packaged.is_file() else _checkout() / "launch" / name
