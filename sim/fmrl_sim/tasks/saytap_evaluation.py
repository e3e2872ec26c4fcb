"""How well a policy follows commands: SayTap's 25, and gaits of random cycle and duty factor.

All commands run at once, each on its own robots, in one batch; the policy acts deterministically.
The first second, in which the robot gets into its gait, counts for falls only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np
import torch

from fmrl_robot.control import locomotion as loco
from fmrl_robot.types import SAYTAP_LEGS, BoolArray, FloatArray
from fmrl_sim.batched.randomisation import NO_RANDOMISATION, Randomisation
from fmrl_sim.scenes.ground import PHYSICS_DT_S
from fmrl_sim.tasks import contact_gaits as gaits
from fmrl_sim.tasks.saytap import SaytapConfig, Walkers, fallen, policy

Act = Callable[[FloatArray], FloatArray]
"""From observations (n, 65) to actions (n, 12)."""

SKIP_S = 1.0
STRIDE_S = 0.52
"""Speed is also judged averaged over a stride."""
GAIT_PATTERNS = 27
"""Random patterns of each of gait_set's 20 commands: 540 runs."""
HARDER = replace(
    NO_RANDOMISATION,
    friction=(0.4, 1.2),
    mass=0.15,
    latency_s=0.02,
    latency_least_s=0.02,
    noise=1.0,
)
"""Every action 20 ms late, on floors and with masses unlike the model's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluatedCommand:
    """One command of the test as patterns and speeds."""

    number: int
    text: str
    kind: str
    """Kind of pattern, as in contact_gaits.KINDS."""
    vx: float = 0.0
    patterns: tuple[BoolArray, ...]
    """Of each robot; they repeat where there are more robots."""
    then: BoolArray | None = None
    """Pattern of the second half."""


def saytap_commands() -> tuple[EvaluatedCommand, ...]:
    """SayTap's 25 commands, legs in SAYTAP_LEGS order."""
    rows: list[tuple[str, str, float, BoolArray, BoolArray | None]] = [
        ("Stand still", "stand", 0.0, gaits.pattern("stand"), None)
    ]
    for leg, name in enumerate(("front left", "front right", "rear left", "rear right")):
        rows.append(
            (
                f"Lift {name} leg",
                "stand_3legs",
                0.0,
                gaits.pattern("stand_3legs", legs=(leg,)),
                None,
            )
        )
    speeds = {
        "in place": 0.0,
        "forward slowly": 0.5,
        "forward fast": 1.0,
        "backward slowly": -0.5,
        "backward fast": -1.0,
    }
    for gait in ("bound", "trot", "pace"):
        for how, vx in speeds.items():
            rows.append((f"{gait.capitalize()} {how}", gait, vx, gaits.pattern(gait), None))
    suspended = gaits.pattern("suspended_trot", ratio=0.42)
    rows += [
        ("Trot in place, with a suspension phase", "suspended_trot", 0.0, suspended, None),
        (
            "Trot forward, front right leg at a higher frequency",
            "faster_leg",
            0.5,
            gaits.pattern("faster_leg", legs=(1,)),
            None,
        ),
        ("Stand on FR and RL", "stand_2legs", 0.0, gaits.pattern("stand_2legs", legs=(0, 3)), None),
        (
            "Walk with three legs, rear right in the air",
            "walk_3legs",
            0.5,
            gaits.pattern("walk_3legs", ratio=0.7, legs=(3,)),
            None,
        ),
        ("Bound then pace", "bound", 0.5, gaits.pattern("bound"), gaits.pattern("pace")),
    ]
    return tuple(
        EvaluatedCommand(number=i, text=text, kind=kind, vx=vx, patterns=(pattern,), then=then)
        for i, (text, kind, vx, pattern, then) in enumerate(rows, start=1)
    )


def gait_set(rng: np.random.Generator, count: int) -> tuple[EvaluatedCommand, ...]:
    """Trot, pace and bound at five speeds, standing, and standing on three legs.

    Each has ``count`` patterns of cycles of 24 to 28 columns and duty factors of 0.5 to 0.7.
    """

    def draw(gait: str, legs: tuple[int, ...] = (0,)) -> tuple[BoolArray, ...]:
        return tuple(
            gaits.pattern(gait, int(rng.integers(24, 29)), rng.uniform(0.5, 0.7), legs)
            for _ in range(count)
        )

    rows = [
        (f"{gait} at {vx:+.1f} m/s", gait, vx, draw(gait))
        for gait in ("trot", "pace", "bound")
        for vx in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    rows.append(("stand", "stand", 0.0, draw("stand")))
    rows += [
        (f"stand with {leg.value} in the air", "stand_3legs", 0.0, draw("stand_3legs", (i,)))
        for i, leg in enumerate(SAYTAP_LEGS)
    ]
    return tuple(
        EvaluatedCommand(number=i, text=text, kind=kind, vx=vx, patterns=patterns)
        for i, (text, kind, vx, patterns) in enumerate(rows, start=1)
    )


def report(act: Act, *, robot: str = "go2", **settings: Any) -> dict[str, Any]:
    """SayTap's commands and the gaits, on the model as it is and on varied ones, and a summary.

    The model as it is runs at the simulator's own time step, which is finer than training's.
    """
    test = saytap_commands()
    gait = gait_set(np.random.default_rng(0), GAIT_PATTERNS)
    runs: dict[str, dict[str, Any]] = {
        "nominal": {"commands": test, "physics_dt_s": PHYSICS_DT_S},
        "randomised": {"commands": test, "randomisation": Randomisation()},
        "gaits": {"commands": gait, "robots": GAIT_PATTERNS, "physics_dt_s": PHYSICS_DT_S},
        "gaits_harder": {"commands": gait, "robots": GAIT_PATTERNS, "randomisation": HARDER},
    }
    rows = {name: evaluate(act, robot=robot, **{**run, **settings}) for name, run in runs.items()}
    return {"summary": {name: summary(of) for name, of in rows.items()}, **rows}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means by kind of gait; the stand on two feet is told apart."""
    feet = [row for row in rows if row["kind"] != "stand_2legs"]
    kinds = dict.fromkeys(row["kind"] for row in rows)
    match = {k: float(np.mean([r["contact_match"] for r in rows if r["kind"] == k])) for k in kinds}
    return {
        "robots": sum(row["robots"] for row in feet),
        "falls": sum(row["falls"] for row in feet),
        "commands_without_fall": sum(row["falls"] == 0 for row in feet),
        "contact_match": match,
        "contact_match_mean_of_kinds": float(np.mean([*match.values()])),
        "vx_rms_error_m_s": max(row["vx_rms_error_m_s"] for row in feet),
        "vx_rms_error_stride_m_s": max(row["vx_rms_error_stride_m_s"] for row in feet),
        "two_feet_falls": sum(row["falls"] for row in rows) - sum(row["falls"] for row in feet),
    }


def evaluate(
    act: Act,
    *,
    robot: str = "go2",
    commands: tuple[EvaluatedCommand, ...] = saytap_commands(),
    robots: int = 20,
    seconds: float = 10.0,
    randomisation: Randomisation = NO_RANDOMISATION,
    seed: int = 1234,
    threads: int = 2,
    physics_dt_s: float = 0.004,
) -> list[dict[str, Any]]:
    """Run every command on ``robots`` robots; one row of figures a command."""
    walkers = Walkers(
        SaytapConfig(
            robot=robot,
            num_envs=robots * len(commands),
            seed=seed,
            threads=threads,
            physics_dt_s=physics_dt_s,
            randomisation=randomisation,
        )
    )
    walkers.restart(torch.arange(walkers.count))
    groups = [np.arange(i * robots, (i + 1) * robots) for i in range(len(commands))]
    for ids, command in zip(groups, commands, strict=True):
        walkers.kind[ids] = gaits.KINDS.index(command.kind)
        for i, pattern in zip(ids, cycle(command.patterns), strict=False):
            walkers.set_goal(np.array([i]), pattern, np.array([command.vx, 0.0, 0.0]))
    steps = round(seconds / walkers.control_dt_s)
    matches = np.zeros((steps, walkers.count))
    speeds = np.zeros((steps, walkers.count))
    fell = np.zeros(walkers.count, dtype=np.bool_)
    heading = walkers.yaw
    stepping = ~torch.isin(walkers.kind, torch.tensor(gaits.STILL))
    for step in range(steps):
        if step == steps // 2:
            for ids, command in zip(groups, commands, strict=True):
                if command.then is not None:
                    walkers.set_goal(ids, command.then, np.array([command.vx, 0.0, 0.0]))
        turn = loco.keep_heading(torch.zeros(walkers.count), heading - walkers.yaw)
        walkers.command[:, 2] = turn * stepping
        walkers.act(torch.as_tensor(act(policy(walkers).numpy().astype(np.float64))).float())
        matches[step] = (walkers.wanted == walkers.contacts).float().mean(dim=1)
        speeds[step] = walkers.velocity[:, 0]
        fell |= fallen(walkers).numpy()
        walkers.push()
    skip = round(SKIP_S / walkers.control_dt_s)
    return [
        _figures(command, matches[skip:, ids], speeds[skip:, ids], fell[ids], walkers.control_dt_s)
        for ids, command in zip(groups, commands, strict=True)
    ]


def _figures(
    command: EvaluatedCommand,
    matches: FloatArray,
    speeds: FloatArray,
    fallen: BoolArray,
    dt_s: float,
) -> dict[str, Any]:
    stride = np.ones(round(STRIDE_S / dt_s)) / round(STRIDE_S / dt_s)
    smooth = np.stack([np.convolve(v, stride, mode="valid") for v in speeds.T])
    return {
        "number": command.number,
        "command": command.text,
        "kind": command.kind,
        "robots": len(fallen),
        "falls": int(fallen.sum()),
        "contact_match": float(matches.mean()),
        "contact_match_worst_robot": float(matches.mean(axis=0).min()),
        "vx_wanted_m_s": command.vx,
        "vx_mean_m_s": float(speeds.mean()),
        "vx_rms_error_m_s": float(np.sqrt(np.square(speeds - command.vx).mean())),
        "vx_rms_error_stride_m_s": float(np.sqrt(np.square(smooth - command.vx).mean())),
    }
