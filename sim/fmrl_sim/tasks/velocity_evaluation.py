"""How well a policy walks on ground that it never trained on.

Every kind of ground is a map of its own, all of it as hard as the hardest patches of training, and
drawn with a seed that no training uses. Each robot starts anywhere on it and is told new velocities
every five seconds. What counts as a fall is read from the physics: the trunk touches the ground, or
is tilted by more than 60 degrees. Who has fallen stays so to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.shares import share
from fmrl_robot.types import FloatArray
from fmrl_sim.batched.actors import policy
from fmrl_sim.batched.randomisation import NO_RANDOMISATION, Randomisation
from fmrl_sim.scenes.ground import PHYSICS_DT_S
from fmrl_sim.scenes.terrain import KINDS, make_terrain
from fmrl_sim.tasks.trotting import Trotter, flat_ground_policy
from fmrl_sim.tasks.velocity import Rovers, VelocityConfig
from fmrl_sim.tasks.velocity_rewards import fallen

Act = Callable[[FloatArray], FloatArray]
"""From observations (n, 45) to actions (n, 12)."""

UNSEEN_SEED = 987_654
"""Of the maps and of everything else; training's are small numbers."""
SPEED_M_S = (0.3, 1.0)
"""Of the commands; the direction is mostly ahead or back."""
RESAMPLE_S, SKIP_S, STRIDE_S = 5.0, 1.0, 0.5
"""Time between commands, time after a command before it is judged, time that is averaged over."""
PATCHES = 3
"""Of one kind in each map, along both axes."""


def report(act: Act, *, robot: str, **settings: Any) -> dict[str, Any]:
    """All kinds of ground, on the model as it is and on varied ones, and a control.

    The model as it is runs at the simulator's own time step and with every collision shape. The
    control is a policy that learned on even ground: the robot's contact-pattern policy, where there
    is one, trotting at the same commands.
    """
    nominal: dict[str, Any] = {"physics_dt_s": PHYSICS_DT_S}
    rows = {
        "nominal": evaluate(act, robot=robot, **{**nominal, **settings}),
        "randomised": evaluate(act, robot=robot, randomisation=Randomisation(), **settings),
    }
    file = flat_ground_policy(robot)
    if file.is_file():
        trotter, column = Trotter(file), count()

        def trots(observations: FloatArray) -> FloatArray:
            return trotter(observations, np.full(len(observations), next(column)))

        rows["control"] = evaluate(trots, robot=robot, **{**nominal, **settings})
    return {"summary": {name: summary(of) for name, of in rows.items()}, **rows}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Who stays upright over all rough ground and by kind, and how far off the command."""
    rough = [row for row in rows if row["kind"] != "flat"]
    falls, runs = (sum(row[key] for row in rough) for key in ("falls", "runs"))
    return {
        "upright": share(runs - falls, runs),
        "upright_by_kind": {
            row["kind"]: share(row["runs"] - row["falls"], row["runs"]) for row in rows
        },
        "velocity_error_m_s": float(np.mean([row["velocity_error_m_s"] for row in rough])),
        "turn_error_rad_s": float(np.mean([row["turn_error_rad_s"] for row in rough])),
        "way_of_asked": float(np.mean([row["way_of_asked"] for row in rough])),
    }


def evaluate(
    act: Act,
    *,
    robot: str,
    kinds: Sequence[str] = KINDS,
    runs: int = 100,
    seconds: float = 15.0,
    difficulty: float = 1.0,
    randomisation: Randomisation = NO_RANDOMISATION,
    seed: int = UNSEEN_SEED,
    threads: int = 2,
    physics_dt_s: float = 0.02 / 3,
) -> list[dict[str, Any]]:
    """Let ``runs`` robots walk on each kind of ground; one row of figures a kind."""
    config = VelocityConfig(
        robot=robot,
        num_envs=runs,
        seed=seed,
        threads=threads,
        physics_dt_s=physics_dt_s,
        randomisation=randomisation,
        first_levels=PATCHES,
    )
    return [{"kind": kind, **_walk(act, config, kind, difficulty, seconds)} for kind in kinds]


def _walk(
    act: Act, config: VelocityConfig, kind: str, difficulty: float, seconds: float
) -> dict[str, Any]:
    terrain = make_terrain(config.seed, (kind,) * PATCHES, (difficulty,) * PATCHES)
    world = Rovers(config, terrain, whole=True)
    everyone = torch.arange(world.count)
    world.restart(everyone)
    dt = world.control_dt_s
    every, skip, stride = (round(s / dt) for s in (RESAMPLE_S, SKIP_S, STRIDE_S))
    fell = torch.zeros(world.count, dtype=torch.bool)
    off: list[Tensor] = []
    judged: list[Tensor] = []
    for step in range(round(seconds / dt)):
        if step % every == 0:
            world.set_commands(everyone, _commands(world))
        command = world.command.clone()
        world.act(torch.as_tensor(act(policy(world).numpy().astype(np.float64))).float())
        fell |= fallen(world) | world.broken
        turning = torch.cat([world.velocity[:, :2], world.omega[:, 2:]], dim=1)
        off.append(turning - command)
        judged.append(~fell & (step % every >= skip))
        world.push()
    errors, valid = torch.stack(off), torch.stack(judged)
    # The body of who walks sways; what counts is where it goes over a stride.
    smooth = errors.unfold(0, stride, 1).mean(dim=-1)
    valid = valid.unfold(0, stride, 1).all(dim=-1)
    planar, turn = smooth[valid][:, :2].norm(dim=1), smooth[valid][:, 2].abs()
    upright = ~fell
    return {
        "runs": world.count,
        "falls": int(fell.sum()),
        "velocity_error_m_s": float(planar.mean()),
        "turn_error_rad_s": float(turn.mean()),
        "way_of_asked": float(world.walked[upright].sum() / world.asked[upright].sum()),
    }


def _commands(world: Rovers) -> Tensor:
    """Draw velocities, (n, 3)."""
    n = world.count
    speed, turn = world.uniform(*SPEED_M_S, n), world.uniform(-1, 1, n)
    aside = 0.5 * world.uniform(-1, 1, n) * (world.uniform(0, 1, n) < 0.3)
    back = torch.where(world.uniform(0, 1, n) < 0.3, -1.0, 1.0)
    turns = world.uniform(0, 1, n) < 0.5
    return torch.stack(
        [back * speed * torch.cos(aside), speed * torch.sin(aside), turn * turns], dim=1
    )
