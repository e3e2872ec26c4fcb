"""Macros and references of the plan language become PSL sub-goals for the scene at hand.

``put`` and ``hold`` make a cube reachable first: they empty the hand, take off what lies on the
cube and open the drawer it is in. A closed drawer as the *target* is opened only by
``ensure_open(drawer)``, or where the plan could not know that it is one (``at_red_cube``,
``empty``). Primitive steps insert nothing: what they lack, the plan check refuses. ``at_`` and
``with_`` mean where a cube was when the task began, so that two cubes can change places.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from itertools import pairwise

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.planners.cube_world import CUBES, CubeWorld
from fmrl_robot.planners.plan_language import Reference, Step
from fmrl_robot.skills import Skill, Unmet, World, further_skills
from fmrl_robot.skills.captioner import KNOWN_FACTS, caption
from fmrl_robot.types import Predicate, Scene, SubGoal, SubGoalKind

Meanings = MutableMapping[tuple[int, Step], tuple[tuple[str, ...], str]]
"""Which cubes and which place a step was found to mean, by its number in the plan."""


def expand(
    steps: Sequence[Step], scene: Scene, meant: Meanings | None = None
) -> tuple[tuple[SubGoal, ...], tuple[Predicate, ...]]:
    """Resolve steps against a scene; return sub-goals and the facts that should hold at the end.

    Args:
        steps: the plan.
        scene: what is known now.
        meant: filled with what references were resolved to, and believed where it is filled:
            when a task goes on after a failure, "what was in the bowl" is still what it was.

    Raises:
        Terminal: a reference means nothing in this scene.
        Retryable: a step makes no sense by itself, such as a cube on itself.
    """
    expansion = _Expansion(scene, {} if meant is None else meant)
    for number, step in enumerate(steps):
        expansion.step(step, number)
    return tuple(expansion.subgoals), tuple(expansion.goal.values())


class _Expansion:
    """The plan so far and the world as it would then be."""

    def __init__(self, scene: Scene, meant: Meanings) -> None:
        self.world = CubeWorld(scene)
        self._first = CubeWorld(scene)
        self._meant = meant
        self.subgoals: list[SubGoal] = []
        self.goal: dict[str, Predicate] = {}
        self._first_held = self.world.held
        self._further = further_skills()
        self._facts = World.of(scene).facts

    def step(self, step: Step, number: int) -> None:
        """Append the sub-goals of one step."""
        match step.name:
            case "put":
                for cube, place in self._moves(step, number):
                    unforeseen = place == "drawer" != step.place
                    if unforeseen and not (self.world.drawer_open or self.world.is_at(cube, place)):
                        self._empty_hand()
                        self._drawer(True)
                    self._put(cube, place)
            case "hold":
                for cube, _ in self._moves(step, number)[:1]:
                    self._grasp(cube)
            case "stack":
                self._stack([self._present(c) for c in step.cubes])
            case "ensure_open" | "ensure_closed":
                opening = step.name == "ensure_open"
                if self.world.drawer_open != opening:
                    self._empty_hand()
                    self._drawer(opening)
                else:
                    self._want(_drawer_fact(opening))
            case "open" | "close":
                self._drawer(step.name == "open")
            case "press":
                self._emit("press", "button", Predicate("pressed", ("button",)))
            case "grasp":
                self._take(self._present(step.ref.cube))
            case name if name in self._further:
                self._call(self._further[name], step)
            case _:
                held = self.world.held
                if held is None:
                    raise Retryable(
                        f"expected a grasp before place({step.place}), the hand is empty",
                        ErrorCode.PRECONDITION_UNMET,
                    )
                self._release(held, self._target(step.place, held))

    def _moves(self, step: Step, number: int) -> list[tuple[str, str]]:
        """Cubes of a step and where each goes."""
        key = (number, step)
        if key not in self._meant:
            cubes = tuple(self._resolve(step.ref, self._named(step.place)))
            place = self._target(step.place, cubes[0]) if cubes and step.place else step.place
            self._meant[key] = (cubes, place)
        cubes, place = self._meant[key]
        return [(cube, place) for cube in cubes if cube != place]

    def _resolve(self, ref: Reference, place: str = "") -> list[str]:
        if ref.cube == "held":
            cube = self.world.held or self._first_held
            if cube is None:
                raise Terminal("the gripper holds nothing", ErrorCode.OBJECT_UNKNOWN)
            return [cube]
        if ref.cube:
            return [self._present(ref.cube)]
        world = self._first if ref.condition.startswith("with_") else self.world
        found = [c for c in world.matching(ref.condition) if c not in ref.excepting]
        if not found:
            raise Terminal(f"the scene has no cube for {ref.condition!r}", ErrorCode.OBJECT_UNKNOWN)
        away = [c for c in found if not self.world.is_at(c, place) and c != place]
        if ref.count:
            free = sorted(away, key=lambda c: (bool(self.world.above(c)), CUBES.index(c)))
            return free[: ref.count]
        return away

    def _present(self, cube: str) -> str:
        if cube not in self.world.cubes:
            raise Terminal(
                f"the scene has no {cube}; it has {', '.join(self.world.cubes) or 'no cubes'}",
                ErrorCode.OBJECT_UNKNOWN,
            )
        return cube

    def _named(self, place: str) -> str:
        """The container or table that ``empty`` or ``at_red_cube`` means; others as they are."""
        if place == "empty":
            found = self.world.empty()
            if found is None:
                raise Terminal("no container of the scene is empty", ErrorCode.OBJECT_UNKNOWN)
            return found
        if not place.startswith("at_"):
            return place
        cube = self._present(place.removeprefix("at_"))
        if not self._first.base(cube):
            raise Terminal(f"the {cube} is in the hand, not at a place", ErrorCode.OBJECT_UNKNOWN)
        return self._first.base(cube)

    def _target(self, place: str, cube: str) -> str:
        place = self._named(place)
        if place == "top":
            top = self.world.top(cube)
            if top is None:
                raise Terminal("the scene has no stack of cubes", ErrorCode.OBJECT_UNKNOWN)
            return top
        if place == cube:
            raise Retryable(
                f"expected another place than the cube itself, got put({cube},{place})",
                ErrorCode.PRECONDITION_UNMET,
            )
        return self._present(place) if place in CUBES else place

    def _stack(self, cubes: Sequence[str]) -> None:
        base = cubes[0]
        if self.world.base(base) != "table":
            self._put(base, "table")
        for below, above in pairwise(cubes):
            if self.world.is_at(above, below):
                self._want(_rest_fact(above, below))
            else:
                self._put(above, below)

    def _put(self, cube: str, place: str) -> None:
        if self.world.is_at(cube, place):
            self._want(_rest_fact(cube, place))
            return
        if place in CUBES:
            self._uncover(place, keep=cube)
        self._grasp(cube)
        self._release(cube, place)

    def _grasp(self, cube: str) -> None:
        if self.world.held == cube:
            self._want(Predicate("held", (cube,)))
            return
        self._empty_hand()
        self._uncover(cube)
        if self.world.base(cube) == "drawer" and not self.world.drawer_open:
            self._drawer(True)
        self._take(cube)

    def _uncover(self, cube: str, keep: str = "") -> None:
        for above in self.world.above(cube):
            if above == keep:
                continue
            self._empty_hand()
            if self.world.base(above) == "drawer" and not self.world.drawer_open:
                self._drawer(True)
            self._take(above)
            self._release(above, "table")

    def _empty_hand(self) -> None:
        if self.world.held is not None:
            self._release(self.world.held, "table")

    def _take(self, cube: str) -> None:
        self._emit("grasp", cube, Predicate("held", (cube,)))
        self.world.below.pop(cube, None)
        self.world.held = cube

    def _release(self, cube: str, place: str) -> None:
        self._emit("place", place, _rest_fact(cube, place))
        self.world.below[cube] = place
        self.world.held = None

    def _drawer(self, opening: bool) -> None:
        self._emit("open" if opening else "close", "drawer", _drawer_fact(opening))
        self.world.drawer_open = opening

    def _call(self, skill: Skill, step: Step) -> None:
        """Append a step of another package's skill and move the world forward as it says."""
        mine = self.world
        world = World(
            below=mine.below,
            held=mine.held,
            drawer_open=mine.drawer_open,
            pressed=False,
            facts=self._facts,
        )
        names = (p.name for p in skill.parameters)
        params = tuple(zip(names, step.values, strict=False))
        self._emit(step.name, step.place, skill.ends(world, step.place), params)
        # What it lacks the plan check refuses, naming the step.
        with suppress(Unmet):
            skill.apply(world, step.place)
        mine.held, mine.drawer_open = world.held, world.drawer_open

    def _emit(
        self,
        skill: str,
        target: str,
        termination: Predicate,
        params: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.subgoals.append(
            SubGoal(
                id=str(len(self.subgoals) + 1),
                kind=SubGoalKind.REGION,
                skill=skill,
                target=target,
                termination=termination,
                text=caption(termination),
                params=params,
            )
        )
        if termination.name in KNOWN_FACTS:
            self._want(termination)

    def _want(self, fact: Predicate) -> None:
        """Remember the last wish about each thing; a later one takes its place."""
        subject = fact.args[0]
        self.goal.pop(subject, None)
        self.goal[subject] = fact


def _rest_fact(cube: str, place: str) -> Predicate:
    return Predicate("on" if place in CUBES or place == "table" else "in", (cube, place))


def _drawer_fact(is_open: bool) -> Predicate:
    return Predicate("open" if is_open else "closed", ("drawer",))
