"""``fmrl policy NAME``: what a shipped artefact says about itself, and whether it is that file.

For a controller that is the contract in its ONNX metadata (what training and running agree on) and
the summary of its card; for an embedded model the card alone. ``fmrl policy import FILE`` makes
such a folder of a policy that was trained elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from fmrl_robot.assets import policies_dir
from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.runner import open_policy
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_card
from fmrl_robot.robots import robot

_HASHES = {"policy_sha256": ("policy.onnx",), "config_sha256": ("config.yaml",)}
_WEIGHTS = ("model.safetensors", "open_clip_model.safetensors")


def policy_folder(name: str, policies: Path | None = None) -> Path:
    """Return the folder of an artefact.

    Raises:
        ConfigError: POLICY_MISSING; the message lists those that there are.
    """
    root = policies or policies_dir()
    known = sorted(p.parent.name for p in root.glob("*/card.json"))
    if name not in known:
        raise ConfigError(
            f"expected one of {', '.join(known) or 'none'} in {root}, got {name!r}",
            ErrorCode.POLICY_MISSING,
        )
    return root / name


def contract_of(folder: Path) -> PolicyContract | None:
    """Return the contract of a policy file; None where the folder holds a model without one.

    Raises:
        ConfigError: POLICY_REFUSED; it cannot be read, or a key of the contract is missing.
    """
    file = folder / "policy.onnx"
    if not file.is_file():
        return None
    metadata = open_policy(file).get_modelmeta().custom_metadata_map
    return PolicyContract.from_metadata(metadata, file)


def mismatches(folder: Path, card: Mapping[str, Any]) -> list[str]:
    """Say which files are not those that the card was written for."""
    wanted = dict(_HASHES, weights_sha256=_WEIGHTS)
    found: list[str] = []
    for key, names in wanted.items():
        for file in (folder / name for name in names):
            if key not in card or not file.is_file():
                continue
            actual = hashlib.sha256(file.read_bytes()).hexdigest()
            if actual != card[key]:
                found.append(f"expected {file.name} with sha256 {card[key][:12]}..., got {actual}")
    return found


def _flat(values: Mapping[str, Any], before: str = "") -> list[str]:
    """Lines ``a.b: value`` of nested plain values."""
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{before}{key}.")
        else:
            lines.append(f"  {before}{key}: {value}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl policy``; 1 when a file is not the one its card speaks of."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["import"]:
        return _import(words[1:])
    parser = argparse.ArgumentParser(
        prog="fmrl policy",
        description="Show a policy's contract; 'fmrl policy import --help' tells how to take one "
        "that was trained elsewhere.",
    )
    parser.add_argument("name", help="folder in policies/, such as go2-saytap")
    parser.add_argument("--policies", type=Path, help="folder of policies; default: the shipped")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    given = parser.parse_args(words)
    folder = policy_folder(given.name, given.policies)
    card: dict[str, Any] = read_card(folder / "card.json")
    contract = contract_of(folder)
    stated: dict[str, Any] = {}
    if contract is not None:
        names = [f.name for f in fields(contract) if f.name != "evaluation"]
        stated = {name: getattr(contract, name) for name in names}
    wrong = mismatches(folder, card)
    if given.json:
        print(json.dumps({"contract": stated, "card": card, "problems": wrong}, indent=2))
        return 1 if wrong else 0
    if stated:
        print("\n".join(["contract", *(f"  {name}: {value}" for name, value in stated.items())]))
    summary = card.get("evaluation", {}).get("summary")
    short = {k: v for k, v in card.items() if k not in ("evaluation", "settings")}
    print("\n".join(["card", *_flat({**short, "evaluation": summary} if summary else short)]))
    print("\n".join(wrong) or "the files are those that the card was written for")
    return 1 if wrong else 0


def _import(arguments: Sequence[str]) -> int:
    """Run ``fmrl policy import``."""
    parser = argparse.ArgumentParser(
        prog="fmrl policy import",
        description="Take a policy that mjlab, rsl_rl or the like has exported as ONNX, and put it "
        "under this project's contract (docs/policies.md).",
    )
    parser.add_argument("file", type=Path, help="the ONNX file")
    parser.add_argument("--robot", required=True, help="such as go2")
    parser.add_argument("--name", required=True, help="of the new folder in policies/")
    parser.add_argument("--contract", type=Path, help="YAML with what the file does not say")
    parser.add_argument("--policies", type=Path, help="folder of policies; default: the shipped")
    parser.add_argument("--force", action="store_true", help="replace a policy of that name")
    given = parser.parse_args(arguments)
    try:
        from fmrl_robot.train.importing import import_policy
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"expected {error.name}, found none; pip install 'fmrl_robot[train]'",
            ErrorCode.CAPABILITY_MISSING,
        ) from error
    made = import_policy(
        given.file,
        robot(given.robot),
        given.name,
        given.policies or policies_dir(),
        side=given.contract,
        force=given.force,
    )
    print("read")
    print("\n".join(f"  {key} ({who}): {value}" for key, (who, value) in made.read.items()))
    print(f"same joint targets as the original within {made.difference_rad:.1e} rad")
    print(f"written, and not evaluated: {made.folder}")
    if made.contract.command_names == ("velocity_command",):
        print(f"walk with it: fmrl up --robot {given.robot} walk_policy:={made.folder.resolve()}")
    return 0
