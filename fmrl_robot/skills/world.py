"""The symbolic world: which facts hold among a scene's things, and what operators do to them.

There is one. The plan check asks it, plans are expanded on it, scenes are drawn from it and
SkillEnv plays in it; whoever judges language or runs keeps a world of his own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.domain import DERIVED, ROBOT, TABLE, Act, Domain, domain
from fmrl_robot.skills.library import skills
from fmrl_robot.skills.operators import OPERATORS
from fmrl_robot.skills.skill import Skill, Unmet
from fmrl_robot.types import Predicate, Scene

_LED_TO = {kind for skill in OPERATORS["arm"].values() for kind in skill.targets}


def _is_far(fact: Predicate, things: Mapping[str, str]) -> bool:
    return fact.name == "far" and len(fact.args) == 1 and fact.args[0] in things


@dataclass(slots=True)
class World:
    """A symbolic state that operators change."""

    domain: Domain
    bits: int = 0
    """The facts that hold, by their numbers in the domain."""

    @classmethod
    def of(cls, scene: Scene) -> World:
        """Read a scene; a movable thing about which nothing is said lies on the table."""
        facts = sorted(p for p in scene.predicates if p.value)
        things = {o.name: o.category for o in scene.objects}
        # What is only spoken of is known by the last word of its name.
        for fact in facts:
            if fact.name in ("on", "in", "held", "open", "pressed"):
                for name in fact.args:
                    things.setdefault(name, name.rpartition("_")[2])
        # A place that no skill leads to, such as a shelf, can be left all the same.
        rests = [f for f in facts if f.name in ("on", "in") and f.args[1] != TABLE]
        foreign = {
            (f.name, *(things[a] for a in f.args))
            for f in rests
            if things[f.args[1]] not in _LED_TO
        }
        # What is out of reach, where whoever looked can say so.
        foreign |= {("far", things[f.args[0]]) for f in facts if _is_far(f, things)}
        return cls.made(things, facts, relations=tuple(sorted(foreign)))

    @classmethod
    def made(
        cls,
        things: Mapping[str, str],
        facts: Iterable[Predicate] = (),
        operators: Mapping[str, Skill] | None = None,
        relations: tuple[tuple[str, ...], ...] = (),
    ) -> World:
        """Make a world of an arm.

        Args:
            things: categories by name; there is always a table.
            facts: that hold. Where they put a thing into several places, it is held, or else on
                what moves, or else in what contains it, and only otherwise on the table.
            operators: by name; None for every skill that is installed.
            relations: further facts that may hold, as Domain has them.
        """
        known = {**things, TABLE: TABLE}
        operators = skills() if operators is None else operators
        world = cls(domain(tuple(known.items()), tuple(operators.items()), relations))
        whole = world.domain
        for fact in facts:
            world.bits |= whole.bit(fact)
        for thing in whole.movable:
            world._settle(thing)
        return world

    def _settle(self, thing: str) -> None:
        """Leave one place of those at which a thing is said to be."""
        whole = self.domain
        held = whole.bit(Predicate("held", (thing,)))
        mask, places = whole.below[thing]
        found = [bit for bit in places if self.bits & bit]
        if self.bits & held:
            # The first of two things that are said to be held is; the hand holds one.
            self.bits &= ~mask & ~(whole.held_mask & ~held)
            return
        if len(found) != 1:
            best = min(found, key=lambda bit: self._rank(places[bit]), default=0)
            self.bits &= ~mask
            self.bits |= best or whole.bit(Predicate("on", (thing, TABLE)))

    def _rank(self, place: str) -> int:
        return 0 if place in self.domain.movable else 2 if place == TABLE else 1

    def copy(self) -> World:
        """Return another one in the same state."""
        return World(self.domain, self.bits)

    # --- what holds -------------------------------------------------------------------------------

    def holds(self, fact: Predicate) -> bool:
        """Whether a fact of the vocabulary holds; False of what is in no vocabulary."""
        whole = self.domain
        if fact.name not in whole.names and fact.name != "rests":
            return False
        if fact.name in DERIVED:
            own = {"Target": fact.args[0]} if fact.args else {}
            true = not any(self.bits & whole.mask(p, own) for p in DERIVED[fact.name])
        else:
            plain = Predicate(fact.name, fact.args)
            true = bool(self.bits & whole.bit(whole.resolved(plain)))
        return true == fact.value

    def facts(self) -> frozenset[Predicate]:
        """Say what holds, as a camera would: with an empty hand and drawers that are closed."""
        bits, whole = self.bits, self.domain
        found = {f for number, f in enumerate(whole.facts) if bits >> number & 1}
        if whole.held_mask and self.held is None:
            found.add(Predicate("hand_empty"))
        for fact in whole.facts:
            if fact.name == "open" and fact not in found:
                found.add(Predicate("closed", fact.args))
        return frozenset(found)

    @property
    def held(self) -> str | None:
        """What the hand holds."""
        return self.domain.held_by_bit[self.bits & self.domain.held_mask] or None

    @property
    def things(self) -> Mapping[str, str]:
        """Categories by name."""
        return self.domain.things

    @property
    def movable(self) -> tuple[str, ...]:
        """What can be taken, in the scene's order."""
        return self.domain.movable

    def where(self, robot: str = ROBOT) -> str:
        """The place at which a robot is, empty where it is at none."""
        mask, places = self.domain.here[robot]
        return places[self.bits & mask]

    def is_open(self, thing: str) -> bool:
        """Whether a drawer or a gate is open."""
        return bool(self.bits & self.domain.bit(Predicate("open", (thing,))))

    def below(self, thing: str) -> str:
        """What a thing rests in or on, empty where it is held."""
        mask, places = self.domain.below.get(thing, (0, {0: ""}))
        return places[self.bits & mask]

    def clear(self, thing: str) -> bool:
        """Whether nothing rests in or on it."""
        return not self.bits & self.domain.above.get(thing, 0)

    def above(self, thing: str) -> list[str]:
        """What rests on a thing, directly or not, topmost first."""
        if self.clear(thing):
            return []
        direct = [c for c in self.movable if self.below(c) == thing]
        return [x for c in direct for x in (*self.above(c), c)]

    def base(self, thing: str) -> str:
        """What the stack under a thing stands in or on: the table or a container."""
        seen = {thing}
        place = self.below(thing)
        while place in self.movable and place not in seen and self.below(place):
            seen.add(place)
            place = self.below(place)
        return place

    def height(self, thing: str) -> int:
        """How many movable things lie under it."""
        place, count = self.below(thing), 0
        while place in self.movable and self.below(place) and count < len(self.movable):
            place, count = self.below(place), count + 1
        return count

    def top(self, moving: str | None = None) -> str | None:
        """The topmost thing of the highest stack, or None where nothing is stacked."""
        stacked = [c for c in self.movable if c != moving and self.below(c) in self.movable]
        return max(stacked, key=self.height, default=None)

    # --- what is done -----------------------------------------------------------------------------

    def act(self, name: str, target: str, robot: str = ROBOT) -> Act:
        """Spell out a skill in this state.

        Raises:
            ConfigError: no such skill.
        """
        return self.domain.act(name, target, self.domain.situation(self.bits, robot))

    def unmet(self, name: str, target: str, robot: str = ROBOT) -> str:
        """Say what a skill needs and has not; empty where it can be carried out."""
        act = self.act(name, target, robot)
        if not act.whole.fails(self.bits):
            return ""
        first = next(c for c in act.conditions if c.fails(self.bits))
        return f"{name}({target}) needs {first.says}"

    def ends(self, name: str, target: str, robot: str = ROBOT) -> Predicate:
        """The fact that ends a skill, asked of the world before it."""
        return self.act(name, target, robot).ends

    def force(self, name: str, target: str, robot: str = ROBOT) -> None:
        """Do what a skill does to the world, whatever it needs."""
        self.bits = self.act(name, target, robot).after(self.bits)

    def apply(self, name: str, target: str, robot: str = ROBOT) -> None:
        """Carry out a skill.

        Raises:
            Unmet: a precondition does not hold; the message says which.
            ConfigError: no such skill.
        """
        if lacking := self.unmet(name, target, robot):
            raise Unmet(lacking)
        self.force(name, target, robot)


def told(world: World, facts: Iterable[Predicate]) -> None:
    """Correct a world by facts; those of ``value`` False cease to hold.

    Raises:
        ConfigError: a fact can neither hold nor cease to.
    """
    for fact in facts:
        bit = world.domain.bit(world.domain.resolved(Predicate(fact.name, fact.args)))
        if not bit:
            raise ConfigError(
                f"expected a fact about {', '.join(world.things)}, got {fact}",
                ErrorCode.OBJECT_UNKNOWN,
            )
        world.bits = world.bits | bit if fact.value else world.bits & ~bit
