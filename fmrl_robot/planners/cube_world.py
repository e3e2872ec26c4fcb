"""Where the cubes are, as a plan goes along: the scene's facts, moved forward step by step.

The plan language's references ("each(on_table)") and macros ("put") are resolved against this
small symbolic state, so that a language model need not do look-ups in a scene.
"""

from __future__ import annotations

from collections.abc import Callable

from fmrl_robot.types import Predicate, Scene

CUBES = ("red_cube", "green_cube", "blue_cube", "yellow_cube")
CONTAINERS = ("bowl", "bin", "drawer")


class CubeWorld:
    """What a plan needs to know of a tabletop scene, and how steps change it."""

    def __init__(self, scene: Scene) -> None:
        names = {o.name for o in scene.objects}
        facts = scene.predicates
        self.cubes = tuple(c for c in CUBES if c in names)
        self.held = next((p.args[0] for p in facts if p.name == "held" and p.value), None)
        self.drawer_open = Predicate("open", ("drawer",)) in facts
        self.below: dict[str, str] = {}
        """What each cube that is not held rests in or on."""
        for fact in facts:
            if fact.name in ("on", "in") and fact.value and len(fact.args) == 2:
                self.below[fact.args[0]] = fact.args[1]
        for cube in self.cubes:
            if cube != self.held:
                self.below.setdefault(cube, "table")

    def above(self, cube: str) -> list[str]:
        """Cubes that rest on ``cube``, directly or not, topmost first."""
        direct = [c for c in self.cubes if self.below.get(c) == cube]
        return [x for c in direct for x in (*self.above(c), c)]

    def base(self, cube: str) -> str:
        """What the stack under ``cube`` stands in or on: the table or a container."""
        seen = {cube}
        place = self.below.get(cube, "")
        while place in self.below and place not in seen:
            seen.add(place)
            place = self.below[place]
        return place

    def height(self, cube: str) -> int:
        """How many cubes lie under it."""
        place, count = self.below.get(cube, ""), 0
        while place in self.below and count < len(CUBES):
            place, count = self.below[place], count + 1
        return count

    def top(self, moving: str | None = None) -> str | None:
        """The topmost cube of the highest stack, or None where nothing is stacked."""
        stacked = [c for c in self.cubes if c != moving and self.below.get(c) in CUBES]
        return max(stacked, key=self.height, default=None)

    def matching(self, condition: str) -> list[str]:
        """Cubes that satisfy a condition of the plan language, topmost first."""
        kind, _, cube = condition.partition("_")
        tests: dict[str, Callable[[str], bool]] = {
            "all": lambda c: True,
            "on_table": lambda c: self.base(c) == "table",
            "off_table": lambda c: self.base(c) in CONTAINERS,
            "stacked": lambda c: self.below.get(c) in CUBES,
            "top": lambda c: c == self.top(),
            **{f"in_{p}": lambda c, p=p: self.base(c) == p for p in CONTAINERS},
        }
        if condition in tests:
            test = tests[condition]
        elif kind == "on":
            test = lambda c: self.below.get(c) == cube  # noqa: E731
        elif kind == "with":
            test = lambda c: c != cube and self.base(c) == self.base(cube)  # noqa: E731
        else:
            test = lambda c: self.below.get(cube) == c  # noqa: E731
        return sorted((c for c in self.cubes if test(c)), key=self.height, reverse=True)

    def empty(self) -> str | None:
        """The first container without a cube, or None where there is none."""
        used = {self.base(c) for c in self.cubes}
        return next((p for p in CONTAINERS if p not in used), None)

    def is_at(self, cube: str, place: str) -> bool:
        """Whether the cube rests directly in or on ``place``."""
        return self.below.get(cube) == place
