"""What each policy is shown at when it is filmed."""

from __future__ import annotations

from fmrl_robot.planners.contact_patterns import GaitCall, draw_pattern
from fmrl_robot.types import Leg, SubGoal, SubGoalKind, Velocity

SHOW_S = 3.0
ARM_SHOWS: dict[str, tuple[tuple[str, ...], bool]] = {
    "grasp": (("grasp red_cube until held(red_cube)",), False),
    "place": (
        ("grasp red_cube until held(red_cube)", "place bowl until in(red_cube, bowl)"),
        False,
    ),
    "open": (("open drawer until open(drawer)",), False),
    "close": (("close drawer until closed(drawer)",), True),
    "press": (("press button until pressed(button)",), False),
}
"""Plan that shows each skill of the arm, and whether the drawer is open before."""


def _gait(text: str, call: GaitCall) -> tuple[str, SubGoal]:
    return text, SubGoal(
        id=text,
        kind=SubGoalKind.CONTACT_PATTERN,
        text=text,
        pattern=draw_pattern(call),
        velocity=Velocity(vx=call.vx),
        duration_s=SHOW_S,
    )


def _posture(text: str, skill: str) -> tuple[str, SubGoal]:
    return text, SubGoal(id=text, kind=SubGoalKind.SKILL, skill=skill, text=text, timeout_s=10.0)


def _walk(text: str, seconds: float, **velocity: float) -> tuple[str, SubGoal]:
    return text, SubGoal(
        id=text,
        kind=SubGoalKind.SKILL,
        skill="walk",
        text=text,
        velocity=Velocity(**velocity),
        duration_s=seconds,
    )


_THROWN: tuple[str, SubGoal | None] = ("thrown", None)
_TROT = _gait("trot forward slowly", GaitCall(gait="trot", vx=0.5))
QUADRUPED_SHOWS: dict[str, tuple[tuple[str, SubGoal | None], ...]] = {
    "saytap": (
        _TROT,
        _gait("bound in place", GaitCall(gait="bound")),
        _gait("pace backward slowly", GaitCall(gait="pace", vx=-0.5)),
        _gait("lift the front left leg", GaitCall(gait="stand", up=frozenset({Leg.FL}))),
        _gait("stand still", GaitCall(gait="stand")),
    ),
    "stand-up": (_THROWN, _posture("stand up", "stand_up")) * 3 + (_TROT,),
    "walk": (
        _walk("walk forward", SHOW_S, vx=0.5),
        _walk("walk backward", SHOW_S, vx=-0.5),
        _walk("walk sideways", SHOW_S, vy=0.3),
        _walk("turn", SHOW_S, wz=0.8),
        _walk("stand", SHOW_S),
    ),
    "sit": (_posture("sit", "sit"), _TROT, _posture("sit", "sit")),
    "velocity": (
        _walk("over rough ground, up the stairs and down", 14.0, vx=0.8),
        _walk("over blocks", 8.0, vx=1.0),
        _walk("turning", 5.0, vx=0.5, wz=0.8),
        _walk("sideways", 4.0, vy=0.4),
        _walk("back", 4.0, vx=-0.8),
    ),
}
"""What each policy is shown at: texts and sub-goals; None: somebody throws the robot."""
SHOWN_ON = {"velocity": "rough"}
"""Scenes of shows that are not on even ground."""
