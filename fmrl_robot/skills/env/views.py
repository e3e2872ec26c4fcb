"""What is seen of a state: captions, facts, numbers and what can be chosen.

The same states come again and again, so what was made of one is kept while there is room.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.skills.captioner import caption
from fmrl_robot.skills.domain import Domain
from fmrl_robot.skills.env.menu import Menu
from fmrl_robot.skills.macros import DRAWER
from fmrl_robot.skills.world import World
from fmrl_robot.types import Predicate, SkillView

KEPT = 20_000
"""Views kept at once, about a kilobyte each."""


_BOTH_WAYS = ("way", "stairs", "blocked", "bars")


class Views:
    """Sees the states of one domain."""

    def __init__(self, menu: Menu, *, hides: bool) -> None:
        """Begin.

        Args:
            menu: what may be chosen.
            hides: whether a closed drawer hides what is in it.
        """
        self.menu = menu
        domain = self._domain = menu.domain
        self._unseen = domain.mask("locked(Any)", {})
        self._drawers = [
            (domain.bit(Predicate("open", (d,))), domain.above[d])
            for d in domain.of_category(DRAWER)
            if hides
        ]
        self._to_find = [
            (domain.bit(Predicate("found", (t,))), domain.mask("lies(Thing, Any)", {"Thing": t}))
            for t in domain.of_category("thing")
        ]
        self._ranks, self._hand, self._shut, self._told = _told(domain)
        self._kept: dict[int, SkillView] = {}

    def seen(self, bits: int) -> int:
        """The state as it is seen: without what is hidden."""
        bits &= ~self._unseen
        for found, lies in self._to_find:
            if not bits & found:
                bits &= ~lies
        for opened, inside in self._drawers:
            if bits & inside and not bits & opened:
                return self._without_contents(bits)
        return bits

    def _without_contents(self, bits: int) -> int:
        world, seen = World(self._domain, bits), bits
        for thing in world.movable:
            base = world.base(thing)
            if world.things.get(base) == DRAWER and not world.is_open(base):
                seen &= ~self._domain.below[thing][0]
        return seen

    def __call__(self, bits: int) -> SkillView:
        """See a state."""
        bits = self.seen(bits)
        found = self._kept.get(bits)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[bits] = self._look(bits)
        return found

    def _true(self, bits: int) -> list[int]:
        """Ranks of all facts that hold, those that are computed too."""
        whole = self._domain
        found = [rank for opened, rank in self._shut if not bits & opened]
        if whole.held_mask and not bits & whole.held_mask:
            found.append(self._hand)
        while bits:
            lowest = bits & -bits
            found.append(self._ranks[lowest.bit_length() - 1])
            bits ^= lowest
        return found

    def _look(self, bits: int) -> SkillView:
        told = [self._told[rank] for rank in sorted(self._true(bits))]
        count = len(self._domain.facts)
        packed = np.frombuffer(bits.to_bytes(count // 8 + 1, "little"), np.uint8)
        state = np.unpackbits(packed, count=count, bitorder="little").astype(np.float32)
        return SkillView(
            caption=" ".join(words for _, words in told if words),
            phrases=self.menu.phrases,
            admissible=np.array(self.menu.admissible(bits)),
            facts=tuple(fact for fact, _ in told),
            state=state,
        )


def _told(
    domain: Domain,
) -> tuple[list[int], int, list[tuple[int, int]], list[tuple[Predicate, str]]]:
    """What is told in which order.

    Returns:
        The rank of each fact; that of an empty hand; the bit of each fact ``open`` with the rank of
        ``closed``; and facts with their words by rank.
    """
    opened = [f for f in domain.facts if f.name == "open"]
    empty = Predicate("hand_empty")
    closed = [Predicate("closed", f.args) for f in opened]
    order = sorted([*domain.facts, empty, *closed])
    rank = {fact: number for number, fact in enumerate(order)}
    return (
        [rank[fact] for fact in domain.facts],
        rank[empty],
        [(domain.bit(f), rank[c]) for f, c in zip(opened, closed, strict=True)],
        [(fact, "" if _said(fact) else f"{caption(fact)}.") for fact in order],
    )


def _said(fact: Predicate) -> bool:
    """Whether a fact needs no words: of what goes both ways, one way is said."""
    return fact.name == "locked" or (fact.name in _BOTH_WAYS and fact.args[-2] > fact.args[-1])
