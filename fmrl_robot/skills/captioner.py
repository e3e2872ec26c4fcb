"""Facts in words; the one place where a predicate becomes a sentence.

Planner (text of a sub-goal), reward (what the camera is asked about) and the training of the
vision model all speak through this function, so that they mean the same thing.
"""

from __future__ import annotations

from fmrl_robot.skills.library import further_captions
from fmrl_robot.types import Predicate

_PLURAL_FREE = {
    "on": "the {0} is on the {1}",
    "in": "the {0} is in the {1}",
    "held": "the gripper holds the {0}",
    "hand_empty": "the gripper is empty",
    "clear": "nothing is on the {0}",
    "open": "the {0} is open",
    "closed": "the {0} is closed",
    "pressed": "the {0} is pressed",
    "near": "the {0} is near the {1}",
    "contact": "the {0} foot is on the ground",
}

_ONLY_LOOKED_AT = {
    "above": "the {0} is above the {1}",
    "standing": "the robot dog is standing",
    "crouching": "the robot dog is crouching",
    "bowing": "the robot dog is bowing",
    "sitting": "the robot dog is sitting",
    "lying": "the robot dog is lying down",
    "fallen": "the robot dog has fallen over",
}
"""Facts that nobody measures while a robot runs; a vision model may be asked about them."""

KNOWN_FACTS = frozenset(_PLURAL_FREE)
"""What perception and ground truth can tell."""


def say_thing(name: str) -> str:
    """Name a thing in words, for example ``the red cube``."""
    return f"the {name.replace('_', ' ')}"


def caption(predicate: Predicate) -> str:
    """Say a fact in words, for example ``the red cube is in the bowl``.

    Raises:
        ValueError: the predicate is not in the vocabulary.
    """
    template = {**_PLURAL_FREE, **_ONLY_LOOKED_AT}.get(predicate.name) or further_captions().get(
        predicate.name
    )
    if template is None:
        raise ValueError(f"expected one of {', '.join(_PLURAL_FREE)}, got {predicate}")
    text = template.format(*(a.replace("_", " ") for a in predicate.args))
    return text if predicate.value else f"it is not true that {text}"
