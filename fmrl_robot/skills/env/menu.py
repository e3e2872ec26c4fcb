"""What may be chosen in a world, and when the plan check would accept it.

A menu is made once for a domain. Single skills are asked by their preconditions; macros, which
bring about what they lack, by the few things that they do not: a thing that is nowhere, a drawer
that is closed and the target, a place where the thing is already. Only where something is out of
reach, or a tower stands in a closed drawer, a macro is spelt out to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from fmrl_robot.skills.domain import ROBOT, Act, Case, Condition, Domain, Situation, united
from fmrl_robot.skills.env.words import DONE, say
from fmrl_robot.skills.macros import DRAWER, Macros
from fmrl_robot.skills.world import World
from fmrl_robot.types import Predicate

MACROS = ("put", "hold", "ensure_open", "ensure_closed")
KEPT = 50_000
"""Spelt out choices kept at once."""
HERE = "here"
"""A target that stands for the place where the robot is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A skill, a macro or DONE, with what it is aimed at."""

    name: str
    args: tuple[str, ...]
    phrase: str

    def skills(self, world: World, robot: str = ROBOT) -> list[Act]:
        """Spell it out as skills in a world, which stays as it is."""
        if self.name == DONE:
            return []
        if self.name not in MACROS:
            target = world.where(robot) if self.args[-1] == HERE else self.args[-1]
            return [world.act(self.name, target, robot)]
        found: list[Act] = []
        macros = Macros(world.copy(), found.append)
        match self.name:
            case "put":
                macros.put(*self.args)
            case "hold":
                macros.hold(*self.args)
            case _:
                macros.ensure(*self.args, is_open=self.name == "ensure_open")
        return found


def feasible(world: World, choice: Choice, robot: str = ROBOT) -> bool:
    """Whether a choice does something, or is sure to have been done, and every step can be done."""
    if not all(_known(world, arg) for arg in choice.args):
        return False
    steps = choice.skills(world, robot)
    if not steps and choice.name in ("put", "hold"):
        return False
    bits = world.bits
    for act in steps:
        if act.whole.fails(bits):
            return False
        bits = act.after(bits)
    return True


def _known(world: World, thing: str) -> bool:
    """Whether a thing is somewhere: what nobody has seen cannot be spoken of."""
    return thing not in world.movable or bool(world.below(thing)) or world.held == thing


class Menu:
    """The choices of one domain."""

    def __init__(self, domain: Domain, *, macros: bool, wording: str, robot: str = ROBOT) -> None:
        """List them.

        Args:
            domain: things and operators.
            macros: whether put, hold and ensure stand in the place of grasp, place, open and
                close; of a robot without a hand there are none.
            wording: of words.PHRASES.
            robot: who chooses.
        """
        self.domain = domain
        self.robot = robot
        self._wording = wording
        macros = macros and bool(domain.movable)
        self.choices = (*(self._macros() if macros else self._skills()), Choice(DONE, (), DONE))
        self.phrases = tuple(c.phrase for c in self.choices)
        self._plain = [self._whole(c) if c.name in MACROS else None for c in self.choices]
        self._by_situation: dict[Situation, list[Condition]] = {}
        self._far = domain.mask("far(Any)", {})
        self._towers = [
            (
                domain.bit(Predicate("in", (thing, drawer))),
                domain.above[thing],
                domain.bit(Predicate("open", (drawer,))),
            )
            for drawer in domain.of_category(DRAWER)
            for thing in domain.movable
        ]
        self._spelt: dict[tuple[int, int], list[Act]] = {}

    def admissible(self, bits: int) -> list[bool]:
        """Which choices can be carried out in a state."""
        situation = self.domain.situation(bits, self.robot)
        found = self._by_situation.get(situation)
        if found is None:
            found = self._by_situation[situation] = [self._in(c, situation) for c in self.choices]
        allowed = [not (bits & c.forbidden or (c.failing and c.fails(bits))) for c in found]
        if bits & self._far or self._has_shut_tower(bits):
            world = World(self.domain, bits)
            for number, choice in enumerate(self.choices):
                if choice.name in MACROS:
                    allowed[number] = feasible(world, choice)
        return allowed

    def _has_shut_tower(self, bits: int) -> bool:
        """Whether a thing stands on another in a closed drawer, which taking it would open."""
        return any(
            bits & lies and bits & covered and not bits & opened
            for lies, covered, opened in self._towers
        )

    def skills(self, number: int, bits: int) -> list[Act]:
        """Spell a choice out as skills in a state; what was spelt out once is kept for a while."""
        found = self._spelt.get((number, bits))
        if found is None:
            if len(self._spelt) >= KEPT:
                self._spelt.clear()
            found = self.choices[number].skills(World(self.domain, bits), self.robot)
            self._spelt[number, bits] = found
        return found

    def _choice(self, name: str, *args: str) -> Choice:
        phrase = say(name, tuple(a for a in args if a != HERE), self.domain.things, self._wording)
        return Choice(name, args, phrase)

    def _skills(self) -> list[Choice]:
        found: list[Choice] = []
        for name, skill in self.domain.skills.items():
            if name == "search":
                found.append(self._choice(name, HERE))
                continue
            found += [self._choice(name, t) for t in self.domain.of_category(*skill.targets)]
        return found

    def _macros(self) -> list[Choice]:
        whole = self.domain
        places = whole.of_category(*whole.skills["place"].targets)
        found = [self._choice("put", c, p) for c, p in product(whole.movable, places) if c != p]
        found += [self._choice("hold", c) for c in whole.movable]
        for drawer in whole.of_category(DRAWER):
            found += [self._choice(name, drawer) for name in ("ensure_open", "ensure_closed")]
        press = whole.skills["press"].targets
        return [*found, *(self._choice("press", b) for b in whole.of_category(*press))]

    def _in(self, choice: Choice, situation: Situation) -> Condition:
        plain = self._plain[self.choices.index(choice)]
        if plain is not None:
            return plain
        if choice.name == DONE:
            return Condition(0, (), "")
        target = situation[2] if choice.args[-1] == HERE else choice.args[-1]
        act = self.domain.act(choice.name, target, situation)
        return united([act.whole, Condition(0, self._nowhere(choice), "")])

    def _whole(self, choice: Choice) -> Condition:
        """What a macro does not bring about by itself."""
        whole, failing, done = self.domain, [*self._nowhere(choice)], 0
        if choice.name == "put":
            done = whole.bit(whole.resolved(Predicate("rests", choice.args)))
            if whole.things[choice.args[1]] == DRAWER:
                failing.append((0, whole.bit(Predicate("open", (choice.args[1],)))))
        if choice.name == "hold":
            done = whole.bit(Predicate("held", choice.args))
        return Condition(done, tuple(failing), "")

    def _nowhere(self, choice: Choice) -> tuple[Case, ...]:
        """Cases in which one of its things has not been seen."""
        whole = self.domain
        return tuple(
            (0, whole.below[thing][0] | whole.bit(Predicate("held", (thing,))))
            for thing in choice.args
            if thing in whole.movable
        )


@lru_cache(maxsize=256)
def menu(domain: Domain, macros: bool, wording: str, robot: str = ROBOT) -> Menu:
    """The menu of a domain, made once."""
    return Menu(domain, macros=macros, wording=wording, robot=robot)
