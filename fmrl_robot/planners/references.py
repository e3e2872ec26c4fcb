"""What the plan language's references mean in a world: ``each(on_table)``, ``empty``, ``top``."""

from __future__ import annotations

from collections.abc import Callable

from fmrl_robot.skills import CONTAINERS, TABLE, World


def matching(world: World, condition: str) -> list[str]:
    """Cubes that satisfy a condition of the plan language, topmost first."""
    kind, _, other = condition.partition("_")
    tests: dict[str, Callable[[str], bool]] = {
        "all": lambda c: True,
        "on_table": lambda c: world.base(c) == TABLE,
        "off_table": lambda c: world.things.get(world.base(c)) in CONTAINERS,
        "stacked": lambda c: world.below(c) in world.movable,
        "top": lambda c: c == world.top(),
    }
    by_kind: dict[str, Callable[[str], bool]] = {
        "in": lambda c: world.base(c) == other,
        "on": lambda c: world.below(c) == other,
        "with": lambda c: c != other and world.base(c) == world.base(other),
        "under": lambda c: world.below(other) == c,
    }
    test = tests.get(condition) or by_kind[kind]
    return sorted((c for c in world.movable if test(c)), key=world.height, reverse=True)


def empty_container(world: World) -> str | None:
    """The first container in which no cube stands, or None where there is none."""
    used = {world.base(c) for c in world.movable}
    return next((p for p in world.domain.of_category(*CONTAINERS) if p not in used), None)


def freest(world: World, cubes: list[str]) -> list[str]:
    """These cubes, those first on which nothing lies, then in the scene's order."""
    return sorted(cubes, key=lambda c: (not world.clear(c), world.movable.index(c)))
