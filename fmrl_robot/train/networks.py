"""Actor and critic: multilayer perceptrons, plain, seeing, or equal under a left-right mirror.

A mirror-equal network answers the mirrored question with the mirrored answer, exactly. Its hidden
units come in pairs that the mirror exchanges, so a layer is two half-size matrices, one on the sums
of pairs and one on their differences: half the work of a plain layer of that width, a quarter of
SayTap's double pass. What is exported is the plain network that it equals.

Reference: Ravindran, Barto: Symmetries and Model Minimization in Markov Decision Processes (2001);
Abdolhosseini et al.: On Learning Symmetric Locomotion (MIG 2019), there "network symmetry".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from fmrl_robot.train.linear import linear


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """A reflection of vectors: what it does to x is ``x[..., swap] * sign``."""

    swap: tuple[int, ...]
    sign: tuple[float, ...]

    def matrix(self) -> Tensor:
        """The same as a product, matrix @ x, shape (n, n)."""
        return torch.eye(len(self.swap))[list(self.swap)] * torch.tensor(self.sign)[:, None]


class MLP(nn.Sequential):
    """Linear layers with ELU between them."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """From (..., inputs) to (..., outputs)."""
        return self.answer(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, (..., units)."""
        *hidden, _ = self
        for layer in hidden:
            x = linear(x, layer.weight, layer.bias) if isinstance(layer, nn.Linear) else F.elu_(x)
        return x

    def answer(self, features: Tensor) -> Tensor:
        """The last layer."""
        *_, last = self
        return linear(features, last.weight, last.bias)  # pyright: ignore[reportArgumentType]

    def plain(self) -> nn.Sequential:
        """A copy that is torch's own layers alone, as exporters want it."""
        return copy.deepcopy(nn.Sequential(*self))


def mlp(sizes: Sequence[int], last_gain: float = 1.0) -> MLP:
    """A plain network with ELU between its layers, orthogonal at the start."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        layer = nn.Linear(before, after)
        last = i == len(sizes) - 2
        nn.init.orthogonal_(layer.weight, last_gain if last else math.sqrt(2.0))
        nn.init.zeros_(layer.bias)
        layers += [layer] if last else [layer, nn.ELU()]
    return MLP(*layers)


def _apart(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Sums and differences of units and their partners, from (n, 2 m) to (n, m) twice."""
    one, other = pairs.chunk(2, -1)
    return one + other, one - other


def _together(even: Tensor, odd: Tensor) -> Tensor:
    """The transpose of ``_apart``, from (n, m) twice to (n, 2 m)."""
    pairs = even.new_empty((len(even), 2 * even.shape[1]))
    one, other = pairs.chunk(2, -1)
    torch.add(even, odd, out=one)
    torch.sub(even, odd, out=other)
    return pairs


class _Apart(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pairs: Tensor) -> tuple[Tensor, Tensor]:
        return _apart(pairs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _together(*gradients)


class _Together(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, even: Tensor, odd: Tensor) -> Tensor:
        return _together(even, odd)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        return _apart(*gradients)


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
        self.head: MLP = mlp((self.FEATURES + sizes[0] - self._pixels, *sizes[1:]), last_gain)

    def forward(self, x: Tensor) -> Tensor:
        """Answer (n, inputs) with (n, outputs)."""
        return self.head(self._seen(x))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, (n, units)."""
        return self.head.features(self._seen(x))

    def answer(self, features: Tensor) -> Tensor:
        """The last layer."""
        return self.head.answer(features)

    def _seen(self, x: Tensor) -> Tensor:
        """What is known of the picture, and the rest of the input."""
        picture = x[:, : self._pixels].reshape(-1, *self._picture)
        return torch.cat([self.eye(picture), x[:, self._pixels :]], dim=1)

    def plain(self) -> nn.Module:
        """A copy that is torch's own layers alone, as exporters want it."""
        network = copy.deepcopy(self)
        network.head = nn.Sequential(*network.head)  # pyright: ignore[reportAttributeAccessIssue]
        return network


class PairLayer(nn.Module):
    """A layer on units and their partners that commutes with exchanging them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.of_sum = nn.Linear(before, after)
        self.of_difference = nn.Linear(before, after, bias=False)
        for layer in (self.of_sum, self.of_difference):
            nn.init.orthogonal_(layer.weight, math.sqrt(2.0))
        nn.init.zeros_(self.of_sum.bias)

    def forward(self, pairs: Tensor) -> Tensor:
        """From (n, 2 before) to (n, 2 after)."""
        sums, differences = _Apart.apply(pairs)
        even = linear(sums, self.of_sum.weight, self.of_sum.bias)
        return F.elu_(_Together.apply(even, linear(differences, self.of_difference.weight)))

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

    seen: Tensor
    answered: Tensor

    def __init__(
        self, sizes: Sequence[int], seen: Mirror, answered: Mirror | None, last_gain: float = 1.0
    ) -> None:
        super().__init__()
        *hidden, size = sizes[1:]
        if any(width % 2 for width in hidden):
            raise ValueError(f"expected even hidden sizes, got {hidden}")
        self.sizes = tuple(sizes)
        self.first = nn.Linear(sizes[0], hidden[0] // 2)
        self.hidden = nn.Sequential(*(PairLayer(a // 2, b // 2) for a, b in pairwise(hidden)))
        self.last = nn.Linear(hidden[-1] // 2, size)
        nn.init.orthogonal_(self.first.weight, math.sqrt(2.0))
        # Two halves are added at the end.
        nn.init.orthogonal_(self.last.weight, last_gain / math.sqrt(2.0))
        for layer in (self.first, self.last):
            nn.init.zeros_(layer.bias)
        # As products with matrices: gathering columns takes ten times as long.
        of_answer = answered.matrix() if answered else torch.eye(size)
        self.register_buffer("seen", seen.matrix(), persistent=False)
        self.register_buffer("answered", of_answer, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Answer (n, inputs) with (n, outputs)."""
        return self.answer(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, (n, units)."""
        return self.hidden(F.elu_(linear(x, *self._first())))

    def answer(self, features: Tensor) -> Tensor:
        """The last layer."""
        return linear(features, *self._last())

    def _first(self) -> tuple[Tensor, Tensor]:
        """Weight and bias from x to the units and their partners, which see x reflected."""
        weight = self.first.weight
        return torch.cat([weight, weight @ self.seen]), self.first.bias.repeat(2)

    def _last(self) -> tuple[Tensor, Tensor]:
        """Weight and bias from the units and their partners, whose answer is reflected."""
        weight, bias = self.last.weight, self.last.bias
        return torch.cat([weight, self.answered @ weight], 1), bias + self.answered @ bias

    @torch.no_grad()
    def plain(self) -> nn.Sequential:
        """The ordinary network that answers the same."""
        network = mlp(self.sizes).plain()
        layers = [layer for layer in network if isinstance(layer, nn.Linear)]
        pairs = [layer.plain() for layer in self.hidden if isinstance(layer, PairLayer)]
        for layer, (weight, bias) in zip(
            layers, [self._first(), *pairs, self._last()], strict=True
        ):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        return network
