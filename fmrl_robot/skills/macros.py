"""What short forms come to in single skills: put, hold, stack, ensure_open, ensure_closed.

A macro makes a cube reachable first: it empties the hand, takes off what lies on the cube and opens
the drawer that it is in. A closed drawer as the *target* is no business of ``put``. Primitive
skills insert nothing: what they lack, the plan check refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from fmrl_robot.skills.domain import TABLE, Act
from fmrl_robot.skills.world import World

DRAWER = "drawer"
"""The category of what is opened and closed."""


class Macros:
    """Writes macros as skills, and moves a world forward by each."""

    def __init__(
        self,
        world: World,
        emit: Callable[[Act], None],
        wants: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            world: moved forward, whether or not a skill's preconditions hold.
            emit: told each skill, before the world is moved.
            wants: told where a macro finds done what it is for: ``rests``, ``held``, ``open`` or
                ``closed``, the thing, and what it rests on.
        """
        self.world = world
        self._emit = emit
        self._wants = wants or (lambda *_: None)

    def do(self, name: str, target: str) -> None:
        """Emit one skill."""
        act = self.world.act(name, target)
        self._emit(act)
        self.world.bits = act.after(self.world.bits)

    def put(self, thing: str, place: str) -> None:
        """Bring a thing to a place, taking off what lies on either."""
        if self.world.below(thing) == place:
            self._wants("rests", thing, place)
            return
        if place in self.world.movable:
            self._uncover(place)
        self.hold(thing)
        self.do("place", place)

    def hold(self, thing: str) -> None:
        """Take a thing into the hand."""
        if self.world.held == thing:
            self._wants("held", thing, "")
            return
        self.empty_hand()
        self._uncover(thing)
        self._open_around(thing)
        self.do("grasp", thing)

    def stack(self, things: Sequence[str]) -> None:
        """Build a tower, from below to top, the lowest on the table."""
        if self.world.base(things[0]) != TABLE:
            self.put(things[0], TABLE)
        for below, above in pairwise(things):
            self.put(above, below)

    def ensure(self, drawer: str, *, is_open: bool) -> None:
        """Open or close a drawer unless it is so already."""
        if self.world.is_open(drawer) == is_open:
            self._wants("open" if is_open else "closed", drawer, "")
            return
        self.empty_hand()
        self.do("open" if is_open else "close", drawer)

    def empty_hand(self) -> None:
        """Put down on the table what the hand holds."""
        if self.world.held is not None:
            self.do("place", TABLE)

    def _uncover(self, thing: str) -> None:
        for above in self.world.above(thing):
            self.empty_hand()
            self._open_around(above)
            self.do("grasp", above)
            self.do("place", TABLE)

    def _open_around(self, thing: str) -> None:
        """Open the drawer in which the stack under a thing stands."""
        base = self.world.base(thing)
        if self.world.things.get(base) == DRAWER and not self.world.is_open(base):
            self.do("open", base)
