"""One switch that forbids every download: ``FMRL_FORBID_NETWORK=1``."""

from __future__ import annotations

import os
from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode

ENV_FORBID = "FMRL_FORBID_NETWORK"


def network_is_forbidden() -> bool:
    """Whether models may only come from this machine."""
    return os.environ.get(ENV_FORBID, "") not in ("", "0")


def apply_network_switch() -> None:
    """Hand the switch to the Hugging Face libraries; call before importing them."""
    if network_is_forbidden():
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"


def check_reachable(name: str) -> None:
    """Refuse a hub id where downloads are forbidden.

    Raises:
        ConfigError: ``name`` is no folder and the network is forbidden.
    """
    if network_is_forbidden() and not Path(name).is_dir():
        raise ConfigError(
            f"expected the folder of a model, got {name!r}, and {ENV_FORBID} forbids downloads; "
            "give a folder or unset it",
            ErrorCode.MODEL_UNAVAILABLE,
        )
