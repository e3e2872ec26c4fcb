"""What an arm's plan brings about, step by step, in a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fmrl_robot.types import Scene, SubGoal

Event = tuple[str, str, str]
"""Skill, thing, and where a placed cube goes; ``("place", "red_cube", "bowl")``."""


@dataclass(kw_only=True, slots=True)
class Effects:
    """The places of cubes before and after, and what happens between."""

    before: dict[str, str]
    """What each cube rests in or on; ``hand`` where it is held."""
    after: dict[str, str]
    was_open: bool
    is_open: bool
    events: list[Event] = field(default_factory=list[Event])

    @property
    def moved(self) -> set[str]:
        """Cubes to which something is done."""
        return {thing for _, thing, _ in self.events if thing in self.before}

    @property
    def places(self) -> set[str]:
        """Where cubes are placed."""
        return {to for act, _, to in self.events if act == "place"}

    def done(self, act: str) -> int:
        """How often a skill is carried out."""
        return sum(a == act for a, _, _ in self.events)

    def base(self, cube: str, places: dict[str, str]) -> str:
        """The table, container or hand that the stack under a cube stands in."""
        for _ in places:
            if cube not in places:
                break
            cube = places[cube]
        return cube


def effects(subgoals: Sequence[SubGoal], scene: Scene) -> Effects:
    """Follow sub-goals through a scene; what a step lacks is another check's business."""
    facts = [p for p in scene.predicates if p.value]
    before = {p.args[0]: p.args[1] for p in facts if p.name in ("on", "in") and len(p.args) == 2}
    before |= {p.args[0]: "hand" for p in facts if p.name == "held"}
    for thing in scene.objects:
        if thing.category == "cube":
            before.setdefault(thing.name, "table")
    was_open = any(p.name == "open" for p in facts)
    found = Effects(before=before, after=dict(before), was_open=was_open, is_open=was_open)
    held = next((cube for cube, place in before.items() if place == "hand"), "")
    for step in subgoals:
        match step.skill:
            case "grasp":
                held = step.target
                found.after[held] = "hand"
                found.events.append(("grasp", held, ""))
            case "place":
                found.events.append(("place", held, step.target))
                if held:
                    found.after[held] = step.target
                held = ""
            case _:
                found.events.append((step.skill, step.target, ""))
                if step.skill in ("open", "close"):
                    found.is_open = step.skill == "open"
    return found
