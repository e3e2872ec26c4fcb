"""Actor and critic: multilayer perceptrons, plain, seeing, or equal under a left-right mirror.

A mirror-equal network answers the mirrored question with the mirrored answer, exactly. Its hidden
units come in pairs that the mirror exchanges, so a layer is two half-size matrices, one on the sums
of pairs and one on their differences: half the work of a plain layer of that width, a quarter of
SayTap's double pass. What is exported is the plain network that it equals.

Reference: Ravindran, Barto: Symmetries and Model Minimization in Markov Decision Processes (2001);
Abdolhosseini et al.: On Learning Symmetric Locomotion (MIG 2019), there "network symmetry".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """A reflection of vectors: what it does to x is ``x[..., swap] * sign``."""

    swap: tuple[int, ...]
    sign: tuple[float, ...]


def mlp(sizes: Sequence[int], last_gain: float = 1.0) -> nn.Sequential:
    """A plain network with ELU between its layers, orthogonal at the start."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        linear = nn.Linear(before, after)
        last = i == len(sizes) - 2
        nn.init.orthogonal_(linear.weight, last_gain if last else math.sqrt(2.0))
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, nn.ELU()]
    return nn.Sequential(*layers)


class SeeingMLP(nn.Module):
    """A network whose input begins with a picture, laid out flat.

    Args:
        picture: its channels, height and width.
        sizes: input with the picture, hidden layers, output.
        last_gain: scale of the last layer at the start.
    """

    FEATURES = 64

    def __init__(
        self, picture: tuple[int, int, int], sizes: Sequence[int], last_gain: float = 1.0
    ) -> None:
        super().__init__()
        channels, height, width = self._picture = picture
        self._pixels = channels * height * width
        shrunk = (32, math.ceil(height / 8), math.ceil(width / 8))
        self.eye = nn.Sequential(
            nn.Conv2d(channels, 16, 5, 2, 2),
            nn.ELU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ELU(),
            nn.Conv2d(32, 32, 3, 2, 1),
            nn.ELU(),
            nn.Flatten(),
            nn.Linear(math.prod(shrunk), self.FEATURES),
            nn.ELU(),
        )
        self.head = mlp((self.FEATURES + sizes[0] - self._pixels, *sizes[1:]), last_gain)

    def forward(self, x: Tensor) -> Tensor:
        """Answer (n, inputs) with (n, outputs)."""
        picture = x[:, : self._pixels].reshape(-1, *self._picture)
        return self.head(torch.cat([self.eye(picture), x[:, self._pixels :]], dim=1))


class PairLayer(nn.Module):
    """A layer on pairs of units (one, other) that commutes with exchanging them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.of_sum = nn.Linear(before, after)
        self.of_difference = nn.Linear(before, after, bias=False)
        for layer in (self.of_sum, self.of_difference):
            nn.init.orthogonal_(layer.weight, math.sqrt(2.0))
        nn.init.zeros_(self.of_sum.bias)

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """From (n, before) twice to (n, after) twice."""
        even, odd = self.of_sum(one + other), self.of_difference(one - other)
        return F.elu(even + odd), F.elu(even - odd)

    def plain(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the ordinary layer that it equals."""
        plus = self.of_sum.weight + self.of_difference.weight
        minus = self.of_sum.weight - self.of_difference.weight
        weight = torch.cat([torch.cat([plus, minus], 1), torch.cat([minus, plus], 1)])
        return weight, self.of_sum.bias.repeat(2)


class MirroredMLP(nn.Module):
    """A network that commutes with a mirror; hidden sizes are even.

    Args:
        sizes: input, hidden layers, output.
        seen: mirror of the input.
        answered: mirror of the output; None: the output is the same for both (a value).
        last_gain: scale of the last layer at the start.
    """

    seen_swap: Tensor
    seen_sign: Tensor
    swap: Tensor
    sign: Tensor

    def __init__(
        self, sizes: Sequence[int], seen: Mirror, answered: Mirror | None, last_gain: float = 1.0
    ) -> None:
        super().__init__()
        *hidden, size = sizes[1:]
        if any(width % 2 for width in hidden):
            raise ValueError(f"expected even hidden sizes, got {hidden}")
        self.sizes, self._answered = tuple(sizes), answered is not None
        self.first = nn.Linear(sizes[0], hidden[0] // 2)
        self.hidden = nn.Sequential(*(PairLayer(a // 2, b // 2) for a, b in pairwise(hidden)))
        self.last = nn.Linear(hidden[-1] // 2, size)
        nn.init.orthogonal_(self.first.weight, math.sqrt(2.0))
        # Two halves are added at the end.
        nn.init.orthogonal_(self.last.weight, last_gain / math.sqrt(2.0))
        for layer in (self.first, self.last):
            nn.init.zeros_(layer.bias)
        self.register_buffer("seen_swap", torch.tensor(seen.swap))
        self.register_buffer("seen_sign", torch.tensor(seen.sign, dtype=torch.float32))
        if answered is not None:
            self.register_buffer("swap", torch.tensor(answered.swap))
            self.register_buffer("sign", torch.tensor(answered.sign, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Answer (n, inputs) with (n, outputs)."""
        one = F.elu(self.first(x))
        other = F.elu(self.first(x[:, self.seen_swap] * self.seen_sign))
        for layer in self.hidden:
            one, other = layer(one, other)
        if not self._answered:
            return self.last(one + other)
        return self.last(one) + self.last(other)[:, self.swap] * self.sign

    @torch.no_grad()
    def plain(self) -> nn.Sequential:
        """The ordinary network that answers the same."""
        network = mlp(self.sizes)
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        reflected = torch.zeros_like(self.first.weight)
        # x[swap] * sign reads entry swap[i] with sign[i]: its weight goes there.
        reflected[:, self.seen_swap] = self.first.weight * self.seen_sign
        linear[0].weight.copy_(torch.cat([self.first.weight, reflected]))
        linear[0].bias.copy_(self.first.bias.repeat(2))
        pairs = [layer for layer in self.hidden if isinstance(layer, PairLayer)]
        for target, layer in zip(linear[1:-1], pairs, strict=True):
            weight, bias = layer.plain()
            target.weight.copy_(weight)
            target.bias.copy_(bias)
        mirrored_weight, mirrored_bias = self.last.weight, self.last.bias
        if self._answered:
            mirrored_weight = mirrored_weight[self.swap] * self.sign[:, None]
            linear[-1].bias.copy_(self.last.bias + mirrored_bias[self.swap] * self.sign)
        else:
            linear[-1].bias.copy_(self.last.bias)
        linear[-1].weight.copy_(torch.cat([self.last.weight, mirrored_weight], 1))
        return network
