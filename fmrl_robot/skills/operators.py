"""The arm's skills with what must hold before and what holds after, as a small symbolic world.

Derived facts (the hand is empty, nothing is on a cube, the drawer is closed) are computed and never
stored, so that a perception that forgets one of them cannot make the world contradict itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fmrl_robot.skills.library import further_captions, skill
from fmrl_robot.skills.skill import Skill, Unmet, need
from fmrl_robot.types import Predicate, Scene

CONTAINERS = ("bowl", "bin", "drawer")
TABLE = "table"


@dataclass(kw_only=True, slots=True)
class World:
    """Symbolic state: where each cube rests, what is held, the drawer and the button."""

    below: dict[str, str]
    """What each cube that is not held rests in or on."""
    held: str | None
    drawer_open: bool
    pressed: bool
    facts: set[Predicate] = field(default_factory=set[Predicate])
    """Facts that only skills of other packages bring about."""

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
        others = further_captions()
        return cls(
            below=below,
            held=held,
            drawer_open=any(p.name == "open" for p in facts),
            pressed=any(p.name == "pressed" for p in facts),
            facts={p for p in facts if p.name in others},
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
        if fact.name in tests:
            return tests[fact.name](*fact.args) == fact.value
        plain = Predicate(fact.name, fact.args)
        return fact.name in further_captions() and (plain in self.facts) == fact.value

    def clear(self, cube: str) -> bool:
        """Whether nothing rests on ``cube``."""
        return cube not in self.below.values()

    def apply(self, name: str, target: str) -> None:
        """Carry out a skill.

        Raises:
            Unmet: a precondition does not hold; the message says which.
            ConfigError: no such skill.
        """
        skill(name).apply(self, target)


def _grasp(world: World, cube: str) -> None:
    need(world.held is None, f"grasp({cube}) needs an empty hand; it holds {world.held}")
    need(world.clear(cube), f"grasp({cube}) needs nothing on it; take that off first")
    shut = world.below.get(cube) == "drawer" and not world.drawer_open
    need(not shut, f"grasp({cube}) needs the drawer open; open(drawer) first")
    world.below.pop(cube, None)
    world.held = cube


def _place(world: World, target: str) -> None:
    held = world.held
    if held is None:
        raise Unmet(f"place({target}) needs a cube in the hand; grasp one first")
    need(held != target, f"place({target}) needs another place than the held cube itself")
    need(target != "drawer" or world.drawer_open, "place(drawer) needs it open; open it first")
    occupied = target not in (*CONTAINERS, TABLE) and not world.clear(target)
    need(not occupied, f"place({target}) needs nothing on it; take that off first")
    world.below[held], world.held = target, None


def _open(world: World, target: str) -> None:
    need(world.held is None, f"open({target}) needs an empty hand; place {world.held} first")
    need(not world.drawer_open, f"open({target}) needs it closed; it is open")
    world.drawer_open = True


def _close(world: World, target: str) -> None:
    need(world.held is None, f"close({target}) needs an empty hand; place {world.held} first")
    need(world.drawer_open, f"close({target}) needs it open; it is closed")
    world.drawer_open = False


def _press(world: World, target: str) -> None:
    need(world.held is None, f"press({target}) needs an empty hand; place {world.held} first")
    world.pressed = True


def _rests(world: World, target: str) -> Predicate:
    return Predicate("in" if target in CONTAINERS else "on", (world.held or "", target))


GRASP = Skill(
    targets=("cube",),
    apply=_grasp,
    ends=lambda _, target: Predicate("held", (target,)),
    words="take a cube",
)
PLACE = Skill(
    targets=("cube", "bowl", "bin", "drawer", "table"),
    apply=_place,
    ends=_rests,
    words="let go of the held cube in or on something",
)
OPEN = Skill(
    targets=("drawer",),
    apply=_open,
    ends=lambda _, target: Predicate("open", (target,)),
    words="pull the drawer open",
)
CLOSE = Skill(
    targets=("drawer",),
    apply=_close,
    ends=lambda _, target: Predicate("closed", (target,)),
    words="push the drawer shut",
)
PRESS = Skill(
    targets=("button",),
    apply=_press,
    ends=lambda _, target: Predicate("pressed", (target,)),
    words="press the button",
)
