"""What a planner offers: it gets what is known, and proposes what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from fmrl_robot.planning import Context, Proposal, Step
    from fmrl_robot.types import (
        Usage,
    )


@runtime_checkable
class Planner(Protocol):
    """Turns an instruction into plans, a whole one or a step at a time.

    When it is asked is a Trigger's business, and what it is told is in the Context: of the task, it
    need remember only what it learns.
    """

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a new task."""
        ...

    def propose(self, context: Context) -> Proposal:
        """Say what is next: a Plan, a Question to a person, Done or GiveUp.

        ``context.news`` holds why the last proposal was refused, or how what came of it failed.

        Raises:
            Retryable: the model's answer was malformed.
            Terminal: the instruction is refused, or the model cannot be reached.
        """
        ...

    def observe(self, step: Step) -> None:
        """Hear how a step ended, also where nobody asks what is next."""
        ...

    def usage(self) -> Sequence[Usage]:
        """What was asked of models since the last call."""
        ...


class Trigger(Protocol):
    """Decides after every step whether the planner is asked again."""

    @property
    def goes_on(self) -> bool:
        """Whether it asks when a plan has run out, too: plans are parts, and only Done ends."""
        ...

    def __call__(self, context: Context) -> bool:
        """Whether to ask now."""
        ...


@runtime_checkable
class KnowsWhenToAsk(Protocol):
    """A planner with a trigger of its own, such as one that was learned."""

    def asks(self, context: Context) -> bool:
        """Whether it wants to be asked now."""
        ...
