"""When the planner is asked again: never, on_failure, on_finish, every_n, always, learned.

A trigger is asked after every step, and once more where a plan has run out and its goal is not
seen. Under ``never`` and ``on_failure`` a plan is the whole of a task: it ends where its goal is
seen. Under the others a plan is a part, one step perhaps, and the task ends when the planner says
Done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fmrl_robot.errors import ConfigError
from fmrl_robot.planning import Context
from fmrl_robot.protocols import KnowsWhenToAsk, Planner, Trigger

REPLANS = 2
"""Times that ``on_failure`` replaces a plan where no number says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """A Trigger made of a condition."""

    name: str
    asks: Callable[[Context], bool]
    goes_on: bool = True

    def __call__(self, context: Context) -> bool:
        """Whether to ask now."""
        return self.asks(context)


def _over(context: Context) -> bool:
    """Whether nothing of the plan can still be done: it ran out, or a step of it failed."""
    return not context.remaining or (context.ended is not None and not context.ended.success)


def never() -> Trigger:
    """Ask once for each task."""
    return When(name="never", asks=lambda _: False, goes_on=False)


def on_failure(replans: int = REPLANS) -> Trigger:
    """Ask after a step that failed, or was seen to, and where the goal is not seen; so often."""
    return When(
        name=f"on_failure:{replans}",
        asks=lambda context: context.failed and context.plans <= replans,
        goes_on=False,
    )


def on_finish() -> Trigger:
    """Ask when nothing of the plan can still be done, however it ended."""
    return When(name="on_finish", asks=_over)


def every_n(steps: int) -> Trigger:
    """Ask after every so many steps of the task, and when nothing of the plan can be done."""
    return When(
        name=f"every_n:{steps}",
        asks=lambda context: len(context.history) % steps == 0 or _over(context),
    )


def always() -> Trigger:
    """Ask after every step."""
    return When(name="always", asks=lambda _: True)


def learned(planner: Planner) -> Trigger:
    """Ask when the planner's own trigger says so, and when nothing of the plan can be done.

    Raises:
        ConfigError: the planner has none.
    """
    if not isinstance(planner, KnowsWhenToAsk):
        raise ConfigError(
            f"expected a planner with a trigger of its own (asks) for the trigger 'learned', got "
            f"{type(planner).__name__}; name another trigger, or another method"
        )
    return When(name="learned", asks=lambda context: _over(context) or planner.asks(context))


_PLAIN = {"never": never, "on_finish": on_finish, "always": always}
_NUMBERED = {"on_failure": on_failure, "every_n": every_n}
KNOWN = "never, on_failure, on_failure:N, on_finish, every_n:N, always, learned"


def trigger_for(planner: Planner, name: str = "") -> Trigger:
    """Return a trigger by its name.

    Args:
        planner: whose trigger it is to be.
        name: such as ``every_n:2``; empty: the one on the planner's card.

    Raises:
        ConfigError: no such trigger, a number is missing or not above 0, or the planner has no
            trigger of its own.
    """
    name = name or getattr(getattr(planner, "card", None), "trigger", "on_failure")
    kind, colon, number = name.strip().replace("-", "_").partition(":")
    if kind in _NUMBERED and colon and number.isdecimal() and int(number) > 0:
        return _NUMBERED[kind](int(number))
    if not colon:
        if kind == "on_failure":
            return on_failure()
        if kind == "learned":
            return learned(planner)
        if kind in _PLAIN:
            return _PLAIN[kind]()
    raise ConfigError(f"expected a trigger among {KNOWN} with N above 0, got {name!r}")
