"""Macros and references of the plan language become PSL sub-goals for the scene at hand.

``put`` and ``hold`` make a cube reachable first: they empty the hand, take off what lies on the
cube and open the drawer it is in. A closed drawer as the *target* is opened only by
``ensure_open(drawer)``, or where the plan could not know that it is one (``at_red_cube``,
``empty``). Primitive steps insert nothing: what they lack, the plan check refuses. ``at_`` and
``with_`` mean where a cube was when the task began, so that two cubes can change places.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.planners.plan_language import Reference, Step
from fmrl_robot.planners.references import empty_container, freest, matching
from fmrl_robot.skills import World, further_skills
from fmrl_robot.skills.captioner import KNOWN_FACTS, caption
from fmrl_robot.skills.domain import Act
from fmrl_robot.skills.macros import DRAWER, Macros
from fmrl_robot.skills.tabletop import CUBES
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
        self.world = World.of(scene)
        self._first = self.world.copy()
        self._meant = meant
        self._macros = Macros(self.world, self._emit, self._done_already)
        self._further = further_skills()
        self._params: tuple[tuple[str, str], ...] = ()
        self.subgoals: list[SubGoal] = []
        self.goal: dict[str, Predicate] = {}

    def step(self, step: Step, number: int) -> None:
        """Append the sub-goals of one step."""
        match step.name:
            case "put":
                for cube, place in self._moves(step, number):
                    self._put(cube, place, step)
            case "hold":
                for cube, _ in self._moves(step, number)[:1]:
                    self._macros.hold(cube)
            case "stack":
                self._macros.stack([self._present(c) for c in step.cubes])
            case "ensure_open" | "ensure_closed":
                self._macros.ensure(step.place, is_open=step.name == "ensure_open")
            case "open" | "close" | "press":
                self._macros.do(step.name, step.place)
            case "grasp":
                self._macros.do("grasp", self._present(step.ref.cube))
            case name if name in self._further:
                self._call(step)
            case _:
                held = self.world.held
                if held is None:
                    raise Retryable(
                        f"expected a grasp before place({step.place}), the hand is empty",
                        ErrorCode.PRECONDITION_UNMET,
                    )
                self._macros.do("place", self._target(step.place, held))

    def _put(self, cube: str, place: str, step: Step) -> None:
        """Put a cube somewhere; a drawer that the plan could not know to be one is opened."""
        unforeseen = self.world.things.get(place) == DRAWER and place != step.place
        if unforeseen and not self.world.is_open(place) and self.world.below(cube) != place:
            self._macros.ensure(place, is_open=True)
        self._macros.put(cube, place)

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
            cube = self.world.held or self._first.held
            if cube is None:
                raise Terminal("the gripper holds nothing", ErrorCode.OBJECT_UNKNOWN)
            return [cube]
        if ref.cube:
            return [self._present(ref.cube)]
        world = self._first if ref.condition.startswith("with_") else self.world
        found = [c for c in matching(world, ref.condition) if c not in ref.excepting]
        if not found:
            raise Terminal(f"the scene has no cube for {ref.condition!r}", ErrorCode.OBJECT_UNKNOWN)
        away = [c for c in found if self.world.below(c) != place and c != place]
        return freest(self.world, away)[: ref.count] if ref.count else away

    def _present(self, cube: str) -> str:
        if cube not in self.world.movable:
            raise Terminal(
                f"the scene has no {cube}; it has {', '.join(self.world.movable) or 'no cubes'}",
                ErrorCode.OBJECT_UNKNOWN,
            )
        return cube

    def _named(self, place: str) -> str:
        """The container or table that ``empty`` or ``at_red_cube`` means; others as they are."""
        if place == "empty":
            found = empty_container(self.world)
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
        # Of a cube that the language knows and the scene lacks, say so; of another place the plan
        # check does.
        return self._present(place) if place in CUBES else place

    def _call(self, step: Step) -> None:
        """Append a step of another package's skill; what it lacks the plan check refuses."""
        names = (p.name for p in self._further[step.name].parameters)
        self._params = tuple(zip(names, step.values, strict=False))
        self._emit(self.world.act(step.name, step.place))
        self._params = ()
        if not self.world.unmet(step.name, step.place):
            self.world.force(step.name, step.place)

    def _emit(self, act: Act) -> None:
        termination = act.ends
        self.subgoals.append(
            SubGoal(
                id=str(len(self.subgoals) + 1),
                kind=SubGoalKind.REGION,
                skill=act.name,
                target=act.target,
                termination=termination,
                text=caption(termination),
                params=self._params,
            )
        )
        if termination.name in KNOWN_FACTS:
            self._want(termination)

    def _done_already(self, name: str, thing: str, place: str) -> None:
        fact = Predicate(name, (thing, place) if place else (thing,))
        self._want(self.world.domain.resolved(fact))

    def _want(self, fact: Predicate) -> None:
        """Remember the last wish about each thing; a later one takes its place."""
        subject = fact.args[0]
        self.goal.pop(subject, None)
        self.goal[subject] = fact
