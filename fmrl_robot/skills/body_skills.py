"""Skills of a whole body, a quadruped's: no thing is aimed at, and no fact of a scene ends them.

How they are carried out is said in fmrl_robot/control/quadruped.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BodySkill:
    """A skill that a step of kind SKILL names."""

    words: str
    """What it does, in words for a language model."""
    said: str
    """The same as a plan is read back."""
    moves: bool = False
    """Whether the step gives a velocity, and a duration for which to keep it."""


BODY_SKILLS: Mapping[str, BodySkill] = {
    "walk": BodySkill(words="walk at a velocity, gait chosen by itself", said="walk", moves=True),
    "sit": BodySkill(words="sit down on the haunches", said="sit down"),
    "stand_up": BodySkill(words="stand up from wherever it is", said="stand up"),
}
"""A quadruped's, by name."""
