"""The arm's skills with what must hold before and what holds after, as a small symbolic world.

Derived facts (the hand is empty, nothing is on a cube, the drawer is closed) are computed and never
stored, so that a perception that forgets one of them cannot make the world contradict itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.types import Predicate, Scene

CONTAINERS = ("bowl", "bin", "drawer")
TABLE = "table"


class Unmet(FmrlError):
    """A skill cannot be carried out in this symbolic state."""

    default_code = ErrorCode.PRECONDITION_UNMET


@dataclass(kw_only=True, slots=True)
class World:
    """Symbolic state: where each cube rests, what is held, the drawer and the button."""

    below: dict[str, str]
    """What each cube that is not held rests in or on."""
    held: str | None
    drawer_open: bool
    pressed: bool

    @classmethod
    def of(cls, scene: Scene) -> World:
        """Read a scene; a cube about which nothing is said lies on the table."""
        facts = [p for p in scene.predicates if p.value]
        held = next((p.args[0] for p in facts if p.name == "held"), None)
        below = {p.args[0]: p.args[1] for p in facts if p.name in ("on", "in")}
        for thing in scene.objects:
            if thing.category == "cube" and thing.name != held:
                below.setdefault(thing.name, TABLE)
        below.pop(held or "", None)
        return cls(
            below=below,
            held=held,
            drawer_open=any(p.name == "open" for p in facts),
            pressed=any(p.name == "pressed" for p in facts),
        )

    def holds(self, fact: Predicate) -> bool:
        """Whether a fact of the vocabulary holds."""
        tests: dict[str, Callable[..., bool]] = {
            "on": lambda x, y: self.below.get(x) == y,
            "in": lambda x, y: self.below.get(x) == y,
            "held": lambda x: self.held == x,
            "hand_empty": lambda: self.held is None,
            "clear": self.clear,
            "open": lambda _: self.drawer_open,
            "closed": lambda _: not self.drawer_open,
            "pressed": lambda _: self.pressed,
        }
        return tests[fact.name](*fact.args) == fact.value if fact.name in tests else False

    def clear(self, cube: str) -> bool:
        """Whether nothing rests on ``cube``."""
        return cube not in self.below.values()

    def apply(self, skill: str, target: str) -> None:
        """Carry out a skill.

        Raises:
            Unmet: a precondition does not hold; the message says which.
            KeyError: no such skill.
        """
        SKILLS[skill].apply(self, target)


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise Unmet(message)


def _grasp(world: World, cube: str) -> None:
    _need(world.held is None, f"grasp({cube}) needs an empty hand; it holds {world.held}")
    _need(world.clear(cube), f"grasp({cube}) needs nothing on it; take that off first")
    shut = world.below.get(cube) == "drawer" and not world.drawer_open
    _need(not shut, f"grasp({cube}) needs the drawer open; open(drawer) first")
    world.below.pop(cube, None)
    world.held = cube


def _place(world: World, target: str) -> None:
    held = world.held
    if held is None:
        raise Unmet(f"place({target}) needs a cube in the hand; grasp one first")
    _need(held != target, f"place({target}) needs another place than the held cube itself")
    _need(target != "drawer" or world.drawer_open, "place(drawer) needs it open; open it first")
    occupied = target not in (*CONTAINERS, TABLE) and not world.clear(target)
    _need(not occupied, f"place({target}) needs nothing on it; take that off first")
    world.below[held], world.held = target, None


def _open(world: World, target: str) -> None:
    _need(world.held is None, f"open({target}) needs an empty hand; place {world.held} first")
    _need(not world.drawer_open, f"open({target}) needs it closed; it is open")
    world.drawer_open = True


def _close(world: World, target: str) -> None:
    _need(world.held is None, f"close({target}) needs an empty hand; place {world.held} first")
    _need(world.drawer_open, f"close({target}) needs it open; it is closed")
    world.drawer_open = False


def _press(world: World, target: str) -> None:
    _need(world.held is None, f"press({target}) needs an empty hand; place {world.held} first")
    world.pressed = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """A typed skill."""

    targets: tuple[str, ...]
    """Categories of thing it may be aimed at."""
    apply: Callable[[World, str], None]
    """Change the world, or raise Unmet."""


SKILLS: dict[str, Skill] = {
    "grasp": Skill(targets=("cube",), apply=_grasp),
    "place": Skill(targets=("cube", "bowl", "bin", "drawer", "table"), apply=_place),
    "open": Skill(targets=("drawer",), apply=_open),
    "close": Skill(targets=("drawer",), apply=_close),
    "press": Skill(targets=("button",), apply=_press),
}
"""What an arm can do."""
