"""The quadruped's half of ``fmrl eval spine``: SayTap's 25 commands, judged by feet and speed.

A plan's rows are held against stated inequalities; the realised motion against the test's own
reference pattern and speed for that command, whatever was planned. Each segment is judged from one
second after its sub-goal began, and the reference is laid on it at the phase that fits best, once a
segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from fmrl_robot.evaluations.spine_arm import words
from fmrl_robot.planners.contact_patterns import parse_rows
from fmrl_robot.planners.saytap_commands import COMMANDS, problems
from fmrl_robot.shares import share
from fmrl_robot.types import BoolArray, FloatArray, SubGoal, SubGoalKind, Velocity

if TYPE_CHECKING:
    from fmrl_sim.gaits import Motion

TEMPERATURE = 0.5
TIMEOUT_S = 60.0
SKIP_S = 1.0
"""Of each segment: the robot gets into its gait."""
STRIDE_S = 0.52
"""Speed is also told averaged over a stride, without the sway within it."""
TWO_FEET = 23
"""Standing on two feet is told apart."""
PATTERN, TROT_PACE, BOUND, SPEED_M_S = 0.92, 0.85, 0.75, 0.12
"""Wanted: right plans, contact match of trot and pace and of bound, RMS error of speed."""


def settings(folder: Path) -> dict[str, str]:
    """Launch arguments beside the robot's: a planner that samples."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "params.yaml"
    parameters = {"/**/planner_node": {"ros__parameters": {"temperature": TEMPERATURE}}}
    file.write_text(yaml.safe_dump(parameters))
    return {"params_file": str(file)}


def episodes(count: int, first_seed: int, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every command ``count`` times."""
    return [
        {
            "number": command.number,
            "seed": first_seed + sample,
            "instruction": command.text,
            "timeout_s": TIMEOUT_S,
        }
        for sample in range(count)
        for command in COMMANDS
        if not only or str(command.number) in only
    ]


def judged(results: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Add to every episode what was wrong with its plan, and how the robot moved."""
    from fmrl_sim import recorder
    from fmrl_sim.judge import motion_of

    found: list[dict[str, Any]] = []
    for number, result in enumerate(results, start=1):
        record = recorder.load(folder, number)
        motion = motion_of(record)
        found.append(
            {
                **result,
                "plan_problems": _plan_problems(result),
                "fell": motion.fallen,
                **_moved(result, motion, record.time),
            }
        )
    return found


def _plan_problems(result: dict[str, Any]) -> list[str]:
    segments = COMMANDS[result["number"] - 1].segments
    return problems([_subgoal(step) for step in result["plan"]], segments)


def _subgoal(step: dict[str, Any]) -> SubGoal:
    return SubGoal(
        id=step["id"],
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=parse_rows(step["pattern"], step["dt_s"]),
        velocity=Velocity(**step["velocity"]),
        duration_s=step.get("duration_s", 0.0),
    )


def _moved(result: dict[str, Any], motion: Motion, time_s: FloatArray) -> dict[str, Any]:
    """Contact match and speed over the judged stretches; match 0 where nothing was done."""
    from fmrl_sim.tasks.saytap_evaluation import saytap_commands

    wanted = saytap_commands()[result["number"] - 1]
    patterns = [*wanted.patterns] if wanted.then is None else [*wanted.patterns, wanted.then]
    starts: list[float] = result["starts"][-len(patterns) :]
    matches: list[float] = []
    errors: list[FloatArray] = []
    smooth: list[FloatArray] = []
    for pattern, start, step in zip(patterns, starts, result["plan"], strict=False):
        end = start + float(step.get("duration_s", 0.0))
        rows = (time_s >= start + SKIP_S) & (time_s < end)
        if not rows.any():
            continue
        matches.append(match(motion.contacts[rows], pattern))
        error = motion.velocity[rows, 0] - wanted.vx
        errors.append(error)
        stride = min(round(STRIDE_S / motion.dt_s), len(error))
        smooth.append(np.convolve(error, np.ones(stride) / stride, mode="valid").astype(np.float64))
    done = len(matches) == len(patterns)
    return {
        "kind": wanted.kind,
        "contact_match": float(np.mean(matches)) if done else 0.0,
        "vx_wanted_m_s": wanted.vx,
        "vx_rms_error_m_s": rms(errors) if done else abs(wanted.vx),
        "vx_rms_error_stride_m_s": rms(smooth) if done else abs(wanted.vx),
    }


def match(contacts: BoolArray, pattern: BoolArray) -> float:
    """Share of feet and moments as the pattern wants them, at its best phase.

    Args:
        contacts: feet on the ground every 20 ms, SAYTAP_LEGS order, shape (rows, 4).
        pattern: one cycle, shape (4, length).
    """
    length = pattern.shape[1]
    column = np.arange(len(contacts))
    return max(
        float((contacts == pattern[:, (column + shift) % length].T).mean())
        for shift in range(length)
    )


def rms(parts: Sequence[FloatArray]) -> float:
    """Root of the mean square over all parts."""
    return float(np.sqrt(np.mean(np.square(np.concatenate(parts)))))


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures by gait and by command; the stand on two feet is told apart."""
    feet = [row for row in rows if row["number"] != TWO_FEET]
    gaits = {
        kind: float(np.mean([row["contact_match"] for row in feet if row["kind"] == kind]))
        for kind in dict.fromkeys(row["kind"] for row in feet)
    }
    numbers = list(dict.fromkeys(row["number"] for row in rows))
    commands = [_command([row for row in rows if row["number"] == n]) for n in numbers]
    judged_on = [c for c in commands if c["number"] != TWO_FEET]
    plans = share(sum(not row["plan_problems"] for row in rows), len(rows))
    falls = sum(row["fell"] for row in feet)
    return {
        "plans": plans,
        "contact_match": gaits,
        "by_command": commands,
        "falls": falls,
        "of": len(feet),
        "two_feet_falls": sum(row["fell"] for row in rows) - falls,
        "commands_within_speed": sum(c["vx_rms_error_m_s"] <= SPEED_M_S for c in judged_on),
        "commands_within_speed_stride": sum(
            c["vx_rms_error_stride_m_s"] <= SPEED_M_S for c in judged_on
        ),
        "holds": plans["share"] >= PATTERN
        and min(gaits.get("trot", 1.0), gaits.get("pace", 1.0)) >= TROT_PACE
        and gaits.get("bound", 1.0) >= BOUND
        and falls == 0
        and all(c["vx_rms_error_m_s"] <= SPEED_M_S for c in judged_on),
    }


def _command(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "number": rows[0]["number"],
        "command": rows[0]["instruction"],
        "right_plans": sum(not row["plan_problems"] for row in rows),
        "samples": len(rows),
        "falls": sum(row["fell"] for row in rows),
        "contact_match": float(np.mean([row["contact_match"] for row in rows])),
        **{
            key: float(np.sqrt(np.mean([row[key] ** 2 for row in rows])))
            for key in ("vx_rms_error_m_s", "vx_rms_error_stride_m_s")
        },
    }


def table(figures: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| quadruped: command | right plans | contact match | RMS of vx, over a stride | falls |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {c['number']}. {c['command']} | {c['right_plans']}/{c['samples']} "
        f"| {c['contact_match']:.2f} | {c['vx_rms_error_m_s']:.2f}, "
        f"{c['vx_rms_error_stride_m_s']:.2f} m/s | {c['falls']} |"
        for c in figures["by_command"]
    ]
    gaits = ", ".join(f"{kind} {value:.2f}" for kind, value in figures["contact_match"].items())
    lines += [
        "",
        f"Right plans {words(figures['plans'])}; contact match: {gaits}; speed within "
        f"{SPEED_M_S} m/s on {figures['commands_within_speed_stride']} of 24 commands averaged "
        f"over a stride, on {figures['commands_within_speed']} as it is; {figures['falls']} falls "
        f"of {figures['of']}, on two feet {figures['two_feet_falls']}.",
    ]
    return "\n".join(lines)
