"""Where shipped artefacts lie: trained policies and embedded models."""

from __future__ import annotations

import os
from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode

ENV_POLICIES = "FMRL_POLICIES"


def policies_dir() -> Path:
    """Return the folder of trained artefacts: $FMRL_POLICIES, the wheel's, or the repository's.

    Raises:
        ConfigError: the environment names a folder that does not exist, or there is none.
    """
    named = os.environ.get(ENV_POLICIES)
    if named:
        path = Path(named)
        if not path.is_dir():
            raise ConfigError(
                f"expected a folder in {ENV_POLICIES}, got {named!r}; correct or unset it",
                ErrorCode.ASSET_MISSING,
            )
        return path
    package = Path(__file__).resolve().parent
    for candidate in (package / "_policies", package.parent / "policies"):
        if candidate.is_dir():
            return candidate
    raise ConfigError(
        f"expected trained policies in the package or the repository, found none; set "
        f"{ENV_POLICIES} to their folder",
        ErrorCode.ASSET_MISSING,
    )
