"""PEP 517 backend: build an ament_cmake interface package into a wheel.

pip has no notion of ament; this gives it one for packages that only generate interfaces. CMake
installs into a scratch prefix, and what it installed is laid out as a wheel: Python modules at the
root, everything else as data below the environment's prefix, where the ROS 2 wheels put theirs.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent


def _ros_prefix() -> Path:
    """The prefix below which the ROS 2 wheels of this (perhaps isolated) environment lie."""
    spec = find_spec("ament_package")
    if spec is None or spec.origin is None:
        raise SystemExit("expected ros-ament-package, got none: install build-system.requires")
    return next(p for p in Path(spec.origin).parents if (p / "share/ament_cmake").is_dir())


def _cmake_install(source: Path, build: Path, stage: Path) -> None:
    prefix = str(_ros_prefix())
    scripts = f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"
    env = os.environ | {"AMENT_PREFIX_PATH": prefix, "CMAKE_PREFIX_PATH": prefix, "PATH": scripts}
    flags = {
        "BUILD_TESTING": "OFF",
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": stage,
        "CMAKE_PROJECT_INCLUDE": HERE / "drop_missing_includes.cmake",
        "Python3_EXECUTABLE": sys.executable,
    }
    defines = [f"-D{name}={value}" for name, value in flags.items()]
    for command in (
        ["cmake", "-S", source, "-B", build, "-G", "Ninja", *defines],
        ["cmake", "--build", build, "--target", "install"],
    ):
        subprocess.run(list(map(str, command)), check=True, env=env)


def _members(stage: Path, data: str) -> dict[str, bytes]:
    """Path in the wheel of everything that was installed, with its content."""
    members: dict[str, bytes] = {}
    for file in sorted(p for p in stage.rglob("*") if p.is_file()):
        inside = file.relative_to(stage)
        if "site-packages" in inside.parts:
            index = inside.parts.index("site-packages") + 1
            members["/".join(inside.parts[index:])] = file.read_bytes()
        elif inside.parts[0] in ("lib", "share", "include"):
            members[f"{data}/data/{inside.as_posix()}"] = file.read_bytes()
    return members


def _record(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def build_wheel(
    wheel_directory: str, config_settings: object = None, metadata_directory: object = None
) -> str:
    """Build the package in the current directory; return the wheel's file name (PEP 517)."""
    source = Path.cwd()
    package = ElementTree.parse(source / "package.xml").getroot()
    name, version = (str(package.findtext(key)) for key in ("name", "version"))
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    with tempfile.TemporaryDirectory() as scratch:
        stage = Path(scratch, "stage")
        _cmake_install(source, Path(scratch, "build"), stage)
        members = _members(stage, f"{name}-{version}.data")
    info = f"{name}-{version}.dist-info"
    members[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Summary: {package.findtext('description')}\nLicense: {package.findtext('license')}\n"
        "Requires-Dist: ros-common-interfaces\n"
    ).encode()
    members[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: ament_wheel\nRoot-Is-Purelib: false\nTag: {tag}\n"
    ).encode()
    wheel = f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
        record = "".join(_record(path, content) for path, content in members.items())
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return wheel
