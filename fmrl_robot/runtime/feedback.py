"""What a planner hears about each step beyond how it ended: channels that can be switched.

A channel looks at a step that was just carried out and says something about it, or nothing. None
of them ends a task or moves a robot: a verdict is told to the planner and to the trigger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fmrl_robot.errors import ConfigError
from fmrl_robot.planning import Feedback, Step
from fmrl_robot.protocols import Planner
from fmrl_robot.types import Scene, Success


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Just after a step."""

    step: Step
    number: int
    """Of the step in its plan, from 1."""
    count: int
    """Steps of that plan."""
    look: Callable[[], Scene | None]
    """What is seen now, None where nothing comes; looks once."""
    verdict: Callable[[], Success]
    """What the reward model last said of this step."""


Channel = Callable[[Moment], Feedback | None]


def success(moment: Moment) -> Feedback | None:
    """Whether the fact that ends the step is seen to hold; nothing of a step without one."""
    wanted = moment.step.subgoal.termination
    if wanted is None:
        return None
    scene = moment.look()
    if scene is None:
        return _told("success", moment, f"nobody sees whether {wanted} holds", Success.UNKNOWN)
    if scene.holds(wanted):
        return _told("success", moment, f"{wanted} is seen to hold", Success.YES)
    return _told("success", moment, f"{wanted} is not seen to hold", Success.NO)


def reward(moment: Moment) -> Feedback | None:
    """What the reward model says of the step; nothing where it does not know."""
    verdict = moment.verdict()
    if verdict is Success.UNKNOWN:
        return None
    words = "looks" if verdict is Success.YES else "does not look"
    return _told("reward", moment, f"{_named(moment.step)} {words} done", verdict)


def scene(moment: Moment) -> Feedback | None:
    """What is seen now, in words; nothing where nothing is seen."""
    seen = moment.look()
    if seen is None:
        return None
    facts = "; ".join(str(p) for p in sorted(seen.predicates) if p.value)
    return _told("scene", moment, seen.caption or facts or "no fact is seen", None)


def objects(moment: Moment) -> Feedback | None:
    """What is seen to lie on the table, by name; nothing where nothing is seen."""
    seen = moment.look()
    if seen is None:
        return None
    lying = sorted(
        p.args[0]
        for p in seen.predicates
        if p.value and p.name == "on" and p.args[1:] == ("table",)
    )
    return _told("objects", moment, f"on the table: {', '.join(lying) or 'nothing'}", None)


def progress(moment: Moment) -> Feedback | None:
    """How far the plan is."""
    done = moment.step.outcome.success
    text = f"step {moment.number} of {moment.count} {'done' if done else 'failed'}"
    return _told("progress", moment, text, None)


def _told(channel: str, moment: Moment, text: str, mark: Success | None) -> Feedback:
    return Feedback(channel=channel, text=text, mark=mark, about=moment.step.subgoal.id)


def _named(step: Step) -> str:
    subgoal = step.subgoal
    return subgoal.text or f"{subgoal.skill} {subgoal.target}".strip() or f"step {subgoal.id}"


PERSON = "person"
"""The channel by which people answer questions; it speaks when it is asked, not after steps."""
CHANNELS: dict[str, Channel] = {
    "success": success,
    "reward": reward,
    "scene": scene,
    "objects": objects,
    "progress": progress,
}
NONE = "none"


def channels_for(planner: Planner, names: str = "") -> tuple[str, ...]:
    """Return the channels that are on.

    Args:
        planner: whose feedback it is to be.
        names: separated by commas; ``none``: no channel; empty: those on the planner's card.

    Raises:
        ConfigError: no such channel.
    """
    card: Sequence[str] = getattr(getattr(planner, "card", None), "feedback", ())
    chosen = tuple(filter(None, (n.strip() for n in names.split(",")))) or tuple(card)
    if chosen == (NONE,):
        return ()
    known = (*CHANNELS, PERSON)
    if wrong := [n for n in chosen if n not in known]:
        raise ConfigError(
            f"expected feedback among {', '.join(known)}, or {NONE}, got {', '.join(wrong)}"
        )
    return chosen
