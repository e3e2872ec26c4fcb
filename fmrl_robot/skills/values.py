"""How likely a choice is to do what it is to do: a value function over skills and macros.

It is a small network that was trained on rollouts (fmrl_robot/train/skill_values.py) and looks at
a choice from the outside: at the facts about its own things, whatever these are called, so that it
knows scenes with other colours, names and numbers of things. What it says is a probability, and the
card beside its weights says how well calibrated it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmrl_robot.assets import policies_dir
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.domain import TABLE
from fmrl_robot.skills.env.menu import Choice
from fmrl_robot.skills.macros import DRAWER
from fmrl_robot.skills.world import World
from fmrl_robot.types import FloatArray, Predicate

FOLDER, WEIGHTS = "panda-values", "model.safetensors"
NAMES = ("put", "hold", "ensure_open", "ensure_closed", "press")
TARGETS = ("cube", "bowl", "bin", DRAWER, TABLE)
BASES = ("bowl", "bin", DRAWER, TABLE)
SIZE = len(NAMES) + len(TARGETS) + len(BASES) + 14
"""Of ``features``."""


class SkillValues:
    """A network with two hidden layers."""

    def __init__(self, layers: Sequence[tuple[FloatArray, FloatArray]]) -> None:
        """Take its layers.

        Args:
            layers: weights (outputs, inputs) and biases (outputs,) of each, ReLU between them.
        """
        self._layers = tuple(layers)

    @classmethod
    def load(cls, folder: Path | None = None) -> SkillValues:
        """Read weights; of the shipped ones where no folder is named.

        Raises:
            ConfigError: there are none.
        """
        from safetensors.numpy import load_file

        file = (folder or policies_dir() / FOLDER) / WEIGHTS
        if not file.is_file():
            raise ConfigError(
                f"expected values of skills in {file}, found none; run fmrl train {FOLDER}",
                ErrorCode.ASSET_MISSING,
            )
        told = {name: array.astype(np.float64) for name, array in load_file(file).items()}
        count = len(told) // 2
        return cls([(told[f"{i}.weight"], told[f"{i}.bias"]) for i in range(count)])

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """The layers as ``load`` reads them."""
        named: dict[str, NDArray[np.float32]] = {}
        for i, (weight, bias) in enumerate(self._layers):
            named[f"{i}.weight"] = weight.astype(np.float32)
            named[f"{i}.bias"] = bias.astype(np.float32)
        return named

    def __call__(self, world: World, choices: Sequence[Choice]) -> FloatArray:
        """Chances of success from 0 to 1, shape (choices,)."""
        return self.of(np.array([features(world, choice) for choice in choices]))

    def of(self, rows: FloatArray) -> FloatArray:
        """The same of ``features``, shape (choices, SIZE)."""
        hidden = rows
        for weight, bias in self._layers[:-1]:
            hidden = np.maximum(hidden @ weight.T + bias, 0.0)
        weight, bias = self._layers[-1]
        return 1.0 / (1.0 + np.exp(-(hidden @ weight.T + bias)[:, 0]))


def features(world: World, choice: Choice) -> FloatArray:
    """What is seen of a choice: its kind, thing and target, and the hand; 0 or 1, shape (SIZE,)."""
    thing = choice.args[0] if choice.args and choice.args[0] in world.movable else ""
    target = choice.args[-1] if choice.args else ""
    base = world.base(thing) if thing else ""
    above = [x for t in {thing, target} & set(world.movable) for x in world.above(t)]

    def far(name: str) -> bool:
        return world.holds(Predicate("far", (name,)))

    def shut(place: str) -> bool:
        return world.things.get(place) == DRAWER and not world.is_open(place)

    told = [
        world.held is None,
        bool(thing) and world.held == thing,
        bool(target) and world.held == target,
        bool(thing) and world.clear(thing),
        bool(target) and world.clear(target),
        bool(thing) and far(thing),
        bool(target) and far(target),
        any(map(far, above)),
        world.held is not None and far(world.held),
        shut(base),
        shut(target),
        target in world.movable and shut(world.base(target)),
        bool(thing) and world.below(thing) == target,
        bool(thing) and not world.below(thing) and world.held != thing,
    ]
    kinds = (
        [choice.name == name for name in NAMES]
        + [world.things.get(target) == kind for kind in TARGETS]
        + [world.things.get(base) == kind for kind in BASES]
    )
    return np.array([*kinds, *told], dtype=np.float64)
