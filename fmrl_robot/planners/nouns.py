"""The things that a plan may name: those of the scene, and those that models were taught.

A model that sees no scene is held to the words it was taught as well: otherwise a cube that the
camera has just lost would be planned for as another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from fmrl_robot.skills import CONTAINERS
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.types import Scene

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Nouns:
    """Names by what can be done with them."""

    cubes: tuple[str, ...]
    containers: tuple[str, ...]
    drawers: tuple[str, ...]
    buttons: tuple[str, ...]

    @classmethod
    def of(cls, scene: Scene) -> Nouns:
        """The taught names, then further ones of a scene; one that is no identifier is left out."""
        named = {o.name: o.category for o in scene.objects if _NAME.fullmatch(o.name)}
        return cls.among({**TABLETOP, **named})

    @classmethod
    def among(cls, things: Mapping[str, str]) -> Nouns:
        """Sort names by category."""

        def named(*categories: str) -> tuple[str, ...]:
            return tuple(name for name, category in things.items() if category in categories)

        return cls(
            cubes=named("cube"),
            containers=named(*CONTAINERS),
            drawers=named("drawer"),
            buttons=named("button"),
        )

    @cached_property
    def reference(self) -> re.Pattern[str]:
        """How cubes are referred to."""
        cube = _one_of(self.cubes)
        condition = (
            rf"(?:all|(?:on|off)_table|in_{_one_of(self.containers)}|stacked|top"
            rf"|(?:on|under|with)_{cube})"
        )
        return re.compile(
            rf"^(?:({cube})|(held)|(each|any)\((?:([1-3]),)?({condition})((?:-{cube})*)\))$"
        )

    @cached_property
    def place(self) -> re.Pattern[str]:
        """Where a cube may go."""
        cube = _one_of(self.cubes)
        return re.compile(rf"^(?:{_one_of(self.containers)}|table|top|empty|(?:at_)?{cube})$")


def _one_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"


TAUGHT = Nouns.among(TABLETOP)
"""What the embedded models know."""
