"""Rewards learned from preferences: an ensemble under the model of Bradley and Terry.

Of two segments the second is preferred with the probability sigmoid(sum of its rewards less that of
the first's). A segment is any number of steps, one for single frames. An abstention is no answer:
such a pair is left out, never counted as "the first" nor as a draw.

References: Christiano et al.: Deep Reinforcement Learning from Human Preferences (2017); Lee et
al.: PEBBLE (2021), whose ensemble of three with tanh at the end this is.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from fmrl_robot.types import FloatBatch

ABSTAINED = -1
"""A label: neither; 0 stands for the first and 1 for the second."""
_LEAST_SPREAD = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class EnsembleConfig:
    """How rewards are learned."""

    members: int = 3
    hidden: tuple[int, ...] = (64, 64)
    learning_rate: float = 1e-3
    batch: int = 128
    passes: int = 50
    """At most, over all that is known, each time."""
    enough: float = 0.97
    """Share of pairs told right after which a pass is the last."""


class PreferenceEnsemble:
    """Scores vectors (n, dim) between -1 and 1."""

    def __init__(self, dim: int, config: EnsembleConfig, seed: int) -> None:
        import torch
        from torch import nn

        self.config, self._dim = config, dim
        sizes = (dim, *config.hidden)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._members = nn.ModuleList(
                nn.Sequential(
                    *[
                        layer
                        for a, b in itertools.pairwise(sizes)
                        for layer in (nn.Linear(a, b), nn.LeakyReLU())
                    ],
                    nn.Linear(sizes[-1], 1),
                    nn.Tanh(),
                )
                for _ in range(config.members)
            )
        self._rng = torch.Generator().manual_seed(seed)
        self._optimiser = torch.optim.Adam(self._members.parameters(), config.learning_rate)
        self._mean, self._spread = torch.zeros(dim), torch.ones(dim)
        self._fits = 0

    def score(self, seen: FloatBatch) -> FloatBatch:
        """Mean of the members, (n,)."""
        return self.scores(seen).mean(0)

    def scores(self, seen: FloatBatch) -> FloatBatch:
        """What each member gives, (members, n)."""
        import torch

        with torch.no_grad():
            return self._each(torch.from_numpy(np.asarray(seen, np.float32))).numpy()

    def fit(self, first: FloatBatch, second: FloatBatch, label: np.ndarray) -> dict[str, float]:
        """Learn from pairs of segments.

        Args:
            first: (pairs, steps, dim).
            second: the same.
            label: 0, 1 or ABSTAINED, (pairs,).

        Returns:
            ``pairs`` that were learned from, ``passes``, and ``told_right``, the share of them.
        """
        import torch
        from torch.nn import functional as F  # noqa: N812

        said = label != ABSTAINED
        if not said.any():
            return {"pairs": 0.0, "passes": 0.0, "told_right": 0.0}
        pair = torch.from_numpy(np.stack([first[said], second[said]], 1).astype(np.float32))
        wanted = torch.from_numpy(label[said].astype(np.float32))

        def lead(rows: torch.Tensor) -> torch.Tensor:
            """Of the second over the first, (members, rows)."""
            whole = self._each(pair[rows]).sum(-1)
            return whole[..., 1] - whole[..., 0]

        def loss(rows: torch.Tensor) -> torch.Tensor:
            told = lead(rows)
            target = wanted[rows].expand_as(told)
            return F.binary_cross_entropy_with_logits(told, target, reduction="none").mean(1).sum()

        def right() -> float:
            with torch.no_grad():
                mean = lead(torch.arange(len(pair))).mean(0)
            return float(((mean > 0) == (wanted > 0.5)).float().mean())

        passes = self._descend(pair, loss, lambda: right() > self.config.enough)
        return {"pairs": float(said.sum()), "passes": passes, "told_right": right()}

    def fit_scores(self, seen: FloatBatch, score: np.ndarray) -> dict[str, float]:
        """Learn scores between -1 and 1 of single vectors, (n, dim) and (n,), instead."""
        import torch

        vectors = torch.from_numpy(np.asarray(seen, np.float32))
        wanted = torch.from_numpy(np.asarray(score, np.float32))

        def loss(rows: torch.Tensor) -> torch.Tensor:
            return (self._each(vectors[rows]) - wanted[rows]).square().mean(1).sum()

        passes = self._descend(vectors, loss, lambda: False)
        return {"pairs": float(len(seen)), "passes": passes}

    @property
    def version(self) -> str:
        """Of what was learned."""
        told = hashlib.sha256()
        for part in (self._mean, self._spread, *self._members.state_dict().values()):
            told.update(part.numpy().tobytes())
        return f"{self._fits}@{told.hexdigest()[:12]}"

    def _each(self, seen: torch.Tensor) -> torch.Tensor:
        """Shape (..., dim) to (members, ...)."""
        import torch

        scaled = (seen - self._mean) / self._spread
        return torch.stack([member(scaled).squeeze(-1) for member in self._members])

    def _descend(self, known: torch.Tensor, loss: Any, enough: Any) -> float:
        """Pass over all that is known, rows first, until it is enough."""
        import torch

        rows = known.flatten(0, -2)
        self._mean, self._spread = (
            rows.mean(0),
            rows.std(0, unbiased=False).clamp_min(_LEAST_SPREAD),
        )
        self._fits += 1
        for count in range(1, self.config.passes + 1):
            order = torch.randperm(len(known), generator=self._rng)
            for part in order.split(self.config.batch):
                self._optimiser.zero_grad()
                loss(part).backward()
                self._optimiser.step()
            if enough():
                return float(count)
        return float(self.config.passes)

    def state_dict(self) -> dict[str, Any]:
        """What the next score and the next fit depend on."""
        return {
            "members": self._members.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "rng": self._rng.get_state(),
            "scale": [self._mean, self._spread],
            "fits": self._fits,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self._members.load_state_dict(state["members"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._rng.set_state(state["rng"])
        self._mean, self._spread = state["scale"]
        self._fits = int(state["fits"])
