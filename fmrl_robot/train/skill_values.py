"""``fmrl train panda-values``: learn how likely each choice on a table is to succeed.

Labels are what came of choices in SkillEnv *table*, half of them drawn evenly from all there are,
half evenly over their kinds, so that the few about drawer and button are tried as well; choices
that the plan check would refuse fail there. Calibration is measured on rollouts of another seed.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.skills.env import SkillEnvOptions, TableOptions, symbolic_env, table_tasks
from fmrl_robot.skills.env.words import DONE
from fmrl_robot.skills.values import FOLDER, SIZE, WEIGHTS, SkillValues, features
from fmrl_robot.train.cards import write_card
from fmrl_robot.types import FloatArray

ROBOT, WORLDS, HIDDEN = "panda", 16, 64
EPOCHS, BATCH, LEARNING_RATE = 4, 256, 1e-3
"""More epochs overfit: what succeeds is partly chance."""
TABLES = TableOptions(far=0.5, held=0.3)
EVAL_SEED, BINS = 990_001, 10


def rollouts(
    steps: int, seed: int, *, slips: float | None = None, tables: TableOptions = TABLES
) -> tuple[FloatArray, FloatArray]:
    """Try choices drawn at random.

    Args:
        steps: tries.
        seed: of tables and draws.
        slips: share of tries that fail; None for what was measured of the robot.
        tables: on which.

    Returns:
        Features (steps, SIZE) and whether each did what it was to do, 0 or 1, (steps,).
    """
    env = symbolic_env(
        table_tasks(tables), ROBOT, WORLDS, SkillEnvOptions(done_ends=False), slips=slips
    )
    env.reset(seed)
    rng = np.random.default_rng(seed)
    rows, labels = np.zeros((steps, SIZE)), np.zeros(steps)
    for begin in range(0, steps, WORLDS):
        chosen: list[int] = []
        for world in range(WORLDS):
            choices = env.menu(world).choices
            kinds = sorted({c.name for c in choices} - {DONE})
            kind = rng.choice(kinds) if rng.random() < 0.5 else ""
            among = [i for i, c in enumerate(choices) if c.name in ([kind] if kind else kinds)]
            chosen.append(int(rng.choice(among)))
            if begin + world < steps:
                choice = choices[chosen[-1]]
                rows[begin + world] = features(env.truth(world), choice)
        done = env.step(chosen).done
        labels[begin : begin + WORLDS] = done[: steps - begin]
    return rows, labels


def fit(rows: FloatArray, labels: FloatArray, seed: int) -> SkillValues:
    """Learn the chance of success from tries."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes = [(SIZE, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
        layers = [torch.nn.Linear(*size) for size in sizes]
    parts: list[torch.nn.Module] = [layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU()]
    network = torch.nn.Sequential(*parts, layers[2])
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    x, y = torch.as_tensor(rows).float(), torch.as_tensor(labels).float()
    for _ in range(EPOCHS):
        for ids in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(x[ids])[:, 0], y[ids]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return SkillValues(
        [
            (
                m.weight.detach().numpy().astype(np.float64),
                m.bias.detach().numpy().astype(np.float64),
            )
            for m in layers
        ]
    )


def calibration(chances: FloatArray, labels: FloatArray) -> dict[str, float]:
    """How far chances are from what came of tries.

    Returns:
        ``brier``: mean squared error; ``base``: that of always saying the mean; ``ece``: mean
        distance of chance and share in BINS bins of equal width, by number of tries.
    """
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = [
        abs(chances[bins == b].mean() - labels[bins == b].mean()) * np.mean(bins == b)
        for b in range(BINS)
        if np.any(bins == b)
    ]
    return {
        "brier": float(np.mean((chances - labels) ** 2)),
        "base": float(labels.var()),
        "ece": float(sum(gaps)),
    }


def train(steps: int, seed: int, out: Path, report: Callable[[str], None]) -> dict[str, Any]:
    """Learn, measure, and leave weights and card in ``out``; return the card."""
    from safetensors.numpy import save_file

    began = time.monotonic()
    rows, labels = rollouts(steps, seed)
    values = fit(rows, labels, seed)
    seen, came = rollouts(max(WORLDS, steps // 5), EVAL_SEED + seed)
    figures = calibration(values.of(seen), came)
    out.mkdir(parents=True, exist_ok=True)
    file = out / WEIGHTS
    save_file(values.tensors(), file)
    card = {
        "what": "chance of success of a choice on a table, from the facts about its things",
        "name": FOLDER,
        "robot": ROBOT,
        "weights_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "training": {"steps": steps, "epochs": EPOCHS, "seed": seed, "hidden": [HIDDEN, HIDDEN]},
        "calibration": {"tries": len(came), "seed": EVAL_SEED + seed, **figures},
        "cannot": "see what hides a failure, such as a locked drawer; chances are those measured "
        "of the robot (fmrl_robot/skills/measured.json)",
    }
    write_card(out / "card.json", card)
    report(f"steps={steps} {figures} minutes={(time.monotonic() - began) / 60:.1f} folder={out}")
    return card


def main(arguments: Sequence[str]) -> None:
    """Run ``fmrl train panda-values``."""
    parser = argparse.ArgumentParser(prog=f"fmrl train {FOLDER}", description=__doc__)
    parser.add_argument("--steps", type=int, default=150_000, help="tries to learn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("policies") / FOLDER)
    given = parser.parse_args(arguments)
    train(given.steps, given.seed, given.out, lambda line: print(line, flush=True))  # noqa: T201
