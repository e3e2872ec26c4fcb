"""An off-screen OpenGL context without a display: EGL where there is one, else OSMesa.

MuJoCo chooses its context by an environment variable read at import time, and falls back to a
windowed one; asking for the context directly needs neither a variable nor a display.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode

BACKENDS = ("egl", "osmesa")


def offscreen_context(width: int, height: int) -> Any:
    """Return a context for the calling thread, made current; ``MUJOCO_GL`` may name the kind.

    Raises:
        ConfigError: neither EGL nor OSMesa works here; the message says what to install.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower()
    failures = []
    for backend in (asked,) if asked in BACKENDS else BACKENDS:
        try:
            context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
            context.make_current()
        except (ImportError, RuntimeError, AttributeError, OSError) as error:
            failures.append(f"{backend}: {error}")
        else:
            return context
    raise ConfigError(
        f"expected EGL or OSMesa for rendering without a display, got {'; '.join(failures)}; "
        "apt-get install libegl1 libgl1-mesa-dri, or libosmesa6",
        ErrorCode.ASSET_MISSING,
    )
