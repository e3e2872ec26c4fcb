"""What an agent has done in each world, without what it undid: a walk with its loops cut out.

A small model that continues a list of steps is led astray by steps without effect and by pairs that
cancel out. Both bring the world back to a state that was seen before, so the walk since then goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep, SkillView


@dataclass(slots=True)
class Walk:
    """One world's episode so far."""

    first: SkillView
    """What was seen at the beginning."""
    phrases: list[str] = field(default_factory=list[str])
    """Each led to a state that was not seen before on this walk."""
    states: list[bytes] = field(default_factory=list[bytes])
    """One more than ``phrases``."""

    def goes_on(self, phrase: str, view: SkillView) -> None:
        """Take a step; a state of before cuts off what was done since."""
        state = view.state.tobytes()
        if state in self.states:
            kept = self.states.index(state)
            del self.states[kept + 1 :], self.phrases[kept:]
        else:
            self.states.append(state)
            self.phrases.append(phrase)


class Histories:
    """The walks of many worlds."""

    def __init__(self) -> None:
        self.walks: list[Walk] = []

    def begin(self, now: SkillStep) -> None:
        """Every world is at its beginning."""
        self.walks = [_begun(view) for view in now.views]

    def observe(self, phrases: Sequence[str], now: SkillStep) -> None:
        """Hear what was done in each world, and what came of it; who ended begins anew."""
        for i, (phrase, view) in enumerate(zip(phrases, now.views, strict=True)):
            if now.terminated[i] or now.truncated[i]:
                self.walks[i] = _begun(view)
            else:
                self.walks[i].goes_on(phrase, view)


def _begun(view: SkillView) -> Walk:
    return Walk(first=view, states=[view.state.tobytes()])
