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

_PLAYED = {
    "at": "the {0} is at the {1}",
    "far": "the {0} is out of reach",
    "lies": "the {0} lies at the {1}",
    "way": "a way joins the {0} and the {1}",
    "stairs": "it has stairs from the {0} to the {1}",
    "blocked": "it is blocked between the {0} and the {1}",
    "bars": "the {0} bars it between the {1} and the {2}",
    "wired": "the {0} opens the {1}",
    "searched": "the {0} was searched",
    "found": "the {0} was found",
}
"""Facts of the worlds of SkillEnv that no camera of this project tells."""

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
    known = {**_PLURAL_FREE, **_ONLY_LOOKED_AT, **_PLAYED}
    template = known.get(predicate.name) or further_captions().get(predicate.name)
    if template is None:
        raise ValueError(f"expected one of {', '.join(_PLURAL_FREE)}, got {predicate}")
    text = template.format(*(a.replace("_", " ") for a in predicate.args))
    return text if predicate.value else f"it is not true that {text}"
