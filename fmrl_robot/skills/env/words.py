"""How choices are said, once as in training and once otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from fmrl_robot.skills.captioner import say_thing
from fmrl_robot.skills.domain import CONTAINERS

DONE = "done"
PHRASES: dict[str, dict[str, str]] = {
    "seen": {
        "put": "put {0} {1}",
        "hold": "pick up {0}",
        "grasp": "pick up {0}",
        "place": "place it {0}",
        "ensure_open": "open {0}",
        "open": "open {0}",
        "ensure_closed": "close {0}",
        "close": "close {0}",
        "press": "press {0}",
        "walk": "walk to {0}",
        "climb": "climb to {0}",
        "step_on": "step on {0}",
        "search": "look around",
    },
    "other": {
        "put": "move {0} so that it is {1}",
        "hold": "take {0}",
        "grasp": "take {0}",
        "place": "let go of it {0}",
        "ensure_open": "pull {0} open",
        "open": "pull {0} open",
        "ensure_closed": "push {0} shut",
        "close": "push {0} shut",
        "press": "push {0}",
        "walk": "go over to {0}",
        "climb": "go up the stairs to {0}",
        "step_on": "put a paw on {0}",
        "search": "have a look",
    },
}
"""By wording, then by skill or macro."""


def say(name: str, args: tuple[str, ...], things: Mapping[str, str], wording: str) -> str:
    """Say a skill or macro; the last argument of put and place is where."""
    words = [say_thing(arg) for arg in args]
    if name in ("put", "place"):
        within = things[args[-1]] in CONTAINERS
        words[-1] = f"{'in' if within else 'on'} {words[-1]}"
    return PHRASES[wording][name].format(*words)
