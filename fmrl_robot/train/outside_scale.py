"""The scale of a reward from outside: it belongs to the run, never to the model that scores.

Cosines of one model differ by hundredths and of another by tenths. The first rewards set mean and
spread, which then stay: a scale that moved with every step would reward one and the same state
otherwise each time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fmrl_robot.train.team import Team

LEAST_SPREAD = 1e-3
"""That is divided by: a reward that hardly differs is not blown up into noise."""


class OutsideScale:
    """Takes off the mean and divides by the spread of the first rewards, then clips."""

    def __init__(self, steps: int, clip: float, team: Team) -> None:
        self._steps, self._clip, self._team = steps, clip, team
        self._of = ""
        self._sums = torch.zeros(3, dtype=torch.float64)
        """How many, their sum, and that of their squares; means over workers."""
        self.mean, self.spread = 0.0, 1.0

    @property
    def version(self) -> str:
        """Two of one version give the same rewards."""
        return f"mean={self.mean!r} spread={self.spread!r} clip={self._clip!r}"

    def learn(self, values: Tensor, of: str) -> None:
        """Count values (k,) in, until there are enough; anew where ``of``, a version, is new."""
        if not self._steps:
            return
        if of != self._of:
            self._of, self._sums = of, torch.zeros(3, dtype=torch.float64)
        if float(self._sums[0]) >= self._steps:
            return
        values = values.double().cpu()
        new = torch.stack(
            [torch.tensor(float(len(values)), dtype=torch.float64), values.sum(),
             values.square().sum()]
        )  # fmt: skip
        self._sums = self._sums + self._team.mean_(new) * self._team.size
        count, total, squares = self._sums.tolist()
        if count:
            self.mean = total / count
            self.spread = max(squares / count - self.mean**2, 0.0) ** 0.5 + LEAST_SPREAD

    def __call__(self, values: Tensor) -> Tensor:
        """Values (k,) as the learner is told them."""
        scaled = (values - self.mean) / self.spread if self._steps else values
        return scaled.clamp(-self._clip, self._clip) if self._clip else scaled

    def state_dict(self) -> dict[str, Any]:
        """What the scale depends on."""
        return {"of": self._of, "sums": self._sums, "mean": self.mean, "spread": self.spread}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self._of, self._sums = state["of"], state["sums"]
        self.mean, self.spread = float(state["mean"]), float(state["spread"])
