"""``fmrl policy import``: from a file trained elsewhere to a folder of ``policies/``.

Read what it says, work out which of this project's contracts it fits, put the maps round its
network, prove that both command the same, and only then let the folder appear.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from fmrl_robot.control.contract import PolicyContract
from fmrl_robot.control.foreign import with_own_choices
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import writable_folder
from fmrl_robot.robots import RobotSpec
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.importing.graft import graft
from fmrl_robot.train.importing.network import check_sizes, read_network
from fmrl_robot.train.importing.proof import STATES, prove
from fmrl_robot.train.importing.refusal import refused
from fmrl_robot.train.importing.source import Source, contract_of, read_source
from fmrl_robot.train.importing.statement import IGNORE, Statement
from fmrl_robot.train.onnx_file import write_model

_SAY_IT = "export it anew, or write what it was trained with into a side file (--contract)"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import made."""

    folder: Path
    contract: PolicyContract
    read: dict[str, tuple[str, Any]]
    """By key: who says it (a file's name, or ``default``), and what."""
    difference_rad: float
    """Greatest difference between the joint targets of both files."""


def import_policy(
    file: Path,
    spec: RobotSpec,
    name: str,
    policies: Path,
    *,
    side: Path | None = None,
    force: bool = False,
) -> Imported:
    """Write ``policies/name`` from an ONNX file that was trained elsewhere.

    Args:
        file: the ONNX file.
        spec: the robot it is for.
        name: of the new folder.
        policies: where that lies.
        side: YAML with what the file does not say, or says wrongly.
        force: replace a folder of that name.

    Raises:
        ConfigError: POLICY_MISSING, POLICY_REFUSED or CONFIG_INVALID; nothing was written, or
            nothing can be written to ``policies``.
    """
    folder = _free(policies, name, force)
    model = read_network(file)
    metadata = {p.key: p.value for p in model.metadata_props}
    said = Statement(metadata, file, side)
    source = read_source(said, spec)
    check_sizes(model, source)
    said.check_all_read()
    stated = contract_of(source, spec)
    stated = with_own_choices(stated, stated, spec, file, _SAY_IT)
    read = _read(source, said)
    origin = {"file": file.name, "sha256": _sha256(file.read_bytes())}
    config = yaml.safe_dump(
        {
            "imported": {
                **origin,
                "metadata": metadata,
                "read": {k: list(v) for k, v in read.items()},
            }
        },
        sort_keys=False,
    )
    contract = replace(stated, config_sha256=_sha256(config.encode()))
    made = writable_folder(policies) / f".{name}.{os.getpid()}"
    made.mkdir()
    try:
        policy = made / "policy.onnx"
        write_model(graft(model, source, contract), contract, policy)
        difference = prove(file, source, PolicyRunner(policy, contract), spec)
        (made / "config.yaml").write_text(config, "utf-8")
        write_card(
            made / "card.json",
            {
                "name": name,
                "robot": spec.name,
                "imported": origin,
                "policy_sha256": _sha256(policy.read_bytes()),
                "config_sha256": contract.config_sha256,
                "same_targets": {"states": STATES, "greatest_difference_rad": f"{difference:.1e}"},
                "evaluation": {"summary": "not evaluated"},
            },
        )
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Imported(folder=folder, contract=contract, read=read, difference_rad=difference)


def _free(policies: Path, name: str, force: bool) -> Path:
    if not _NAME.fullmatch(name):
        raise refused("--name", "small letters, digits, - and _", name, "choose such a name")
    folder = policies / name
    if folder.exists() and not force:
        raise ConfigError(
            f"expected a name that is free in {policies}, got {name!r}; choose another, or say "
            "--force to replace it",
            ErrorCode.CONFIG_INVALID,
        )
    return folder


def _read(source: Source, said: Statement) -> dict[str, tuple[str, Any]]:
    """What was understood, as plain values, and who said it."""
    arrays = ("joint_stiffness", "joint_damping", "default_joint_pos", "action_scale")
    plain = ("joint_names", "action_joint_names", "leg_order")
    values: dict[str, Any] = {
        **{key: list(getattr(source, key)) for key in plain},
        **{key: getattr(source, key).tolist() for key in arrays},
        "observation_names": [f"{term.said} as {term.name}" for term in source.terms],
        "observation_scales": [term.scale.tolist() for term in source.terms],
        "observation_clips": [list(term.clip) for term in source.terms],
        "observation_history_lengths": [term.history for term in source.terms],
        "observation_history_order": "by_frame" if source.by_frame else "by_term",
        "control_dt": source.control_dt,
        "max_action_delay_ms": source.max_action_delay_ms,
    }
    if said.ignored:
        values[IGNORE] = list(said.ignored)
    return {key: (said.sources.get(key, "default"), value) for key, value in values.items()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
