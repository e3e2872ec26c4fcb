"""One switch that forbids every download and every server elsewhere: ``FMRL_FORBID_NETWORK=1``."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

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


def is_local(name: str) -> bool:
    """Whether a model may only be looked for on this machine."""
    return network_is_forbidden() or Path(name).is_dir()


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


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> None:
    """Refuse a server on another machine where the network is forbidden.

    Raises:
        ConfigError: the network is forbidden and ``url`` is not on loopback.
    """
    if network_is_forbidden() and not is_loopback(url):
        raise ConfigError(
            f"expected a server on this machine, got {url!r}, and {ENV_FORBID} forbids every "
            "other; name one on localhost or unset it",
            ErrorCode.MODEL_UNAVAILABLE,
        )
