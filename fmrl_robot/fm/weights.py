"""Which weights a folder holds: part of a model's id, or answers of others would be reused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fmrl_robot.errors import ConfigError, ErrorCode

_BLOCK = 1 << 24
_KINDS = ("*.safetensors", "pytorch_model*.bin")


def weights_digest(folder: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 over the folder's weights.

    Raises:
        ConfigError: the folder holds none.
    """
    files = sorted(file for kind in _KINDS for file in folder.rglob(kind))
    if not files:
        raise ConfigError(
            f"expected weights (*.safetensors) in {folder}, found none; train or copy the model",
            ErrorCode.ASSET_MISSING,
        )
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:12]


def named_with_weights(name: str) -> str:
    """Return the last part of a folder's path with its digest; the id of a hub as it is."""
    folder = Path(name)
    return f"{folder.name}@{weights_digest(folder)}" if folder.is_dir() else name
