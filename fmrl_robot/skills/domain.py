"""The facts that can hold among a scene's things, and every operator spelt out for them.

A state is one whole number, a bit a fact, so that asking what can be done is a few comparisons of
numbers: checking a plan and playing millions of steps go through the same code. Nothing here knows
a colour, a name or a number of things; they come from whoever names the things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from operator import or_

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.skill import Effect, Need, Skill
from fmrl_robot.types import Predicate

CONTAINERS = ("bowl", "bin", "drawer")
"""Categories of things that others are *in*; they are *on* all else."""
TABLE = "table"
ROBOT = "robot"
DERIVED: dict[str, tuple[str, ...]] = {
    "hand_empty": ("held(Any)",),
    "clear": ("on(Any, Target)", "in(Any, Target)"),
    "closed": ("open(Target)",),
}
"""Facts that hold where none of these does. They are computed and never stored, so that a
perception that forgets one of them cannot make the world contradict itself."""

Binding = Mapping[str, str]
"""What the variables of a fact stand for."""
Case = tuple[int, int]
"""Holds of a state that has all bits of the first number and none of the second."""
Situation = tuple[str, str, str]
"""Who acts, what is held, and where the one who acts is; empty for nothing and nowhere."""


def is_variable(argument: str) -> bool:
    """Whether a fact's argument stands for something else."""
    return argument[:1].isupper()


@dataclass(frozen=True, slots=True)
class Condition:
    """A precondition in bits; it fails in a state with a bit of ``forbidden`` or in a case."""

    forbidden: int
    failing: tuple[Case, ...]
    says: str

    def fails(self, bits: int) -> bool:
        """Whether the state does not meet it."""
        if bits & self.forbidden:
            return True
        # A loop and no any(): this is where plans and play spend their time.
        for must, absent in self.failing:  # noqa: SIM110
            if bits & must == must and not bits & absent:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Act:
    """An operator aimed at one thing in one situation, in bits."""

    name: str
    target: str
    conditions: tuple[Condition, ...]
    whole: Condition
    """All conditions in one, for asking only whether they hold."""
    adds: tuple[Case, ...]
    """What has to hold, and which bits then begin to."""
    deletes: tuple[Case, ...]
    lapses: tuple[Case, ...]
    """What begins to hold instead where it fails; none: nothing changes."""
    thwarts: int
    """Facts that nobody sees and at any of which it fails."""
    ends: Predicate

    def after(self, bits: int) -> int:
        """Return the state after it."""
        return self._changed(bits, self.adds)

    def after_failing(self, bits: int) -> int:
        """Return the state after it was tried in vain."""
        return self._changed(bits, self.lapses) if self.lapses else bits

    def _changed(self, before: int, adds: tuple[Case, ...]) -> int:
        bits = before
        for must, gone in self.deletes:
            if before & must == must:
                bits &= ~gone
        for must, new in adds:
            if before & must == must:
                bits |= new
        return bits


class Domain:
    """Things, operators, and the facts and acts that follow from them."""

    def __init__(
        self,
        things: Mapping[str, str],
        skills: Mapping[str, Skill],
        relations: Iterable[tuple[str, ...]] = (),
    ) -> None:
        """Spell out facts and acts.

        Args:
            things: categories by name.
            skills: operators by name.
            relations: facts that no operator brings about but that may hold: a name and the
                categories of its arguments, ``("way", "place", "place")``.
        """
        self.things = dict(things)
        self.skills = dict(skills)
        self.robots = self.of_category(ROBOT) or (ROBOT,)
        self.movable = self._aims_of("held(Target)")
        self.places = self._aims_of("at(Robot, Target)")
        self.facts = tuple(sorted({*self._brought_about(), *self._related(relations)}))
        self.index = {fact: number for number, fact in enumerate(self.facts)}
        self._named: dict[str, list[tuple[int, Predicate]]] = {}
        for number, fact in enumerate(self.facts):
            self._named.setdefault(fact.name, []).append((number, fact))
        self.names = {fact.name for fact in self.facts} | DERIVED.keys()
        self.held_mask, self.held_by_bit = self._choices("held", ())
        self.here = {robot: self._choices("at", (robot,)) for robot in self.robots}
        self.below = {thing: self._choices_below(thing) for thing in self.movable}
        self.above = {
            thing: self.mask("on(Any, Target)", {"Target": thing})
            | self.mask("in(Any, Target)", {"Target": thing})
            for thing in self.things
        }
        self._acts: dict[tuple[str, str, Situation], Act] = {}

    def of_category(self, *categories: str) -> tuple[str, ...]:
        """Names of the things of these categories, in their order."""
        return tuple(name for name, kind in self.things.items() if kind in categories)

    # --- facts ------------------------------------------------------------------------------------

    def _aims_of(self, fact: str) -> tuple[str, ...]:
        """What the skills that bring about a fact may be aimed at."""
        kinds = {k for s in self.skills.values() if fact in s.adds for k in s.targets}
        return self.of_category(*kinds)

    def _brought_about(self) -> Iterator[Predicate]:
        """Every fact that an operator can begin, and every place a movable thing can be at."""
        for skill in self.skills.values():
            for effect in skill.adds:
                fact, given = _parts(effect)
                pattern = Predicate.parse(fact)
                asked = [Predicate.parse(text) for text in given]
                kinds = {p.args[0]: p.args[1] for p in asked if p.name == "is_a"}
                ranges = [self._range(a, skill, kinds.get(a, "")) for a in pattern.args]
                for args in product(*ranges):
                    if len(set(args)) == len(args):
                        yield self.resolved(Predicate(pattern.name, args))

    def _range(self, argument: str, skill: Skill, kind: str) -> tuple[str, ...]:
        if not is_variable(argument):
            return (argument,)
        if kind:
            return self.of_category(kind)
        known = {
            "Target": self.of_category(*skill.targets),
            "Held": self.movable,
            "Robot": self.robots,
            "Here": self.places,
        }
        return known.get(argument, tuple(self.things))

    def _related(self, relations: Iterable[tuple[str, ...]]) -> Iterator[Predicate]:
        for name, *kinds in relations:
            for args in product(*(self.of_category(kind) for kind in kinds)):
                if len(set(args)) == len(args):
                    yield Predicate(name, args)

    def resolved(self, fact: Predicate) -> Predicate:
        """Write ``rests`` as the fact that it means."""
        if fact.name != "rests":
            return fact
        within = self.things.get(fact.args[1]) in CONTAINERS
        return Predicate("in" if within else "on", fact.args, value=fact.value)

    def bit(self, fact: Predicate) -> int:
        """The bit of a stored fact, 0 where there is no such fact among these things."""
        number = self.index.get(fact)
        return 0 if number is None else 1 << number

    def mask(self, pattern: str, binding: Binding) -> int:
        """The bits of all facts that fit a pattern."""
        return reduce(or_, (bit for bit, _ in self._fitting(Predicate.parse(pattern), binding)), 0)

    def _choices(self, name: str, first: tuple[str, ...]) -> tuple[int, dict[int, str]]:
        """Of facts of which one holds at most: their bits, and the last argument by bit."""
        found = {
            1 << number: fact.args[-1]
            for number, fact in enumerate(self.facts)
            if fact.name == name and fact.args[:-1] == first
        }
        return sum(found), {**found, 0: ""}

    def _choices_below(self, thing: str) -> tuple[int, dict[int, str]]:
        on, places = self._choices("on", (thing,))
        within, holders = self._choices("in", (thing,))
        return on | within, places | holders

    def _fitting(self, pattern: Predicate, binding: Binding) -> Iterator[tuple[int, Binding]]:
        """Bits of facts that fit, each with what its variables then stand for."""
        wanted = tuple(binding.get(a, a) for a in pattern.args)
        plain = self.resolved(Predicate(pattern.name, wanted))
        if not any(is_variable(a) for a in plain.args):
            if bit := self.bit(plain):
                yield bit, binding
            return
        for number, fact in self._named.get(plain.name, ()):
            if len(fact.args) != len(wanted):
                continue
            pairs = list(zip(wanted, fact.args, strict=True))
            if all(is_variable(w) or w == a for w, a in pairs):
                yield 1 << number, {**binding, **{w: a for w, a in pairs if is_variable(w)}}

    # --- acts -------------------------------------------------------------------------------------

    def situation(self, bits: int, robot: str) -> Situation:
        """What a state binds before an operator is aimed."""
        mask, places = self.here[robot]
        return robot, self.held_by_bit[bits & self.held_mask], places[bits & mask]

    def act(self, name: str, target: str, situation: Situation) -> Act:
        """Spell out an operator.

        Raises:
            ConfigError: SKILL_UNKNOWN.
        """
        key = (name, target, situation)
        found = self._acts.get(key)
        if found is None:
            found = self._acts[key] = self._spell_out(name, target, situation)
        return found

    def _spell_out(self, name: str, target: str, situation: Situation) -> Act:
        skill = self.skills.get(name)
        if skill is None:
            raise ConfigError(
                f"expected a skill among {', '.join(self.skills)}, got {name!r}",
                ErrorCode.SKILL_UNKNOWN,
            )
        robot, held, here = situation
        binding = {"Target": target, "Robot": robot, "Held": held, "Here": here}
        conditions = self.conditions(skill.needs, binding)
        if self.things.get(target) not in skill.targets:
            says = f"a {' or '.join(skill.targets)}; choose another target"
            conditions = (Condition(0, ((0, 0),), says), *conditions)
        ends = Predicate.parse(skill.ends)
        return Act(
            name=name,
            target=target,
            conditions=conditions,
            whole=united(conditions),
            adds=self._effects(skill.adds, binding),
            deletes=self._effects(skill.deletes, binding),
            lapses=self._effects(skill.lapses, binding),
            thwarts=reduce(or_, (self.mask(fact, binding) for fact in skill.thwarted), 0),
            ends=self.resolved(Predicate(ends.name, tuple(binding.get(a, a) for a in ends.args))),
        )

    def conditions(self, needs: Iterable[Need], binding: Binding) -> tuple[Condition, ...]:
        """Write preconditions in bits."""
        return tuple(c for need in needs for c in self._condition(need, binding))

    def _condition(self, need: Need, binding: Binding) -> Iterator[Condition]:
        """One condition, or where its sentence names what it is about, one for each of those."""
        cases = self._given(need.given, binding)
        by_words: dict[str, list[Case]] = {}
        for must, bound in cases:
            for case, more in self._failing(Predicate.parse(need.fact), must, bound):
                by_words.setdefault(need.says.format(**more), []).append(case)
        for says, failing in by_words.items():
            single = [m for m, absent in failing if not absent and m.bit_count() == 1]
            rest = tuple(c for c in failing if c[1] or c[0].bit_count() != 1)
            yield Condition(reduce(or_, single, 0), rest, says)

    def _given(self, given: Iterable[str], binding: Binding) -> list[tuple[int, Binding]]:
        """Every way in which all of these facts can hold: their bits, and the variables."""
        cases: list[tuple[int, Binding]] = [(0, binding)]
        for pattern in map(Predicate.parse, given):
            cases = [
                (must | bit, more)
                for must, bound in cases
                for bit, more in self._one_given(pattern, bound)
            ]
        return cases

    def _one_given(self, pattern: Predicate, bound: Binding) -> Iterator[tuple[int, Binding]]:
        if pattern.name != "is_a":
            yield from self._fitting(pattern, bound)
            return
        argument, kind = pattern.args
        thing = bound.get(argument, argument)
        if is_variable(thing):
            yield from ((0, {**bound, argument: name}) for name in self.of_category(kind))
        elif self.things.get(thing) == kind:
            yield 0, bound

    def _failing(
        self, fact: Predicate, must: int, bound: Binding
    ) -> Iterator[tuple[Case, Binding]]:
        """Cases in which ``fact`` does not hold although the bits of ``must`` do."""
        negated, patterns = not fact.value, (Predicate(fact.name, fact.args),)
        if fact.name in DERIVED:
            negated = not negated
            own = {"Target": bound.get(fact.args[0], fact.args[0])} if fact.args else {}
            patterns = tuple(
                Predicate(p.name, tuple(own.get(a, a) for a in p.args))
                for p in map(Predicate.parse, DERIVED[fact.name])
            )
        fitting = [found for p in patterns for found in self._fitting(p, bound)]
        if negated:
            yield from (((must | bit, 0), {**more, **bound}) for bit, more in fitting)
        else:
            yield (must, reduce(or_, (bit for bit, _ in fitting), 0)), bound

    def _effects(self, effects: Iterable[str | Effect], binding: Binding) -> tuple[Case, ...]:
        found: dict[int, int] = {}
        for effect in effects:
            fact, given = _parts(effect)
            for must, bound in self._given(given, binding):
                found[must] = found.get(must, 0) | self.mask(fact, bound)
        return tuple(found.items())


def _parts(effect: str | Effect) -> tuple[str, tuple[str, ...]]:
    """The fact of an effect, and what has to hold for it."""
    return (effect, ()) if isinstance(effect, str) else (effect.fact, effect.given)


def united(conditions: Iterable[Condition]) -> Condition:
    """All conditions in one that does not say which of them fails."""
    found = tuple(conditions)
    cases = dict.fromkeys(case for c in found for case in c.failing)
    return Condition(reduce(or_, (c.forbidden for c in found), 0), tuple(cases), "")


@lru_cache(maxsize=512)
def domain(
    things: tuple[tuple[str, str], ...],
    skills: tuple[tuple[str, Skill], ...],
    relations: tuple[tuple[str, ...], ...] = (),
) -> Domain:
    """The domain of these things (name, category) and operators, spelt out once."""
    return Domain(dict(things), dict(skills), relations)
