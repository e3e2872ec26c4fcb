"""What a policy trained elsewhere may choose for itself, and within which bounds.

A policy of this project chooses nothing: its file is checked against the RobotSpec alone. One that
is named by the user and was imported (``fmrl policy import``) brings gains, history, period and
greatest latency of its own; everything else it has in common with this project's policies. The
loader decides which of the two a file is, never the file. Downstream of this the gate still judges
the gains of every single command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from fmrl_robot.control.contract import EXPORT_ANEW, PolicyContract, refusal
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray

DELAY_LIMIT_MS = 100.0
"""The gate's deadline; a policy that bears more gains nothing."""
HISTORY_LIMIT = 100
"""Frames of a term; at 50 Hz two seconds."""
_NO_GAINS = "which exporters write that ask the simulator for gains where the trainer has its own"
"""mjlab's does so for actuators whose torques are computed outside: stiffness 1, damping -0."""
_COUNTS = np.arange(1, HISTORY_LIMIT + 1)


def with_own_choices(
    wanted: PolicyContract,
    found: PolicyContract,
    spec: RobotSpec,
    file: Path,
    todo: str = EXPORT_ANEW,
) -> PolicyContract:
    """Return ``wanted`` with the choices of ``found``, each within what the robot bears.

    Args:
        wanted: what a policy of this project has to state.
        found: what the file states.
        spec: the robot.
        file: named in a refusal.
        todo: what to do about a refusal.

    Raises:
        ConfigError: POLICY_REFUSED; the message names the field, its bounds and what was found.
    """
    if found.observation_names != wanted.observation_names:
        names = wanted.observation_names
        raise refusal(file, "observation_names", names, found.observation_names)
    joints, terms = spec.num_joints, len(wanted.observation_names)
    laws: tuple[tuple[str, str, Callable[[FloatArray], bool]], ...] = (
        (
            "joint_stiffness",
            f"{joints} values above 0, at most {spec.kp_limit.tolist()}, not all of them 1, "
            f"{_NO_GAINS}",
            lambda kp: _within(kp, spec.kp_limit) and not bool(np.all(kp == 1)),
        ),
        (
            "joint_damping",
            f"{joints} values above 0, at most {spec.kd_limit.tolist()}",
            lambda kd: _within(kd, spec.kd_limit),
        ),
        (
            "control_dt",
            f"a multiple of {spec.command_dt_s} s, the period of commands",
            lambda dt: dt.ndim == 0 and _multiple(float(dt), spec.command_dt_s),
        ),
        (
            "max_action_delay_ms",
            f"above 0, at most {DELAY_LIMIT_MS}",
            lambda ms: ms.ndim == 0 and bool(0 < ms <= DELAY_LIMIT_MS),
        ),
        (
            "observation_history_lengths",
            f"{terms} whole numbers from 1 to {HISTORY_LIMIT}",
            lambda n: n.shape == (terms,) and bool(np.all(np.isin(n, _COUNTS))),
        ),
    )
    for field, bounds, holds in laws:
        value = getattr(found, field)
        if not holds(_numbers(value)):
            raise refusal(file, field, bounds, value, todo)
    return replace(wanted, **{field: getattr(found, field) for field, _, _ in laws})


def _numbers(value: object) -> FloatArray:
    """As an array; NaN, which no law lets pass, where it is no number."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array(np.nan)


def _within(values: FloatArray, most: FloatArray) -> bool:
    return values.shape == most.shape and bool(np.all((values > 0) & (values <= most)))


def _multiple(period_s: float, of_s: float) -> bool:
    times = period_s / of_s
    return bool(np.isfinite(times) and times > 0.5 and np.isclose(times, round(times), rtol=1e-6))
